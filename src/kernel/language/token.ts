// A rule's text cut into tokens, each with its place, so that every complaint can point at its characters.

export interface Token {
  readonly kind: 'number' | 'name' | 'variable' | 'timeframe' | 'symbol' | 'end';
  /** Names in lower case; variables without their `$`, timeframes without their `@`. */
  readonly text: string;
  readonly offset: number;
  readonly length: number;
}

/** What is wrong with a rule and where; offsets count UTF-16 units from the start of its text. */
export class RuleError extends Error {
  override readonly name = 'RuleError';
  readonly offset: number;
  readonly length: number;
  readonly hint: string | undefined;

  constructor(message: string, place: { offset: number; length: number }, hint?: string) {
    super(message);
    this.offset = place.offset;
    this.length = Math.max(1, place.length);
    this.hint = hint;
  }
}

/** Space, number, variable, timeframe, name or symbol, in this order of groups. Compiled once: a loop over
 * generations of genomes spends most of its checking here. */
const PATTERN =
  /(\s+)|((?:\d+\.?\d*|\.\d+)(?:[eE][+-]?\d+)?)|(\$[A-Za-z_][A-Za-z0-9_]*)|(@[0-9A-Za-z_]*)|([A-Za-z_][A-Za-z0-9_]*)|(<=|>=|==|[<>()[\],.+\-*/])/y;

export function tokenize(text: string): Token[] {
  const tokens: Token[] = [];
  let offset = 0;
  while (offset < text.length) {
    PATTERN.lastIndex = offset;
    const match = PATTERN.exec(text);
    if (match === null) throw unexpectedCharacter(text, offset);
    const [whole, , number, variable, timeframe, name, symbol] = match;
    const { length } = whole;
    if (number !== undefined) tokens.push({ kind: 'number', text: number, offset, length });
    else if (variable !== undefined) {
      tokens.push({ kind: 'variable', text: variable.slice(1), offset, length });
    } else if (timeframe !== undefined) {
      tokens.push({ kind: 'timeframe', text: timeframe.slice(1), offset, length });
    } else if (name !== undefined) {
      tokens.push({ kind: 'name', text: name.toLowerCase(), offset, length });
    } else if (symbol !== undefined) tokens.push({ kind: 'symbol', text: symbol, offset, length });
    offset += length;
  }
  tokens.push({ kind: 'end', text: '', offset: text.length, length: 1 });
  return tokens;
}

function unexpectedCharacter(text: string, offset: number): RuleError {
  const character = String.fromCodePoint(text.codePointAt(offset) ?? 0);
  const place = { offset, length: character.length };
  const instead: Record<string, string> = { '=': '==', '&': 'a second rule in the list' };
  const hint = instead[character];
  return new RuleError(
    `unexpected character "${character}"`,
    place,
    hint === undefined ? undefined : `write ${hint}`,
  );
}
