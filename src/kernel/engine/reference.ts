// The reference engine: one pass over the bars, one position at a time, written to be read. Any faster engine
// must give the same row bit for bit. Each bar goes through the same five steps:
//
//   1. open    what was decided on the previous close fills at this open: the exit first, then the entry;
//   2. inside  the nearest stop and the target, live from the entry bar on; the open decides where it is already
//              beyond one, and where both lie within the bar the stop counts as first (an ambiguous exit); then
//              trailing and breakeven stops learn of this bar, for the next one;
//   3. close   equity is marked at the close; equity of zero or less closes the position and ends trading;
//   4. end     at the last bar an open position is closed at the close (a forced exit);
//   5. decide  the rules are read on this close, for the next open.
//
// With `fill: close` there is nothing to do at the open; the rules are read between 2 and 3 and what they call for
// fills at that same close, but for entries on the last bar.
//
// Money is kept as realised equity: cash at the start, plus profit and loss, minus fees as they are paid.

import type { Trade } from '../job.ts';
import type { BrokerSpec } from '../spec.ts';
import { type Entry, ExitLevels } from './levels.ts';
import type { Market } from './market.ts';
import type { Plan, SidePlan } from './plan.ts';

type ExitReason = Trade['exitReason'];

/** What the metrics are made of. */
export interface Outcome {
  readonly finalEquity: number;
  /** Largest fall from a peak of the equity at closes, as a fraction of the peak. */
  readonly maxDrawdown: number;
  /** Change of equity from each UTC day's last close to the next's. */
  readonly dailyReturns: Float64Array;
  /** Net of fees, in order of exit. */
  readonly pnls: ArrayLike<number>;
  /** Sum over trades of exitBar - entryBar. */
  readonly heldBars: number;
  /** Bars during which a position was open after the open's fills. */
  readonly exposedBars: number;
  readonly fees: number;
  readonly ambiguousExits: number;
  readonly forcedExits: number;
}

/** Runs one task. Appends its trades to `trades` if given. */
export function simulate(
  market: Market,
  broker: BrokerSpec,
  plan: Plan,
  trades?: Trade[],
): Outcome {
  const simulation = new Simulation(market, broker, plan, trades);
  for (let bar = market.first; bar < market.end; bar++) simulation.step(bar);
  return simulation.outcome();
}

class Simulation {
  readonly #market: Market;
  readonly #broker: BrokerSpec;
  readonly #plan: Plan;
  readonly #trades: Trade[] | undefined;

  #equity: number;
  #isRuined = false;

  /** 1 long, -1 short, 0 flat; the rest of the position counts only when not flat. */
  #side = 0;
  #quantity = 0;
  #entryBar = 0;
  #entryPrice = 0;
  #entryFee = 0;
  #levels: ExitLevels | undefined;
  #lastExitBar = -Infinity;

  /** Decided on the last close and not filled yet. */
  #pendingExit: 'signal' | 'maxBars' | undefined;
  #pendingSide = 0;

  #peak: number;
  #maxDrawdown = 0;
  #lastDayEquity = NaN;
  readonly #dailyReturns: Float64Array;
  #dayCount = 0;
  readonly #pnls: number[] = [];
  #heldBars = 0;
  #exposedBars = 0;
  #fees = 0;
  #ambiguousExits = 0;
  #forcedExits = 0;

  constructor(market: Market, broker: BrokerSpec, plan: Plan, trades: Trade[] | undefined) {
    this.#market = market;
    this.#broker = broker;
    this.#plan = plan;
    this.#trades = trades;
    this.#equity = broker.cash;
    this.#peak = broker.cash;
    this.#dailyReturns = new Float64Array(market.dayCount);
  }

  step(bar: number): void {
    if (this.#broker.fill === 'close') this.#stepWithCloseFills(bar);
    else this.#stepWithOpenFills(bar);
  }

  #stepWithOpenFills(bar: number): void {
    if (this.#side === 0 && this.#pendingSide === 0) {
      // Flat before and after the open: the equity is the last bar's, marked already.
      this.#sampleDay(bar, this.#equity);
    } else {
      this.#fill(bar, this.#market.candles.open[bar] as number, bar - 1);
      this.#liveThrough(bar);
      this.#forceOut(bar, bar === this.#market.end - 1);
      this.#mark(bar);
    }
    this.#decide(bar);
  }

  #stepWithCloseFills(bar: number): void {
    const isLast = bar === this.#market.end - 1;
    this.#liveThrough(bar);
    this.#forceOut(bar, false);
    this.#decide(bar);
    if (isLast) this.#pendingSide = 0;
    this.#fill(bar, this.#market.candles.close[bar] as number, bar);
    this.#forceOut(bar, isLast);
    this.#mark(bar);
  }

  outcome(): Outcome {
    return {
      finalEquity: this.#equity,
      maxDrawdown: this.#maxDrawdown,
      // The first day has no day before it.
      dailyReturns: this.#dailyReturns.subarray(1, this.#dayCount),
      pnls: this.#pnls,
      heldBars: this.#heldBars,
      exposedBars: this.#exposedBars,
      fees: this.#fees,
      ambiguousExits: this.#ambiguousExits,
      forcedExits: this.#forcedExits,
    };
  }

  #fill(bar: number, market: number, signalBar: number): void {
    const exit = this.#pendingExit;
    const side = this.#pendingSide;
    this.#pendingExit = undefined;
    this.#pendingSide = 0;
    if (exit !== undefined && this.#side !== 0) this.#exitAtMarket(bar, market, exit);
    if (side === 0 || this.#side !== 0) return;
    const price = market * (1 + side * this.#broker.slippage);
    const close = this.#market.candles.close[signalBar] as number;
    const reference = this.#broker.stopReference === 'fill' ? price : close;
    this.#enter(bar, { side, signalBar, price, reference });
  }

  #enter(bar: number, entry: Entry): void {
    const levels = ExitLevels.at(this.#plan, entry);
    if (levels === undefined) return;
    const { side, price } = entry;
    const quantity = this.#quantityAt(price, side * (price - levels.stop));
    if (!(quantity > 0)) return;
    this.#side = side;
    this.#quantity = quantity;
    this.#entryBar = bar;
    this.#entryPrice = price;
    this.#entryFee = quantity * price * this.#broker.fee;
    this.#levels = levels;
    this.#equity -= this.#entryFee;
    this.#fees += this.#entryFee;
  }

  /** What the equity can pay for with its fee, as whole lots; 0: no trade. A short is bound in the same way.
   * `lossPerUnit` is what the stop would cost. */
  #quantityAt(price: number, lossPerUnit: number): number {
    const { fee, lot } = this.#broker;
    const { kind, value } = this.#plan.size;
    const cost = price * (1 + fee);
    if (!(this.#equity > 0)) return 0;
    if (kind === 'units') {
      // 0.3 units are three lots of 0.1, although 0.3 / 0.1 is a hair below 3.
      const units = lot > 0 ? Math.floor(value / lot + 1e-9) * lot : value;
      return units * cost <= this.#equity ? units : 0;
    }
    let quantity: number;
    if (kind === 'risk') {
      // Beyond its stop already: there is nothing to size by.
      if (!(lossPerUnit > 0)) return 0;
      quantity = Math.min((this.#equity * value) / lossPerUnit, this.#equity / cost);
    } else {
      const spend = kind === 'equity' ? this.#equity * value : Math.min(value, this.#equity);
      quantity = spend / cost;
    }
    return lot > 0 ? Math.floor(quantity / lot) * lot : quantity;
  }

  /** The bar between its open and its close, for a position that is open. */
  #liveThrough(bar: number): void {
    const levels = this.#levels;
    if (this.#side === 0 || levels === undefined) return;
    this.#exposedBars++;
    this.#checkLevels(bar, levels);
    levels.follow(
      this.#market.candles.high[bar] as number,
      this.#market.candles.low[bar] as number,
    );
  }

  #checkLevels(bar: number, { stop, stopReason, target }: ExitLevels): void {
    const { candles } = this.#market;
    const open = candles.open[bar] as number;
    // Seen from the position: the worst and the best price of the bar. Comparisons with NaN (no level) fail.
    const isLong = this.#side === 1;
    const low = candles.low[bar] as number;
    const high = candles.high[bar] as number;
    const openAtStop = isLong ? open <= stop : open >= stop;
    const openAtTarget = isLong ? open >= target : open <= target;
    if (openAtStop) this.#exitAtMarket(bar, open, stopReason);
    else if (openAtTarget) this.#exit(bar, open, 'target');
    else {
      const touchesStop = isLong ? low <= stop : high >= stop;
      const touchesTarget = isLong ? high >= target : low <= target;
      const isAmbiguous = touchesStop && touchesTarget;
      if (isAmbiguous) this.#ambiguousExits++;
      const stopCounts = !isAmbiguous || this.#broker.sameBar === 'stopFirst';
      if (touchesStop && stopCounts) this.#exitAtMarket(bar, stop, stopReason);
      else if (touchesTarget) this.#exit(bar, target, 'target');
    }
  }

  /** Closes at the close what equity of zero or less, or the end of the range, does not let live. */
  #forceOut(bar: number, isLast: boolean): void {
    if (this.#side === 0) return;
    const close = this.#market.candles.close[bar] as number;
    this.#isRuined = this.#equityAt(close) <= 0;
    if (!isLast && !this.#isRuined) return;
    this.#forcedExits++;
    this.#exitAtMarket(bar, close, 'end');
  }

  #mark(bar: number): void {
    const equity = this.#equityAt(this.#market.candles.close[bar] as number);
    if (equity > this.#peak) this.#peak = equity;
    else {
      const drawdown = (this.#peak - equity) / this.#peak;
      if (drawdown > this.#maxDrawdown) this.#maxDrawdown = drawdown;
    }
    this.#sampleDay(bar, equity);
  }

  /** Realised equity and what an open position would add at this price. */
  #equityAt(price: number): number {
    if (this.#side === 0) return this.#equity;
    return this.#equity + this.#side * this.#quantity * (price - this.#entryPrice);
  }

  #sampleDay(bar: number, equity: number): void {
    if (this.#market.isDayEnd[bar] === 0 && bar !== this.#market.end - 1) return;
    const before = this.#lastDayEquity;
    this.#lastDayEquity = equity;
    this.#dailyReturns[this.#dayCount++] = before > 0 ? equity / before - 1 : 0;
  }

  #decide(bar: number): void {
    const { long, short, maxBars, reverse, cooldown, firstDecision } = this.#plan;
    if (bar < firstDecision || this.#isRuined) return;
    if (this.#side === 0) {
      if (bar - this.#lastExitBar >= cooldown) this.#pendingSide = this.#signalledSide(bar);
      return;
    }
    const own = this.#side === 1 ? long : short;
    if (own !== null && exits(own, bar)) this.#pendingExit = 'signal';
    if (reverse && this.#signalledSide(bar) === -this.#side) {
      this.#pendingExit = 'signal';
      this.#pendingSide = -this.#side;
    }
    const fillBar = this.#broker.fill === 'close' ? bar : bar + 1;
    if (this.#pendingExit === undefined && fillBar - this.#entryBar >= maxBars) {
      this.#pendingExit = 'maxBars';
    }
  }

  /** The side whose entry this close calls for. An entry whose own exit holds as well is none, and both sides
   * at once cancel out. */
  #signalledSide(bar: number): number {
    const { long, short } = this.#plan;
    const wantsLong = long !== null && allHold(long.enter, bar) && !exits(long, bar);
    const wantsShort = short !== null && allHold(short.enter, bar) && !exits(short, bar);
    if (wantsLong === wantsShort) return 0;
    return wantsLong ? 1 : -1;
  }

  /** A market or stop fill: slippage goes against us. */
  #exitAtMarket(bar: number, price: number, reason: ExitReason): void {
    this.#exit(bar, price * (1 - this.#side * this.#broker.slippage), reason);
  }

  #exit(bar: number, price: number, reason: ExitReason): void {
    const gain = this.#side * this.#quantity * (price - this.#entryPrice);
    const fee = this.#quantity * price * this.#broker.fee;
    const pnl = gain - this.#entryFee - fee;
    this.#equity += gain - fee;
    this.#fees += fee;
    this.#pnls.push(pnl);
    this.#heldBars += bar - this.#entryBar;
    this.#trades?.push({
      side: this.#side === 1 ? 'long' : 'short',
      entryBar: this.#entryBar,
      exitBar: bar,
      entryTimeMs: this.#market.candles.timeMs[this.#entryBar] as number,
      exitTimeMs: this.#market.candles.timeMs[bar] as number,
      size: this.#quantity,
      entryPrice: this.#entryPrice,
      exitPrice: price,
      pnl,
      exitReason: reason,
    });
    this.#side = 0;
    this.#lastExitBar = bar;
  }
}

function exits(side: SidePlan, bar: number): boolean {
  return side.exit.length > 0 && allHold(side.exit, bar);
}

function allHold(conditions: readonly Uint8Array[], bar: number): boolean {
  for (const holds of conditions) if (holds[bar] === 0) return false;
  return true;
}
