// The book of a job: it only grows, and merging two is their union.
import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { countTasks, type Interval, IntervalSet } from '../../../src/deque/interval-set.ts';
import { peerId } from '../../../src/stealing/ids.ts';
import type { RowBatch } from '../../../src/stealing/job.ts';
import { isFailedRow, Ledger } from '../../../src/stealing/ledger.ts';
import { batchOf, rowsOf, ROW_WIDTH } from './rig.ts';

const TASKS = 30;

const someBatch = fc
  .record({
    kind: fc.constantFrom<RowBatch['kind'][]>('rows', 'failures'),
    maker: fc.constantFrom('a', 'b', 'c'),
    tasks: fc.uniqueArray(fc.nat(TASKS - 1), { minLength: 1, maxLength: 12 }),
  })
  .map(({ kind, maker, tasks }): RowBatch => {
    const intervals = IntervalSet.from(tasks.map((task): Interval => [task, task + 1])).intervals();
    return kind === 'rows' ? batchOf(maker, ...intervals) : failureOf(maker, ...intervals);
  });

describe('Ledger', () => {
  it('is the same whatever the order of what is added, and adding again changes nothing', () => {
    fc.assert(
      fc.property(fc.array(someBatch, { maxLength: 8 }), fc.nat(), (batches, shift) => {
        const one = ledgerOf(batches);
        const cut = shift % Math.max(1, batches.length);
        const other = ledgerOf([...batches.slice(cut), ...batches.slice(0, cut).toReversed()]);
        for (const batch of batches) expect(other.add(batch).conflicts).toEqual([]);
        expect(contents(other)).toEqual(contents(one));
        expect(other.failedCount).toBe(one.failedCount);
        expect(other.present.intervals()).toEqual(one.present.intervals());
      }),
    );
  });

  it('is the same for rows that come thousands at once and for rows that come one by one', () => {
    // Around the borders of its blocks of 4,096.
    const interval = fc
      .tuple(fc.integer({ min: 4_000, max: 8_300 }), fc.integer({ min: 1, max: 4_200 }))
      .map(([start, count]): Interval => [start, Math.min(9_000, start + count)]);
    fc.assert(
      fc.property(fc.array(interval, { minLength: 1, maxLength: 4 }), (intervals) => {
        const whole = new Ledger(9_000, ROW_WIDTH);
        const single = new Ledger(9_000, ROW_WIDTH);
        for (const [start, end] of intervals) {
          whole.add(batchOf('a', [start, end]));
          for (let task = start; task < end; task++) single.add(batchOf('a', [task, task + 1]));
        }
        expect(contents(whole)).toEqual(contents(single));
        const [first] = whole.batchesOf(whole.present, 9_000);
        expect(first).toEqual(batchOf('a', ...whole.present.intervals()));
      }),
      { numRuns: 20 },
    );
  });

  it('merges with another by what `batchesOf` gives, into the union of both', () => {
    const side = fc.array(someBatch, { maxLength: 5 });
    fc.assert(
      fc.property(side, side, fc.integer({ min: 1, max: 7 }), (left, right, rowsMax) => {
        const one = ledgerOf(left);
        const other = ledgerOf(right);
        const both = ledgerOf([...left, ...right]);
        for (const batch of one.batchesOf(one.present, rowsMax)) {
          expect(countTasks(batch.intervals)).toBeLessThanOrEqual(rowsMax);
          other.add(batch);
        }
        expect(contents(other)).toEqual(contents(both));
        expect(other.failedCount).toBe(both.failedCount);
      }),
    );
  });

  it('knows exactly one maker of every task, whose row it has', () => {
    fc.assert(
      fc.property(fc.array(someBatch, { maxLength: 8 }), (batches) => {
        const ledger = ledgerOf(batches);
        const made = ledger.makers().flatMap(([, tasks]) => tasks.intervals());
        expect(countTasks(made)).toBe(ledger.present.count);
        expect(IntervalSet.from(made).intervals()).toEqual(ledger.present.intervals());
      }),
    );
  });

  it('keeps the first of two different rows and names the task', () => {
    const ledger = ledgerOf([batchOf('a', [0, 3])]);
    const { added, conflicts } = ledger.add({
      ...batchOf('b', [2, 4]),
      values: Float64Array.of(2, 2.5, 3, 3.1),
    });
    expect(conflicts).toEqual([2]);
    expect(added.intervals()).toEqual([[3, 4]]);
    expect(rowOf(ledger, 2)).toEqual([2, 2.1]);
    expect(ledger.madeBy(peerId('b')).intervals()).toEqual([[3, 4]]);
  });

  it('compares bit for bit, but takes every NaN for the same', () => {
    expect(conflictsOf(Number.NaN, otherNaN())).toEqual([]);
    expect(conflictsOf(0, -0)).toEqual([0]);
    expect(conflictsOf(0.1 + 0.2, 0.3)).toEqual([0]);
  });

  it('lets a row replace a failure, with its maker and disks, and never the other way round', () => {
    const ledger = ledgerOf([failureOf('a', [5, 6])]);
    ledger.markOnDisk(peerId('a'), [[5, 6]]);
    ledger.count([[5, 6]]);
    expect(ledger.failedCount).toBe(1);
    expect(ledger.add(batchOf('b', [5, 6])).added.intervals()).toEqual([[5, 6]]);
    expect(ledger.failedCount).toBe(0);
    expect(ledger.onDiskOf(peerId('a')).isEmpty).toBe(true);
    expect(ledger.madeBy(peerId('a')).isEmpty).toBe(true);
    expect(ledger.counted.isEmpty).toBe(true);
    expect(ledger.add(failureOf('a', [5, 6])).added.isEmpty).toBe(true);
    expect(rowOf(ledger, 5)).toEqual([5, 5.1]);
  });

  it('keeps a failure that is final', () => {
    const ledger = ledgerOf([failureOf('a', [5, 6])]);
    const { added, conflicts } = ledger.add(batchOf('b', [5, 6]), true);
    expect([added.isEmpty, conflicts]).toEqual([true, []]);
    expect(ledger.failedCount).toBe(1);
  });

  it.each([1, 2, 20])(
    'counts failures of rows %i wide, and forgets those that are replaced',
    (width) => {
      const ledger = new Ledger(2, width);
      const values = new Float64Array(2 * width).fill(Number.NaN);
      values[width - 1] = 90;
      values[2 * width - 1] = 90;
      ledger.add({ kind: 'failures', maker: peerId('a'), intervals: [[0, 2]], values });
      expect(ledger.failedCount).toBe(2);
      const good = rowsOf([[0, 1]], width);
      ledger.add({ kind: 'rows', maker: peerId('a'), intervals: [[0, 1]], values: good });
      expect(ledger.failedCount).toBe(1);
    },
  );

  it('counts a task once, and is complete when all are counted', () => {
    const ledger = ledgerOf([batchOf('a', [0, TASKS])]);
    expect(ledger.count([[0, 10]])).toBe(10);
    expect(ledger.count([[5, 12]])).toBe(2);
    expect(ledger.isComplete).toBe(false);
    expect(ledger.count([[0, TASKS]])).toBe(TASKS - 12);
    expect(ledger.isComplete).toBe(true);
  });

  it('keeps rows apart across blocks of its storage', () => {
    const ledger = new Ledger(10_000, ROW_WIDTH);
    ledger.add(batchOf('a', [4_090, 4_100], [8_190, 8_200]));
    expect([4_095, 4_096, 8_192].map((task) => rowOf(ledger, task)[0])).toEqual([
      4_095, 4_096, 8_192,
    ]);
  });
});

describe('isFailedRow', () => {
  it.each<[number[], boolean]>([
    [[Number.NaN, Number.NaN, 7], true],
    [[Number.NaN, 1, 7], false],
    [[Number.NaN, Number.NaN, Number.NaN], false],
    [[1, 2, 3], false],
    [[7], false],
  ])('%j: %s', (row, isFailed) => {
    expect(isFailedRow(Float64Array.from(row), 0, row.length)).toBe(isFailed);
  });
});

function ledgerOf(batches: readonly RowBatch[]): Ledger {
  const ledger = new Ledger(TASKS, ROW_WIDTH);
  for (const batch of batches) ledger.add(batch);
  return ledger;
}

function failureOf(maker: string, ...intervals: Interval[]): RowBatch {
  const values = new Float64Array(countTasks(intervals) * ROW_WIDTH).fill(Number.NaN);
  for (let i = ROW_WIDTH - 1; i < values.length; i += ROW_WIDTH) values[i] = 90;
  return { kind: 'failures', maker: peerId(maker), intervals, values };
}

/** What a ledger says to two rows of one task that differ in their first value, if they do. */
function conflictsOf(first: number, second: number): readonly number[] {
  const ledger = new Ledger(1, ROW_WIDTH);
  const batch = batchOf('a', [0, 1]);
  ledger.add({ ...batch, values: Float64Array.of(first, 0) });
  return ledger.add({ ...batch, values: Float64Array.of(second, 0) }).conflicts;
}

function rowOf(ledger: Ledger, task: number): number[] {
  const row = new Float64Array(ledger.rowWidth);
  ledger.readRow(task, row, 0);
  return [...row];
}

function contents(ledger: Ledger): Map<number, number[]> {
  const rows = new Map<number, number[]>();
  for (const [start, end] of ledger.present.intervals()) {
    for (let task = start; task < end; task++) rows.set(task, rowOf(ledger, task));
  }
  return rows;
}

/** A NaN with another payload than the canonical one. */
function otherNaN(): number {
  return new Float64Array(new BigUint64Array([0x7ff8_0000_0000_0001n]).buffer)[0] ?? 0;
}
