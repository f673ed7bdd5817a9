// The fast engine over one dataset: planners, caches and the simulation behind one door. It computes a task's
// outcome, or says that the task is not for it.

import type { Market } from '../engine/market.ts';
import type { Outcome } from '../engine/reference.ts';
import type { SeriesBook } from '../engine/series.ts';
import type { Trade } from '../job.ts';
import type { BrokerSpec } from '../spec.ts';
import type { Strategy } from '../strategy.ts';
import type { BitBook } from './bit-book.ts';
import { Planner } from './plan.ts';
import { Pyramid } from './pyramid.ts';
import { FastSimulation } from './simulate.ts';
import { supports } from './supports.ts';

export class FastEngine {
  readonly #broker: BrokerSpec;
  readonly #strategies: readonly Strategy[];
  readonly #market: Market;
  readonly #series: SeriesBook;
  readonly #bits: BitBook;
  /** By strategy; null: not for this engine; made when a strategy's first task comes. */
  readonly #planners: (Planner | null | undefined)[] = [];
  #simulation: FastSimulation | undefined;

  constructor(
    broker: BrokerSpec,
    strategies: readonly Strategy[],
    data: { readonly market: Market; readonly series: SeriesBook; readonly bits: BitBook },
  ) {
    this.#broker = broker;
    this.#strategies = strategies;
    this.#market = data.market;
    this.#series = data.series;
    this.#bits = data.bits;
  }

  /** Runs grid point `index` of the strategy at `block`; what it returns is valid until the next run. Undefined:
   * the reference engine has to run it. Throws a TaskFault when the grid point makes no task. */
  run(block: number, index: number, trades?: Trade[]): Outcome | undefined {
    const planner = this.#planner(block);
    if (planner === null) return undefined;
    const plan = planner.plan(index);
    const kept: Trade[] | undefined = trades && [];
    const outcome = this.#simulated().run(plan, kept);
    if (outcome !== undefined && kept !== undefined) trades?.push(...kept);
    return outcome;
  }

  #planner(block: number): Planner | null {
    const known = this.#planners[block];
    if (known !== undefined) return known;
    const strategy = this.#strategies[block];
    const books = { series: this.#series, bits: this.#bits, market: this.#market };
    const planner =
      strategy !== undefined && supports(strategy, this.#broker)
        ? new Planner(strategy, books)
        : null;
    this.#planners[block] = planner;
    return planner;
  }

  /** Made with the first task: its pyramids cost a pass over the candles. */
  #simulated(): FastSimulation {
    const { candles } = this.#market;
    return (this.#simulation ??= new FastSimulation(this.#market, this.#broker, {
      lowsAndHighs: new Pyramid(candles.low, candles.high),
      closes: new Pyramid(candles.close, candles.close),
    }));
  }
}
