// Text to tree, by recursive descent. What can be known without the data is refused here: unknown names,
// parameters that no indicator takes, too deep a nesting.
//
//   rule       = expression op expression
//   op         = "<" "<=" ">" ">=" "==" "crosses above" "crosses below"
//   expression = term { ("+" | "-") term }           term = factor { ("*" | "/") factor }
//   factor     = "-" factor | primary { "[" whole number "]" | "@" timeframe }
//   primary    = number | $name | field | "(" expression ")" | indicator
//   indicator  = name "(" [ expression { "," expression } ] ")" [ "." output ]

import { findIndicator } from '../indicators/catalog.ts';
import { MAX_OFFSET, MAX_RULE_DEPTH, MAX_RULE_LENGTH } from '../limits.ts';
import {
  type ArithmeticOp,
  type CompareOp,
  type Comparison,
  type Expression,
  isConstant,
  variablesOfRule,
} from './ast.ts';
import { FIELDS, type Field } from './ast.ts';
import { type Argument, buildCall, unknownName } from './call.ts';
import { nearest } from './suggest.ts';
import { canonicalTimeframe } from './timeframe.ts';
import { RuleError, type Token, tokenize } from './token.ts';

/** The variables that a rule may use; undefined: any. */
export type Scope = ReadonlySet<string> | undefined;

/** Texts that a strategy gives names to; a name in a rule stands for its text. */
export type NamedIndicators = ReadonlyMap<string, string>;

/** A rule such as `rsi(14) < $os`. Throws a RuleError. */
export function parseRule(text: string, scope?: Scope, named?: NamedIndicators): Comparison {
  const parser = new Parser(text, scope, named);
  const start = parser.peek();
  const left = parser.expression(0);
  const op = parser.compareOp();
  const right = parser.expression(0);
  parser.expectEnd();
  if (isConstant(left) && isConstant(right)) {
    throw new RuleError('the rule compares two constants: it has the same answer at every bar', {
      offset: start.offset,
      length: text.trim().length,
    });
  }
  return { kind: 'compare', op, left, right };
}

/** A condition on variables, such as `$fast < $slow`. Throws a RuleError. */
export function parseCondition(text: string, scope?: Scope): Comparison {
  const parser = new Parser(text, scope);
  const left = parser.expression(0);
  const op = parser.compareOp();
  const right = parser.expression(0);
  parser.expectEnd();
  const condition: Comparison = { kind: 'compare', op, left, right };
  const whole = { offset: 0, length: text.length };
  if (!isConstant(left) || !isConstant(right)) {
    throw new RuleError('here only numbers and $variables are possible', whole);
  }
  if (op === 'crosses above' || op === 'crosses below') {
    throw new RuleError('a number crosses nothing: compare with < <= > >= ==', whole);
  }
  if (variablesOfRule(condition).size === 0) {
    throw new RuleError('there is no $variable in this condition', whole);
  }
  return condition;
}

/** An expression alone, such as a distance `2 * atr(14)`. Throws a RuleError. */
export function parseExpression(text: string, scope?: Scope, named?: NamedIndicators): Expression {
  const parser = new Parser(text, scope, named);
  const expression = parser.expression(0);
  parser.expectEnd();
  return expression;
}

/** What a name stands for: an expression, or a call whose output the rules name. Throws a RuleError. */
export function parseNamed(text: string, scope?: Scope): Expression {
  try {
    return parseExpression(text, scope);
  } catch (error) {
    const outputs = findIndicator(/^\s*(\w+)/.exec(text)?.[1]?.toLowerCase() ?? '')?.outputs ?? [];
    if (outputs.length < 2) throw error;
    try {
      return parseExpression(`${text}.${outputs[0]}`, scope);
    } catch {
      throw error;
    }
  }
}

class Parser {
  readonly #tokens: readonly Token[];
  readonly #scope: Scope;
  readonly #names: NamedIndicators | undefined;
  #at = 0;

  constructor(text: string, scope: Scope, names?: NamedIndicators) {
    if (text.length > MAX_RULE_LENGTH) {
      throw new RuleError(
        `a rule has at most ${MAX_RULE_LENGTH} characters, this one has ${text.length}`,
        { offset: 0, length: 1 },
      );
    }
    this.#tokens = tokenize(text);
    this.#scope = scope;
    this.#names = names;
  }

  peek(): Token {
    return this.#tokens[this.#at] as Token;
  }

  compareOp(): CompareOp {
    const token = this.peek();
    if (token.kind === 'symbol') {
      switch (token.text) {
        case '<':
        case '<=':
        case '>':
        case '>=':
        case '==':
          this.#at++;
          return token.text;
      }
    }
    if (token.kind === 'name' && (token.text === 'crosses' || token.text === 'cross')) {
      this.#at++;
      const direction = this.peek();
      if (direction.text === 'above' || direction.text === 'below') {
        this.#at++;
        return `crosses ${direction.text}`;
      }
      throw new RuleError('after "crosses" comes "above" or "below"', direction);
    }
    const hint =
      token.kind === 'name' && nearest(token.text, ['crosses']) !== undefined
        ? 'did you mean "crosses above"?'
        : undefined;
    throw new RuleError(
      'expected a comparison: < <= > >= crosses above, crosses below',
      token,
      hint,
    );
  }

  expression(depth: number): Expression {
    let left = this.#term(depth + 1);
    for (let op = this.#symbolOf('+', '-'); op !== undefined; op = this.#symbolOf('+', '-')) {
      left = { kind: 'arithmetic', op, left, right: this.#term(depth + 1) };
    }
    return left;
  }

  expectEnd(): void {
    const token = this.peek();
    if (token.kind !== 'end') throw new RuleError('the rule should have ended here', token);
  }

  #term(depth: number): Expression {
    let left = this.#factor(depth);
    for (let op = this.#symbolOf('*', '/'); op !== undefined; op = this.#symbolOf('*', '/')) {
      left = { kind: 'arithmetic', op, left, right: this.#factor(depth) };
    }
    return left;
  }

  #factor(depth: number): Expression {
    if (depth > MAX_RULE_DEPTH) {
      throw new RuleError(`more than ${MAX_RULE_DEPTH} levels of nesting`, this.peek());
    }
    if (this.#symbolOf('-') !== undefined) {
      const operand = this.#factor(depth + 1);
      if (operand.kind === 'number') return { kind: 'number', value: -operand.value };
      return { kind: 'negate', operand };
    }
    let operand = this.#primary(depth + 1);
    for (;;) {
      const token = this.peek();
      if (token.kind === 'timeframe') {
        operand = this.#onTimeframe(operand, token);
        continue;
      }
      if (!this.#take('[')) return operand;
      const bars = this.peek();
      const count = Number(bars.text);
      if (bars.kind !== 'number' || !Number.isInteger(count) || count > MAX_OFFSET) {
        throw new RuleError(`an offset is a whole number of bars, 0 to ${MAX_OFFSET}`, bars);
      }
      this.#at++;
      this.#expect(']');
      if (isConstant(operand)) throw new RuleError('a constant has no earlier bar', bars);
      if (count > 0) operand = { kind: 'offset', operand, bars: count };
    }
  }

  #onTimeframe(operand: Expression, token: Token): Expression {
    this.#at++;
    const timeframe = canonicalTimeframe(token.text);
    if (timeframe === undefined) {
      throw new RuleError('after "@" comes a number and m, h, d or w, such as @1h', token);
    }
    if (isConstant(operand)) throw new RuleError('a constant has no timeframe', token);
    return { kind: 'timeframe', operand, timeframe };
  }

  #primary(depth: number): Expression {
    const token = this.peek();
    this.#at++;
    switch (token.kind) {
      case 'number': {
        const value = Number(token.text);
        if (!Number.isFinite(value)) throw new RuleError('the number is too large', token);
        return { kind: 'number', value };
      }
      case 'variable':
        this.#checkVariable(token);
        return { kind: 'variable', name: token.text };
      case 'name':
        return this.#named(token, depth);
      case 'symbol':
        if (token.text !== '(') break;
        return this.#parenthesised(depth);
      case 'timeframe':
        break;
      case 'end':
        throw new RuleError('the rule ends where a value is expected', token);
    }
    throw new RuleError(`expected a value before "${token.text}"`, token);
  }

  #parenthesised(depth: number): Expression {
    const inner = this.expression(depth);
    this.#expect(')');
    return inner;
  }

  #named(token: Token, depth: number): Expression {
    const field = FIELDS.find((name: Field) => name === token.text);
    const isCall = this.peek().text === '(';
    if (field !== undefined && !isCall) return { kind: 'field', field };
    if (!isCall) {
      const meaning = this.#names?.get(token.text);
      if (meaning === undefined) throw unknownName(token, this.#names?.keys());
      return this.#expand(token, meaning);
    }
    this.#at++;
    const args = this.#arguments(depth);
    let output: Token | undefined;
    if (this.#take('.')) {
      output = this.peek();
      if (output.kind !== 'name')
        throw new RuleError('after "." comes the name of an output', output);
      this.#at++;
    }
    return buildCall(token, args, output);
  }

  /** The text that a name stands for, parsed without names: they cannot run in circles. */
  #expand(name: Token, meaning: string): Expression {
    let text = meaning;
    if (this.#take('.')) {
      text = `${meaning}.${this.peek().text}`;
      this.#at++;
    }
    try {
      return parseExpression(text, this.#scope);
    } catch (error) {
      if (!(error instanceof RuleError)) throw error;
      throw new RuleError(`"${name.text}" is ${text}: ${error.message}`, name, error.hint);
    }
  }

  #arguments(depth: number): Argument[] {
    const args: Argument[] = [];
    if (this.#take(')')) return args;
    do {
      const first = this.peek();
      const expression = this.expression(depth);
      const last = this.#tokens[this.#at - 1] as Token;
      args.push({
        expression,
        offset: first.offset,
        length: last.offset + last.length - first.offset,
      });
    } while (this.#take(','));
    this.#expect(')');
    return args;
  }

  #checkVariable(token: Token): void {
    if (this.#scope === undefined || this.#scope.has(token.text)) return;
    const near = nearest(token.text, this.#scope);
    throw new RuleError(
      `unknown variable "$${token.text}"`,
      token,
      near === undefined ? 'variables are declared under "vars"' : `did you mean "$${near}"?`,
    );
  }

  #symbolOf<S extends ArithmeticOp>(...symbols: readonly S[]): S | undefined {
    const token = this.peek();
    const found = token.kind === 'symbol' ? symbols.find((s) => s === token.text) : undefined;
    if (found !== undefined) this.#at++;
    return found;
  }

  #take(symbol: string): boolean {
    const token = this.peek();
    if (token.kind !== 'symbol' || token.text !== symbol) return false;
    this.#at++;
    return true;
  }

  #expect(symbol: string): void {
    if (this.#take(symbol)) return;
    throw new RuleError(`expected "${symbol}"`, this.peek());
  }
}
