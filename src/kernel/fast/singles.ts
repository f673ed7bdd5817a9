// Single-precision twins of series among the columns of the peer: they make the crosses of a grid, which asks for each
// series again and again, half as long. What they cannot tell, the series themselves do.
import type { Column, Columns } from './columns.ts';
import type { NativeKernel } from './native.ts';

/** Crosses of a series from which on it has a twin: making one costs as much as a cross by two of them saves. */
const USES = 2;

export class Singles {
  readonly #columns: Columns;
  readonly #native: NativeKernel;
  readonly #dataset: string;
  /** Only what was last used before makes room for twins, and they go before all that was used since: what the job itself
   * computes is worth more to it. */
  readonly #since: number;
  /** There was no room, or a twin had to go: then no more are made, as that costs more than it saves. */
  #isFull = false;
  readonly #made = new WeakSet<Float64Array>();
  readonly #uses = new WeakMap<Float64Array, number>();

  /** `dataset` names the candles' content. */
  constructor(columns: Columns, native: NativeKernel, dataset: string) {
    this.#columns = columns;
    this.#native = native;
    this.#dataset = dataset;
    this.#since = columns.epoch;
  }

  /** The twin's pointer, good until the next task; undefined: the series is not asked for often, or there is no room.
   * `key`: the series' text; `values`: of this memory. */
  of(key: string, values: Float64Array): number | undefined {
    const uses = (this.#uses.get(values) ?? 0) + 1;
    this.#uses.set(values, uses);
    if (uses < USES) return undefined;
    const name = `${this.#dataset}~${key}`;
    return (this.#columns.find(name) ?? this.#make(name, values))?.byteOffset;
  }

  #make(name: string, values: Float64Array): Column | undefined {
    this.#isFull ||= this.#made.has(values);
    if (this.#isFull) return undefined;
    // Whole words of bars, so that a vector never writes behind the column.
    const bytes = Math.ceil(values.length / 32) * 128;
    const column = this.#columns.reserve(name, bytes, this.#since);
    this.#isFull = column === undefined;
    if (column === undefined) return undefined;
    this.#made.add(values);
    this.#native.singlesOf(values.byteOffset, column.byteOffset, values.length);
    return this.#columns.publishSpare(name, column, this.#since);
  }
}
