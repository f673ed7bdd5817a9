// What a rule means once its text is parsed: plain trees, shared by every task of a grid; `$variables` are
// still names in them. Printing a tree gives the canonical text by which series and conditions are cached.

export type Field = 'open' | 'high' | 'low' | 'close' | 'volume';
export const FIELDS: readonly Field[] = ['open', 'high', 'low', 'close', 'volume'];

export type Expression =
  | { readonly kind: 'number'; readonly value: number }
  | { readonly kind: 'variable'; readonly name: string }
  | { readonly kind: 'field'; readonly field: Field }
  | IndicatorCall
  /** `bars` earlier: `close[1]`. */
  | { readonly kind: 'offset'; readonly operand: Expression; readonly bars: number }
  | { readonly kind: 'negate'; readonly operand: Expression }
  /** On the bars of a longer timeframe that have closed: `ema(20)@1h`. */
  | { readonly kind: 'timeframe'; readonly operand: Expression; readonly timeframe: string }
  | {
      readonly kind: 'arithmetic';
      readonly op: ArithmeticOp;
      readonly left: Expression;
      readonly right: Expression;
    };

export interface IndicatorCall {
  readonly kind: 'indicator';
  readonly name: string;
  readonly output: string;
  /** What it is computed from; null where the indicator needs whole candles. */
  readonly source: Expression | null;
  readonly parameters: readonly Expression[];
}

export type ArithmeticOp = '+' | '-' | '*' | '/';
export type CompareOp = '<' | '<=' | '>' | '>=' | '==' | 'crosses above' | 'crosses below';

export interface Comparison {
  readonly kind: 'compare';
  readonly op: CompareOp;
  readonly left: Expression;
  readonly right: Expression;
}

export type Rule =
  | Comparison
  | { readonly kind: 'any' | 'all'; readonly rules: readonly Rule[] }
  | { readonly kind: 'not'; readonly rule: Rule };

/** True when the value is the same at every bar: only numbers and variables in it. */
export function isConstant(expression: Expression): boolean {
  switch (expression.kind) {
    case 'number':
    case 'variable':
      return true;
    case 'field':
    case 'indicator':
      return false;
    case 'offset':
    case 'negate':
    case 'timeframe':
      return isConstant(expression.operand);
    case 'arithmetic':
      return isConstant(expression.left) && isConstant(expression.right);
  }
}

/** The names of all variables in it, each once, in order of appearance. */
export function variablesOf(expression: Expression, into: Set<string> = new Set()): Set<string> {
  switch (expression.kind) {
    case 'variable':
      into.add(expression.name);
      break;
    case 'indicator':
      if (expression.source !== null) variablesOf(expression.source, into);
      for (const parameter of expression.parameters) variablesOf(parameter, into);
      break;
    case 'offset':
    case 'negate':
    case 'timeframe':
      variablesOf(expression.operand, into);
      break;
    case 'arithmetic':
      variablesOf(expression.left, into);
      variablesOf(expression.right, into);
      break;
    case 'number':
    case 'field':
      break;
  }
  return into;
}

export function variablesOfRule(rule: Rule, into: Set<string> = new Set()): Set<string> {
  switch (rule.kind) {
    case 'compare':
      variablesOf(rule.left, into);
      variablesOf(rule.right, into);
      break;
    case 'any':
    case 'all':
      for (const part of rule.rules) variablesOfRule(part, into);
      break;
    case 'not':
      variablesOfRule(rule.rule, into);
      break;
  }
  return into;
}

/** Value of a constant expression; `valueOf` gives a variable's. Series are NaN here: ask isConstant first. */
export function constantValue(
  expression: Expression,
  valueOf: (variable: string) => number,
): number {
  switch (expression.kind) {
    case 'number':
      return expression.value;
    case 'variable':
      return valueOf(expression.name);
    case 'negate':
      return -constantValue(expression.operand, valueOf);
    case 'offset':
    case 'timeframe':
      return constantValue(expression.operand, valueOf);
    case 'arithmetic':
      return calculate(
        expression.op,
        constantValue(expression.left, valueOf),
        constantValue(expression.right, valueOf),
      );
    case 'field':
    case 'indicator':
      return NaN;
  }
}

/** Every comparison with NaN is false. Crosses need two bars and are false here. */
export function compareValues(op: CompareOp, left: number, right: number): boolean {
  switch (op) {
    case '<':
      return left < right;
    case '<=':
      return left <= right;
    case '>':
      return left > right;
    case '>=':
      return left >= right;
    case '==':
      return left === right;
    case 'crosses above':
    case 'crosses below':
      return false;
  }
}

export function calculate(op: ArithmeticOp, left: number, right: number): number {
  switch (op) {
    case '+':
      return left + right;
    case '-':
      return left - right;
    case '*':
      return left * right;
    case '/':
      return left / right;
  }
}
