// Series of one dataset among the columns of the peer: found if any thread has computed them, computed by the native
// kernel where it knows the indicator, else copied from where they were computed.
import type { ComputedCall, Series, SeriesShelf } from '../engine/series.ts';
import type { Column, Columns } from './columns.ts';
import type { NativeKernel } from './native.ts';

interface Shelved {
  readonly column: Column;
  readonly series: readonly Series[];
}

export class ColumnShelf implements SeriesShelf {
  readonly #columns: Columns;
  readonly #native: NativeKernel;
  readonly #dataset: string;
  readonly #barCount: number;
  readonly #shelved = new Map<string, Shelved>();

  /** `dataset` names the candles' content: equal for equal bytes only. */
  constructor(columns: Columns, native: NativeKernel, dataset: string, barCount: number) {
    this.#columns = columns;
    this.#native = native;
    this.#dataset = dataset;
    this.#barCount = barCount;
  }

  get(key: string): readonly Series[] | undefined {
    const known = this.#shelved.get(key);
    if (known !== undefined) {
      if (this.#columns.isAlive(known.column)) return known.series;
      this.#shelved.delete(key);
    }
    const column = this.#columns.find(this.#keyOf(key));
    return column && this.#shelve(key, column);
  }

  /** What finds no room stays where it is. */
  keep(key: string, series: readonly Series[]): readonly Series[] {
    const start = series[0]?.start ?? 0;
    const column = this.#fill(key, series.length, start, (at) => {
      const all = this.#columns.float64(at);
      for (const [i, { values }] of series.entries()) all.set(values, i * this.#barCount);
    });
    return column === undefined ? series : this.#shelve(key, column);
  }

  compute(
    key: string,
    { name, parameters, source, start }: ComputedCall,
  ): readonly Series[] | undefined {
    const [period = 0] = parameters;
    const average = NATIVE[name];
    if (average === undefined || !this.#columns.owns(source.values)) return undefined;
    const column = this.#fill(key, 1, start, ({ byteOffset }) =>
      this.#native[average](
        source.values.byteOffset,
        byteOffset,
        this.#barCount,
        source.start,
        period,
      ),
    );
    return column && this.#shelve(key, column);
  }

  #fill(
    key: string,
    outputs: number,
    start: number,
    compute: (column: Column) => void,
  ): Column | undefined {
    const name = this.#keyOf(key);
    const column = this.#columns.reserve(name, outputs * this.#barCount * 8);
    if (column === undefined) return undefined;
    compute(column);
    return this.#columns.publish(name, column, start);
  }

  #shelve(key: string, column: Column): readonly Series[] {
    const all = this.#columns.float64(column);
    const series = Array.from({ length: all.length / this.#barCount }, (_, i) => ({
      values: all.subarray(i * this.#barCount, (i + 1) * this.#barCount),
      start: column.start,
    }));
    this.#shelved.set(key, { column, series });
    return series;
  }

  #keyOf(key: string): string {
    return `${this.#dataset}|${key}`;
  }
}

/** Indicators that the native kernel computes, by its own names. */
const NATIVE: Readonly<Record<string, 'sma' | 'ema' | 'rsi' | undefined>> = {
  sma: 'sma',
  volsma: 'sma',
  ema: 'ema',
  rsi: 'rsi',
};
