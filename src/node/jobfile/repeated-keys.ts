// Keys of a JSON text that would count nowhere. Of those that an object has twice JSON.parse keeps the last and says
// nothing; `__proto__` is passed over by readers that keep to themselves what objects inherit. Runs behind nesting.ts, on
// text that is sound JSON of bounded depth.

export interface RepeatedKey {
  readonly key: string;
  /** Offsets of the opening quotes; undefined: the key may not stand there even once. */
  readonly first: number | undefined;
  readonly again: number;
}

/** Problems of one file that are worth listing. */
const FOUND_MAX = 50;

export function repeatedKeys(text: string): RepeatedKey[] {
  const found: RepeatedKey[] = [];
  // Keys of the objects around the place, with their offsets; undefined for a list.
  const around: (Map<string, number> | undefined)[] = [];
  let isKeyNext = false;
  for (let at = 0; at < text.length && found.length < FOUND_MAX; at++) {
    switch (text.charCodeAt(at)) {
      case OPEN_BRACE:
        around.push(new Map());
        isKeyNext = true;
        break;
      case OPEN_BRACKET:
        around.push(undefined);
        isKeyNext = false;
        break;
      case CLOSE_BRACE:
      case CLOSE_BRACKET:
        around.pop();
        isKeyNext = false;
        break;
      case COMMA:
        isKeyNext = around.at(-1) !== undefined;
        break;
      case QUOTE: {
        const end = closingQuote(text, at);
        const keys = around.at(-1);
        if (isKeyNext && keys !== undefined) {
          const key = keyOf(text.slice(at, end + 1));
          const first = keys.get(key);
          if (first === undefined) keys.set(key, at);
          if (first === undefined && key === '__proto__') found.push({ key, first, again: at });
          if (first !== undefined) found.push({ key, first, again: at });
        }
        isKeyNext = false;
        at = end;
        break;
      }
      default:
    }
  }
  return found;
}

/** An escape may hide that two keys are the same. */
function keyOf(quoted: string): string {
  return quoted.includes('\\') ? (JSON.parse(quoted) as string) : quoted.slice(1, -1);
}

function closingQuote(text: string, opening: number): number {
  let at = opening + 1;
  while (at < text.length && text.charCodeAt(at) !== QUOTE) {
    at += text.charCodeAt(at) === BACKSLASH ? 2 : 1;
  }
  return at;
}

const QUOTE = 0x22;
const COMMA = 0x2c;
const BACKSLASH = 0x5c;
const OPEN_BRACE = 0x7b;
const CLOSE_BRACE = 0x7d;
const OPEN_BRACKET = 0x5b;
const CLOSE_BRACKET = 0x5d;
