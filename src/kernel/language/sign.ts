// Which sign an expression surely has, whatever the candles: a stop at `-1 * atr(14)` parses, and would never let a trade
// begin.
import type { Expression } from './ast.ts';

/** `plus`: zero or above at every bar; `minus`: zero or below. */
type Sign = 'plus' | 'minus' | 'unknown';

/** Indicators that are never below zero, of positive prices. */
const NEVER_NEGATIVE: ReadonlySet<string> = new Set(
  [
    'sma ema wma kama highest lowest donchian vwap volsma',
    'atr natr trange stddev rsi adx plus_di minus_di stoch stochrsi mfi',
  ].flatMap((names) => names.split(' ')),
);

/** True: a distance like this one is no distance at any bar. */
export function isNeverPositive(expression: Expression): boolean {
  return signOf(expression) === 'minus';
}

function signOf(expression: Expression): Sign {
  switch (expression.kind) {
    case 'number':
      return expression.value < 0 ? 'minus' : 'plus';
    case 'variable':
      return 'unknown';
    case 'field':
      return 'plus';
    case 'indicator': {
      const isOfPrices = expression.source === null || signOf(expression.source) === 'plus';
      return isOfPrices && NEVER_NEGATIVE.has(expression.name) ? 'plus' : 'unknown';
    }
    case 'offset':
    case 'timeframe':
      return signOf(expression.operand);
    case 'negate':
      return opposite(signOf(expression.operand));
    case 'arithmetic': {
      const [left, right] = [signOf(expression.left), signOf(expression.right)];
      if (left === 'unknown' || right === 'unknown') return 'unknown';
      if (expression.op === '*' || expression.op === '/') return left === right ? 'plus' : 'minus';
      const added = expression.op === '+' ? right : opposite(right);
      return left === added ? left : 'unknown';
    }
  }
}

function opposite(sign: Sign): Sign {
  if (sign === 'unknown') return sign;
  return sign === 'plus' ? 'minus' : 'plus';
}
