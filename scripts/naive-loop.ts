// A backtest as anybody would write it first: for each bar, look at the rules, the stop and the target. The
// measure beside which scripts/bench-kernel.ts sets the engine, on the same machine in the same run. It knows
// long trades with stop and target only, and is given its indicators ready computed.
import type { Candles } from '../src/kernel/job.ts';
import type { BrokerSpec } from '../src/kernel/spec.ts';

export interface NaiveRule {
  readonly left: Float64Array;
  readonly op: '<' | '>';
  readonly right: Float64Array | number;
}

export interface NaiveStrategy {
  readonly enter: readonly NaiveRule[];
  /** First bar that may decide. */
  readonly start: number;
  readonly stopLoss: number;
  readonly takeProfit: number;
}

export interface NaiveResult {
  readonly trades: number;
  readonly finalEquity: number;
}

export function naiveBacktest(
  candles: Candles,
  broker: Pick<BrokerSpec, 'cash' | 'fee' | 'slippage'>,
  { enter, start, stopLoss, takeProfit }: NaiveStrategy,
): NaiveResult {
  const { open, high, low, close, barCount } = candles;
  const { cash, fee, slippage } = broker;
  let equity = cash;
  let trades = 0;
  let quantity = 0;
  let entry = 0;
  let wanted = false;
  const sell = (price: number): void => {
    equity += quantity * (price - entry) - quantity * price * fee;
    trades++;
    quantity = 0;
  };
  for (let bar = start; bar < barCount; bar++) {
    const first = open[bar] as number;
    if (wanted) {
      wanted = false;
      entry = first * (1 + slippage);
      quantity = equity / (entry * (1 + fee));
      equity -= quantity * entry * fee;
    }
    if (quantity > 0) {
      const stop = entry * (1 - stopLoss);
      const target = entry * (1 + takeProfit);
      if (first <= stop) sell(first * (1 - slippage));
      else if (first >= target) sell(first);
      else if ((low[bar] as number) <= stop) sell(stop * (1 - slippage));
      else if ((high[bar] as number) >= target) sell(target);
      else if (bar === barCount - 1) sell((close[bar] as number) * (1 - slippage));
    }
    if (quantity === 0) wanted = enter.every((rule) => holds(rule, bar));
  }
  return { trades, finalEquity: equity };
}

function holds({ left, op, right }: NaiveRule, bar: number): boolean {
  const a = left[bar] as number;
  const b = typeof right === 'number' ? right : (right[bar] as number);
  return op === '<' ? a < b : a > b;
}
