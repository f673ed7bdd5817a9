// The fast engine over one dataset: planners, caches and the run behind one door. It computes a task's outcome, or says
// that the task is not for it. With a workbench it works in the memory that all slots share, by the native kernel;
// without one, or where that memory has no room, by its TypeScript twin.

import type { Market } from '../engine/market.ts';
import type { Outcome } from '../engine/reference.ts';
import { SeriesBook } from '../engine/series.ts';
import type { Trade } from '../job.ts';
import type { BrokerSpec } from '../spec.ts';
import type { Strategy } from '../strategy.ts';
import { BitBook } from './bit-book.ts';
import { type Ground, type SharedGround, ownGround, sharedGround } from './ground.ts';
import { NativeRun } from './native-run.ts';
import { Planner } from './plan.ts';
import { ColumnShelf } from './shelf.ts';
import { FastSimulation } from './simulate.ts';
import { supports } from './supports.ts';
import type { Workbench } from './workbench.ts';

export interface FastEngineOptions {
  readonly market: Market;
  /** Names the candles' content: equal for equal bytes only. */
  readonly dataset: string;
  readonly workbench: Workbench | undefined;
  /** For what is not in shared memory. */
  readonly budgetBytes: number;
}

/** All that depends on where the candles lie. */
interface Setting {
  readonly ground: Ground;
  readonly shared: SharedGround | undefined;
  readonly market: Market;
  readonly books: ConstructorParameters<typeof Planner>[1];
  /** By strategy; null: not for this engine; made when a strategy's first task comes. */
  readonly planners: (Planner | null | undefined)[];
  readonly native: NativeRun | undefined;
  twin: FastSimulation | undefined;
}

export class FastEngine {
  readonly #broker: BrokerSpec;
  readonly #strategies: readonly Strategy[];
  readonly #options: FastEngineOptions;
  #setting: Setting | undefined;
  #epoch = -1;

  constructor(broker: BrokerSpec, strategies: readonly Strategy[], options: FastEngineOptions) {
    this.#broker = broker;
    this.#strategies = strategies;
    this.#options = options;
  }

  /** Runs grid point `index` of the strategy at `block` on the native kernel and writes its row at `offset`. False: that
   * is for `run`, and nothing is written. Throws a TaskFault when the grid point makes no task. */
  writeRow(block: number, index: number, rows: Float64Array, offset: number): boolean {
    const setting = this.#current();
    if (setting.native === undefined) return false;
    const planner = this.#planner(setting, block);
    return planner !== null && setting.native.writeRow(planner.plan(index), rows, offset);
  }

  /** Runs grid point `index` of the strategy at `block`; what it returns is valid until the next run. Undefined:
   * the reference engine has to run it. Throws a TaskFault when the grid point makes no task. */
  run(block: number, index: number, trades?: Trade[]): Outcome | undefined {
    const setting = this.#current();
    const planner = this.#planner(setting, block);
    if (planner === null) return undefined;
    const plan = planner.plan(index);
    if (trades === undefined) {
      const outcome = setting.native?.run(plan);
      if (outcome !== undefined) return outcome;
    }
    const kept: Trade[] | undefined = trades && [];
    setting.twin ??= new FastSimulation(setting.market, this.#broker, setting.ground);
    const outcome = setting.twin.run(plan, kept);
    if (outcome !== undefined && kept !== undefined) trades?.push(...kept);
    return outcome;
  }

  #planner({ planners, books }: Setting, block: number): Planner | null {
    const known = planners[block];
    if (known !== undefined) return known;
    const strategy = this.#strategies[block];
    const planner =
      strategy !== undefined && supports(strategy, this.#broker)
        ? new Planner(strategy, books)
        : null;
    planners[block] = planner;
    return planner;
  }

  /** The setting, made anew where what it stands on had to make room. */
  #current(): Setting {
    const columns = this.#options.workbench?.columns;
    columns?.beginTask();
    const setting = this.#setting;
    if (setting !== undefined && columns?.epoch === this.#epoch) return setting;
    this.#epoch = columns?.epoch ?? -1;
    const isAlive = setting?.shared?.columns.every((column) => columns?.isAlive(column)) ?? true;
    if (setting !== undefined && isAlive) return setting;
    return (this.#setting = this.#settle());
  }

  #settle(): Setting {
    const { workbench, dataset, budgetBytes } = this.#options;
    const parts = workbench && { columns: workbench.columns, native: workbench.native, dataset };
    const shared = parts && sharedGround(this.#options.market, parts);
    const ground = shared ?? ownGround(this.#options.market);
    const market = { ...this.#options.market, candles: ground.candles };
    const { barCount } = market.candles;
    const inMemory = shared === undefined ? undefined : parts;
    const shelf = inMemory && new ColumnShelf(inMemory.columns, inMemory.native, dataset, barCount);
    const series = new SeriesBook(market.candles, budgetBytes * 0.75, shelf);
    const bits = new BitBook(series, barCount, budgetBytes * 0.25, inMemory);
    return {
      ground,
      shared,
      market,
      books: { series, bits, market, columns: inMemory?.columns },
      planners: [],
      native: workbench && shared && new NativeRun(workbench, market, this.#broker, shared),
      twin: undefined,
    };
  }
}
