// Both crosses of two series by their single-precision twins: what the series themselves say, bar by bar.
import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { Arena, PAGE_BYTES } from '../../../src/kernel/fast/arena.ts';
import { type Column, Columns } from '../../../src/kernel/fast/columns.ts';
import { crossBothBits, wordCount } from '../../../src/kernel/fast/compare-bits.ts';
import { type NativeKernel, nativeKernel } from '../../../src/kernel/fast/native.ts';
import { Singles } from '../../../src/kernel/fast/singles.ts';

interface Ground {
  readonly arena: Arena;
  readonly columns: Columns;
  readonly native: NativeKernel;
}

function ground(): Ground {
  const arena = Arena.create(2 * 1024 * 1024);
  const columns = new Columns(arena);
  columns.beginTask();
  const native = nativeKernel(arena);
  if (native === undefined) throw new Error('this machine cannot run the native kernel');
  return { arena, columns, native };
}

/** Of several words, which lists of the usual size would not fill. Equal, next to each other in double precision only,
 * beyond what single precision holds, or just different. */
const pairs = fc.array(
  fc.oneof(
    fc.tuple(price(), price()),
    price().map((x): [number, number] => [x, x]),
    price().map((x): [number, number] => [x, x * (1 + Number.EPSILON)]),
    price().map((x): [number, number] => [x, x * (1 - 1e-9)]),
    fc.constantFrom<[number, number]>([0, -0], [5e-324, 0], [1e300, 2e300], [-1e300, 1e-300]),
  ),
  { minLength: 1, maxLength: 200, size: 'max' },
);

function price(): fc.Arbitrary<number> {
  return fc.double({ min: 0.01, max: 100_000, noNaN: true });
}

describe('crosses by single-precision twins', () => {
  it('are those of the series, where they are equal or differ by one bit, too', () => {
    fc.assert(
      fc.property(pairs, fc.nat(), (bars, cut) => {
        const on = ground();
        const from = cut % bars.length;
        const [left, right] = [0, 1].map((side) =>
          placed(
            on,
            `series ${side}`,
            bars.map((pair) => pair[side] as number),
          ),
        ) as [Float64Array, Float64Array];
        const bits = (singles: readonly [number, number] | undefined): string[] => {
          const [above, below] = ['above', 'below'].map((key) => {
            const words = wordCount(bars.length);
            return on.columns.int32(reserved(on, `${key} ${singles?.join()}`, words * 4));
          }) as [Int32Array, Int32Array];
          const range = { from, barCount: bars.length };
          crossBothBits({ above, below }, { left, right, singles }, range, on);
          return [above, below].map((words) => textOf(words, from + 1, bars.length));
        };
        const twins = [twinOf(on, 'x', left), twinOf(on, 'y', right)] as const;
        const isAbove = (bar: number): boolean => (left[bar] ?? 0) > (right[bar] ?? 0);
        const isBelow = (bar: number): boolean => (left[bar] ?? 0) < (right[bar] ?? 0);
        const byBar = [isAbove, isBelow].map((holds) => {
          const crosses = (bar: number): boolean => holds(bar) && !holds(bar - 1);
          return bars
            .map((_, bar) => Number(bar > from && crosses(bar)))
            .join('')
            .slice(from + 1);
        });
        expect(bits(twins)).toEqual(byBar);
        expect(bits(undefined)).toEqual(byBar);
      }),
      { numRuns: 300 },
    );
  });

  it('have twins of those series only that are asked for again', () => {
    const on = ground();
    const { arena, columns, native } = on;
    const singles = new Singles(columns, native, 'd');
    const values = placed(on, 'x', [1, 2, 3]);
    expect(singles.of('x', values)).toBeUndefined();
    const twin = singles.of('x', values);
    expect([...new Float32Array(arena.memory.buffer, twin ?? -1, 3)]).toEqual([1, 2, 3]);
    expect(singles.of('x', values)).toBe(twin);
    expect(new Singles(columns, native, 'another').of('x', values)).toBeUndefined();
  });

  it('have twins no more once one of them had to make room', () => {
    const on = ground();
    const { columns, native, arena } = on;
    columns.beginTask();
    const singles = new Singles(columns, native, 'd');
    const [x, y] = [placed(on, 'x', [1, 2, 3]), placed(on, 'y', [1, 2, 3])];
    singles.of('x', x);
    expect(singles.of('x', x)).toBeDefined();
    columns.rest();
    columns.beginTask();
    reserved(on, 'all of it', (arena.pageCount - 1) * PAGE_BYTES - 512);
    for (const [name, values] of [
      ['x', x],
      ['y', y],
    ] as const) {
      for (let use = 0; use < 3; use++) expect(singles.of(name, values)).toBeUndefined();
    }
  });
});

function reserved({ columns }: Ground, key: string, bytes: number): Column {
  const column = columns.reserve(key, bytes);
  if (column === undefined) throw new Error('no room');
  return columns.publish(key, column, 0);
}

function placed(on: Ground, key: string, values: readonly number[]): Float64Array {
  const column = reserved(on, key, Math.ceil(values.length / 32) * 256);
  on.columns.float64(column).set(values);
  return on.columns.float64(column).subarray(0, values.length);
}

function twinOf({ columns, native }: Ground, key: string, values: Float64Array): number {
  const singles = new Singles(columns, native, 'd');
  singles.of(key, values);
  const twin = singles.of(key, values);
  if (twin === undefined) throw new Error('no room');
  return twin;
}

function textOf(words: Int32Array, from: number, until: number): string {
  let text = '';
  for (let bar = from; bar < until; bar++) {
    text += ((words[bar >>> 5] ?? 0) >>> (bar & 31)) & 1;
  }
  return text;
}
