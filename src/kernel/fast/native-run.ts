// The native kernel's run behind the twin's interface: a plan's pointers go into the thread's scratch memory, the
// outcome comes out of it. The offsets are those at the top of src/kernel/simd/run.ts.
import type { Market } from '../engine/market.ts';
import { writeGrowth } from '../engine/metrics.ts';
import type { Outcome } from '../engine/reference.ts';
import type { BrokerSpec } from '../spec.ts';
import type { SharedGround } from './ground.ts';
import { DISTANCES, LIST_MAX, LISTS } from './native-plan.ts';
import type { FastPlan } from './plan.ts';
import type { Workbench } from './workbench.ts';

const DISTANCES_AT = 256;
const ROW = 320;
/** Places in the row's memory: the row's own, and what lies behind it. */
const FINAL_EQUITY = 0;
const MAX_DRAWDOWN = 7;
const TRADES = 13;
const FEES = 15;
const AMBIGUOUS_EXITS = 17;
const FORCED_EXITS = 18;
const COLUMNS = 20;
const HELD_BARS = 20;
const EXPOSED_BARS = 21;
const PEAK = 22;
const ROW_VALUES = 23;
const RETURNS = 41_472;
const SIZE_KINDS = { equity: 0, cash: 1, units: 2, risk: 3 } as const;

export class NativeRun {
  readonly #bench: Workbench;
  readonly #market: Market;
  readonly #broker: BrokerSpec;
  readonly #ground: SharedGround;
  readonly #bytes: number;
  readonly #counts = new Int32Array(LISTS);
  #at = -1;
  #pointers: Uint32Array = new Uint32Array(0);
  #distances: Float64Array = new Float64Array(0);
  #kinds: Uint32Array = new Uint32Array(0);
  #row: Float64Array = new Float64Array(0);
  #returns: Float64Array = new Float64Array(0);
  #profits: Float64Array = new Float64Array(0);

  constructor(bench: Workbench, market: Market, broker: BrokerSpec, ground: SharedGround) {
    this.#bench = bench;
    this.#market = market;
    this.#broker = broker;
    this.#ground = ground;
    // A reversal may end two trades in one bar.
    const trades = 2 * (market.end - market.first) + 2;
    this.#bytes = RETURNS + 8 * (market.dayCount + trades);
  }

  /** Undefined: the plan, or the machine's memory, is not for it. What it returns is valid until the next run. */
  run(plan: FastPlan): Outcome | undefined {
    return this.#runs(plan) ? this.#outcome() : undefined;
  }

  /** Runs the plan and writes its row at `offset`. False: it is not for it, and nothing is written. */
  writeRow(plan: FastPlan, rows: Float64Array, offset: number): boolean {
    if (!this.#runs(plan)) return false;
    const row = this.#row;
    for (let column = 0; column < COLUMNS; column++) rows[offset + column] = row[column] as number;
    writeGrowth(this.#market, this.#broker.cash, { rows, offset });
    return true;
  }

  /** False also when the money has left the range of finite numbers: that is for the reference to compute. */
  #runs(plan: FastPlan): boolean {
    const { native, size } = plan;
    if (native === undefined || !this.#isReady()) return false;
    let next = 0;
    for (let list = 0; list < LISTS; list++) this.#counts[list] = native[next++] as number;
    for (let distance = 0; distance < DISTANCES; distance++) {
      this.#kinds[4 * distance + 2] = native[next++] as number;
      this.#distances[2 * distance] = native[next++] as number;
    }
    for (let list = 0; list < LISTS; list++) {
      const end = LIST_MAX * list + (this.#counts[list] as number);
      for (let at = LIST_MAX * list; at < end; at++) this.#pointers[at] = native[next++] as number;
    }
    this.#bench.native.run(
      this.#counts[0] as number,
      this.#counts[1] as number,
      this.#counts[2] as number,
      this.#counts[3] as number,
      plan.firstDecision,
      plan.maxBars,
      plan.cooldown,
      plan.reverse,
      SIZE_KINDS[size.kind],
      size.value,
    );
    return Number.isFinite(this.#row[FINAL_EQUITY]) && Number.isFinite(this.#row[PEAK]);
  }

  #isReady(): boolean {
    const at = this.#bench.scratch(this.#bytes);
    if (at === undefined) return false;
    if (at !== this.#at) this.#place(at);
    if (this.#bench.user === this) return true;
    const { candles, touches, reach, blocksOfCloses, dayEnds } = this.#ground;
    this.#bench.native.setMarket(
      candles.open.byteOffset,
      candles.high.byteOffset,
      candles.low.byteOffset,
      candles.close.byteOffset,
      this.#market.first,
      this.#market.end,
      touches.byteOffset,
      reach,
      blocksOfCloses.byteOffset,
      dayEnds.bars.byteOffset,
      dayEnds.closes.byteOffset,
      this.#market.dayCount,
      this.#market.annualDays,
      candles.barCount,
    );
    const { cash, fee, slippage, lot, stopReference, sameBar } = this.#broker;
    const fromSignal = stopReference === 'signalClose';
    this.#bench.native.setBroker(cash, fee, slippage, lot, fromSignal, sameBar === 'targetFirst');
    this.#bench.user = this;
    return true;
  }

  #place(at: number): void {
    const { buffer } = this.#bench.columns.arena.memory;
    const { dayCount } = this.#market;
    this.#at = at;
    this.#pointers = new Uint32Array(buffer, at, 4 * LIST_MAX);
    this.#distances = new Float64Array(buffer, at + DISTANCES_AT, 8);
    this.#kinds = new Uint32Array(buffer, at + DISTANCES_AT, 16);
    this.#row = new Float64Array(buffer, at + ROW, ROW_VALUES);
    this.#returns = new Float64Array(buffer, at + RETURNS, dayCount).subarray(1);
    const start = RETURNS + 8 * dayCount;
    this.#profits = new Float64Array(buffer, at + start, (this.#bytes - start) / 8);
  }

  #outcome(): Outcome {
    const get = (at: number): number => this.#row[at] as number;
    return {
      finalEquity: get(FINAL_EQUITY),
      maxDrawdown: get(MAX_DRAWDOWN),
      dailyReturns: this.#returns,
      pnls: this.#profits.subarray(0, get(TRADES)),
      heldBars: get(HELD_BARS),
      exposedBars: get(EXPOSED_BARS),
      fees: get(FEES),
      ambiguousExits: get(AMBIGUOUS_EXITS),
      forcedExits: get(FORCED_EXITS),
    };
  }
}
