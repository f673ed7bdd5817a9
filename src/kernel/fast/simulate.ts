// The fast engine: the reference's run without the bars at which nothing happens. From a flat account it jumps to
// the next entry signal; from an entry to whatever comes first of the exit signal, the opposite signal, the
// age limit and a touched level. What lies between is equity at closes, of which only the days' last ones and
// the extremes count.
//
// Same bits as engine/reference.ts: every sum of money is formed by the same operations in the same order.

import type { Market } from '../engine/market.ts';
import type { Outcome } from '../engine/reference.ts';
import type { Trade } from '../job.ts';
import type { BrokerSpec } from '../spec.ts';
import { Days } from './days.ts';
import { Drawdown, type HeldPosition } from './drawdown.ts';
import { isDistance, levelOf, quantityAt, quantityByRisk } from './levels.ts';
import { MovingStop } from './moving-stop.ts';
import type { Ground } from './ground.ts';
import type { FastPlan } from './plan.ts';
import type { Pyramid } from './pyramid.ts';
import { Signals } from './signals.ts';

type ExitReason = Trade['exitReason'];

/** Before any bar, and a whole number: V8 keeps bars in integer registers only as long as nothing else is ever
 * mixed in. */
const LONG_AGO = -1_073_741_824;

/** Runs one task after another; what a run returns is valid until the next one. */
export class FastSimulation {
  readonly #market: Market;
  readonly #broker: BrokerSpec;
  readonly #touches: Pyramid;
  readonly #moving: MovingStop;
  /** Whether the open position has a stop that moves. */
  #isMoving = false;
  readonly #signals = new Signals();
  readonly #drawdown: Drawdown;
  readonly #days: Days;
  /** Last bar of the range: its close decides nothing more. */
  readonly #last: number;

  #trades: Trade[] | undefined;
  #equity = 0;
  #isRuined = false;
  #lastExitBar = LONG_AGO;

  /** Of the position that is open, or was last. */
  #side = 0;
  #quantity = 0;
  #entryBar = 0;
  #entryFee = 0;
  readonly #held: HeldPosition = { equity: 0, size: 0, entryPrice: 0, stop: NaN, target: NaN };

  #pnls: number[] = [];
  #heldBars = 0;
  #exposedBars = 0;
  #fees = 0;
  #ambiguousExits = 0;
  #forcedExits = 0;

  constructor(market: Market, broker: BrokerSpec, { lowsAndHighs, closes, dayEnds }: Ground) {
    this.#market = market;
    this.#broker = broker;
    this.#touches = lowsAndHighs;
    this.#moving = new MovingStop(market.candles, lowsAndHighs);
    this.#drawdown = new Drawdown(market.candles.close, closes);
    this.#days = new Days(dayEnds);
    this.#last = market.end - 1;
  }

  /** Appends the task's trades to `trades` if given. Undefined when the money has left the range of finite
   * numbers, in which rounding keeps the order of values: that is for the reference to compute. */
  run(plan: FastPlan, trades?: Trade[]): Outcome | undefined {
    this.#reset(plan, trades);
    let bar = plan.firstDecision;
    while (!this.#isRuined) {
      const side = this.#signals.nextEntry(bar);
      if (side === 0) break;
      bar = this.#trade(plan, this.#signals.bar + 1, side);
    }
    this.#days.sampleFlat(this.#market.end, this.#equity);
    const maxDrawdown = this.#drawdown.largest();
    if (!Number.isFinite(this.#equity) || !Number.isFinite(this.#drawdown.peak)) return undefined;
    return {
      finalEquity: this.#equity,
      maxDrawdown,
      dailyReturns: this.#days.returns,
      pnls: this.#pnls,
      heldBars: this.#heldBars,
      exposedBars: this.#exposedBars,
      fees: this.#fees,
      ambiguousExits: this.#ambiguousExits,
      forcedExits: this.#forcedExits,
    };
  }

  #reset(plan: FastPlan, trades: Trade[] | undefined): void {
    const { cash } = this.#broker;
    this.#trades = trades;
    this.#equity = cash;
    this.#isRuined = false;
    this.#lastExitBar = LONG_AGO;
    this.#signals.reset(plan, this.#last);
    this.#drawdown.reset(cash);
    this.#days.reset();
    this.#pnls = [];
    this.#heldBars = 0;
    this.#exposedBars = 0;
    this.#fees = 0;
    this.#ambiguousExits = 0;
    this.#forcedExits = 0;
  }

  /** From an entry to being flat again, through all reversals; returns the first bar whose close may decide on
   * the next entry. */
  #trade(plan: FastPlan, entryBar: number, side: number): number {
    let bar = entryBar;
    let wanted = side;
    while (wanted !== 0 && this.#enter(plan, bar, wanted)) {
      const held = this.#side;
      const turns = this.#ride(plan);
      bar = this.#lastExitBar;
      wanted = turns ? -held : 0;
    }
    this.#drawdown.mark(this.#equity);
    return Math.max(bar, this.#lastExitBar + plan.cooldown);
  }

  /** False, and nothing has happened, when there is nothing to buy with or no stop to buy with. */
  #enter(plan: FastPlan, bar: number, side: number): boolean {
    const { candles } = this.#market;
    const { fee, slippage, stopReference, lot } = this.#broker;
    const { stopLoss, takeProfit, trailingStop: trailing, breakeven, size } = plan;
    const signalBar = bar - 1;
    if (!isDistance(stopLoss, signalBar) || !isDistance(takeProfit, signalBar)) return false;
    if (!isDistance(trailing, signalBar) || !isDistance(breakeven, signalBar)) return false;
    const price = (candles.open[bar] as number) * (1 + side * slippage);
    const base = stopReference === 'fill' ? price : (candles.close[signalBar] as number);
    let stop = levelOf(stopLoss, signalBar, base, -side);
    this.#isMoving = trailing !== null || breakeven !== null;
    if (this.#isMoving) {
      this.#moving.reset({ side, signalBar, price, stop, trailing, breakeven });
      stop = this.#moving.stop;
    }
    const cost = price * (1 + fee);
    const quantity =
      size.kind === 'risk'
        ? quantityByRisk(
            { risk: size.value, lossPerUnit: side * (price - stop) },
            lot,
            this.#equity,
            cost,
          )
        : quantityAt(size, lot, this.#equity, cost);
    if (!(quantity > 0)) return false;
    this.#days.sampleFlat(bar, this.#equity);
    this.#side = side;
    this.#quantity = quantity;
    this.#entryBar = bar;
    this.#entryFee = quantity * price * fee;
    this.#equity -= this.#entryFee;
    this.#fees += this.#entryFee;
    this.#held.equity = this.#equity;
    this.#held.size = side * quantity;
    this.#held.entryPrice = price;
    this.#held.stop = stop;
    this.#held.target = levelOf(takeProfit, signalBar, base, side);
    return true;
  }

  /** From the entry to the exit; returns whether the position turns to the other side at the exit's open. */
  #ride({ reverse, maxBars, long, short }: FastPlan): boolean {
    const entry = this.#entryBar;
    const side = this.#side;
    const last = this.#last;
    const signal = this.#signals.nextExit(side, entry);
    const canTurn = reverse && long !== null && short !== null;
    const opposite = canTurn ? this.#signals.nextOpposite(side, entry) : last;
    // The close that decides on the exit; the last one decides nothing, it ends the trade itself.
    const decision = Math.min(signal, opposite, entry + maxBars - 1, last);
    const touch = this.#firstTouch(entry, decision);
    const exit = Math.min(touch, decision + 1, last);
    const ruin = this.#drawdown.markHeld(entry, exit - 1, this.#held);
    this.#days.sampleHeld(ruin === -1 ? exit : ruin, this.#held);
    if (ruin !== -1) {
      this.#isRuined = true;
      this.#exitAtLast(ruin);
    } else if (touch <= decision) {
      if (this.#isMoving) this.#exitAtLevel(touch, this.#moving.stop, this.#moving.reason);
      else this.#exitAtLevel(touch, this.#held.stop, 'stop');
    } else if (decision === last) this.#exitAtLast(last);
    else {
      const open = this.#market.candles.open[exit] as number;
      const isSignal = signal === decision || opposite === decision;
      this.#exitAtMarket(exit, open, isSignal ? 'signal' : 'maxBars');
      // Such an exit is the only one that leaves its bar without the position.
      this.#exposedBars--;
      return opposite === decision;
    }
    return false;
  }

  /** First bar in [from, to] that touches stop or target; a bar after `to` when there is none. */
  #firstTouch(from: number, to: number): number {
    const { stop, target } = this.#held;
    if (this.#isMoving) return this.#moving.firstTouch(from, to, target);
    // Comparisons with NaN are false: one missing level is no bound.
    if (Number.isNaN(stop) && Number.isNaN(target)) return to + 1;
    const isLong = this.#side === 1;
    return this.#touches.firstTouch(from, to, isLong ? stop : target, isLong ? target : stop);
  }

  #exitAtLevel(bar: number, stop: number, reason: ExitReason): void {
    const { candles } = this.#market;
    const { target } = this.#held;
    const open = candles.open[bar] as number;
    const low = candles.low[bar] as number;
    const high = candles.high[bar] as number;
    const isLong = this.#side === 1;
    if (isLong ? open <= stop : open >= stop) this.#exitAtMarket(bar, open, reason);
    else if (isLong ? open >= target : open <= target) this.#exit(bar, open, 'target');
    else {
      const touchesStop = isLong ? low <= stop : high >= stop;
      const touchesTarget = isLong ? high >= target : low <= target;
      const isAmbiguous = touchesStop && touchesTarget;
      if (isAmbiguous) this.#ambiguousExits++;
      const stopCounts = !isAmbiguous || this.#broker.sameBar === 'stopFirst';
      if (touchesStop && stopCounts) this.#exitAtMarket(bar, stop, reason);
      else this.#exit(bar, target, 'target');
    }
  }

  /** Closes at the close what equity of zero or less, or the end of the range, does not let live. */
  #exitAtLast(bar: number): void {
    this.#forcedExits++;
    this.#exitAtMarket(bar, this.#market.candles.close[bar] as number, 'end');
  }

  /** A market or stop fill: slippage goes against us. */
  #exitAtMarket(bar: number, price: number, reason: ExitReason): void {
    this.#exit(bar, price * (1 - this.#side * this.#broker.slippage), reason);
  }

  #exit(bar: number, price: number, reason: ExitReason): void {
    const { entryPrice, size } = this.#held;
    const gain = size * (price - entryPrice);
    const fee = this.#quantity * price * this.#broker.fee;
    const pnl = gain - this.#entryFee - fee;
    this.#equity += gain - fee;
    this.#fees += fee;
    this.#pnls.push(pnl);
    this.#heldBars += bar - this.#entryBar;
    this.#exposedBars += bar - this.#entryBar + 1;
    this.#lastExitBar = bar;
    if (this.#trades !== undefined) this.#keepTrade(this.#trades, { bar, price, pnl, reason });
  }

  #keepTrade(
    trades: Trade[],
    exit: { bar: number; price: number; pnl: number; reason: ExitReason },
  ): void {
    const { timeMs } = this.#market.candles;
    trades.push({
      side: this.#side === 1 ? 'long' : 'short',
      entryBar: this.#entryBar,
      exitBar: exit.bar,
      entryTimeMs: timeMs[this.#entryBar] as number,
      exitTimeMs: timeMs[exit.bar] as number,
      size: this.#quantity,
      entryPrice: this.#held.entryPrice,
      exitPrice: exit.price,
      pnl: exit.pnl,
      exitReason: exit.reason,
    });
  }
}
