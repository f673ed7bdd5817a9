// Single-precision twins of series among the columns of the peer: they make the crosses of a grid, which asks for each
// series again and again, half as long. What they cannot tell, the series themselves do.
import { type Column, type Columns, SPARE } from './columns.ts';
import type { NativeKernel } from './native.ts';

/** Crosses of a series from which on it has a twin: making one costs as much as a cross by two of them saves. */
const USES = 2;
/** Part of the memory that twins leave free. More: the later rows of a grid that fills the memory go without; less: what
 * else that grid computes has to make twins go sooner, and looks at every column for it. */
const FREE_PART = 1 / 16;

export class Singles {
  readonly #columns: Columns;
  readonly #native: NativeKernel;
  readonly #dataset: string;
  /** There was no room once; then none is looked for any more, as that costs as much as a cross. */
  #isFull = false;
  readonly #uses = new WeakMap<Float64Array, number>();

  /** `dataset` names the candles' content. */
  constructor(columns: Columns, native: NativeKernel, dataset: string) {
    this.#columns = columns;
    this.#native = native;
    this.#dataset = dataset;
  }

  /** The twin's pointer, good until the next task; undefined: the series is not asked for often, or there is no room.
   * `key`: the series' text; `values`: of this memory. */
  of(key: string, values: Float64Array): number | undefined {
    const uses = (this.#uses.get(values) ?? 0) + 1;
    this.#uses.set(values, uses);
    if (uses < USES) return undefined;
    const name = `${this.#dataset}~${key}`;
    return (this.#columns.find(name) ?? this.#made(name, values))?.byteOffset;
  }

  #made(name: string, values: Float64Array): Column | undefined {
    this.#isFull ||= this.#columns.arena.freePart() < FREE_PART;
    if (this.#isFull) return undefined;
    // Whole words of bars, so that a vector never writes behind the column.
    const column = this.#columns.reserve(name, Math.ceil(values.length / 32) * 128);
    if (column === undefined) return undefined;
    this.#native.singlesOf(values.byteOffset, column.byteOffset, values.length);
    return this.#columns.publish(name, column, SPARE);
  }
}
