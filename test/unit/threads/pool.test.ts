// The pool with real threads: every task's row arrives, and what a dead thread had claimed comes back.
import { extname } from 'node:path';
import { afterEach, describe, expect, it, vi } from 'vitest';
import { countTasks, type Interval, IntervalSet } from '../../../src/deque/interval-set.ts';
import { encodeCandles } from '../../../src/kernel/candles.ts';
import { compileJob } from '../../../src/kernel/compile.ts';
import type { Candles } from '../../../src/kernel/job.ts';
import type { JobSpec, SpinSpec } from '../../../src/kernel/spec.ts';
import {
  type SlotDeath,
  SlotPool,
  type SlotPoolOptions,
  type SlotRows,
} from '../../../src/node/threads/pool.ts';
import type { SlotDataset } from '../../../src/node/threads/slot-messages.ts';
import { uglyCandles } from '../kernel/fast-fixture.ts';
import { specOf } from '../kernel/fixture.ts';
import { EATS_THE_HEAP, EXITS, NEVER_ENDS, THROWS } from './misdeeds.ts';

const JOB = 3;
const MISBEHAVING = new URL(`./misbehaving-slot${extname(import.meta.filename)}`, import.meta.url);

interface Bench {
  readonly pool: SlotPool;
  readonly rows: SlotRows[];
  readonly deaths: SlotDeath[];
  readonly dry: number[];
  readonly loadFailures: { jobNumber: number; reason: string }[];
}

const started: SlotPool[] = [];

afterEach(async () => {
  await Promise.all(started.splice(0).map((pool) => pool.close()));
});

describe('SlotPool', { timeout: 60_000 }, () => {
  it('brings the row of every task once, as a plain loop computes it', async () => {
    const spec = spin({ tasks: 3000, costMs: 0.01 });
    const bench = start({ slots: 2 }, spec);
    bench.pool.cursor.open({
      jobNumber: JOB,
      intervals: [
        [2000, 3000],
        [0, 1500],
      ],
      microBatchTasks: 64,
    });
    await until(() => countRows(bench) === 2500);
    const expected = new Map(
      rowsOf(spec, [
        [0, 1500],
        [2000, 3000],
      ]),
    );
    expect(deliveredRows(bench)).toEqual(expected);
    expect(countRows(bench)).toBe(expected.size);
    expect(bench.deaths).toEqual([]);
  });

  it('says dry once per slot and window', async () => {
    const bench = start({ slots: 2 }, spin({ tasks: 10, costMs: 0 }));
    await until(() => bench.dry.length === 2);
    for (let window = 0; window < 3; window++) {
      bench.pool.cursor.open({ jobNumber: JOB, intervals: [[0, 4]], microBatchTasks: 1 });
      await until(() => bench.dry.length === 4 + 2 * window);
    }
    expect(bench.dry.filter((slot) => slot === 0).length).toBe(4);
  });

  it('hands over a long claim in parts', async () => {
    const bench = start({ slots: 1 }, spin({ tasks: 16, costMs: 30 }));
    bench.pool.cursor.open({ jobNumber: JOB, intervals: [[0, 16]], microBatchTasks: 8 });
    await until(() => countRows(bench) === 16);
    expect(bench.rows.flatMap(({ intervals }) => tasksOf(intervals))).toEqual(tasksOf([[0, 16]]));
    // Claims are of 8, 4, 2, 1 and 1 tasks; the first takes 240 ms, so it comes in two messages at least.
    expect(bench.rows.length).toBeGreaterThanOrEqual(6);
    expect(countTasks(bench.rows[0]!.intervals)).toBeLessThan(4);
    // Deadlines are absolute: a part that came late makes the next one shorter, and the sum stays.
    const ofFirst = bench.rows.filter(({ intervals }) =>
      tasksOf(intervals).every((task) => task < 8),
    );
    const busyMs = ofFirst.reduce((sum, row) => sum + row.busyMs, 0);
    expect(busyMs).toBeGreaterThan(8 * 30 - 1);
  });

  it('ends a slot whose task takes longer than its job allows, and no other', async () => {
    const bench = start({ slots: 2, slotUrl: MISBEHAVING }, spin({ tasks: 1, costMs: 0 }), {
      taskTimeoutMs: 300,
    });
    const intervals: Interval[] = [
      [NEVER_ENDS, NEVER_ENDS + 1],
      [0, 49],
    ];
    bench.pool.cursor.open({ jobNumber: JOB, intervals, microBatchTasks: 1 });
    await until(() => bench.deaths.length === 1 && countRows(bench) === 49);
    expect(bench.deaths[0]).toMatchObject({
      intervals: [[NEVER_ENDS, NEVER_ENDS + 1]],
      reason: 'a task took longer than 300 ms',
    });
  });

  it('shows a throttled slot as slower in its busy time', async () => {
    const bench = start(
      { slots: 1, throttle: { share: 0.25, afterMs: 0 } },
      spin({ tasks: 3, costMs: 10 }),
    );
    bench.pool.cursor.open({ jobNumber: JOB, intervals: [[0, 3]], microBatchTasks: 1 });
    await until(() => countRows(bench) === 3);
    for (const { busyMs } of bench.rows) expect(busyMs).toBeGreaterThanOrEqual(39);
  });

  it('compiles jobs that are loaded while it runs, and drops a claim of an unloaded one', async () => {
    const bench = start({ slots: 1 }, spin({ tasks: 4, costMs: 1 }));
    const { pool } = bench;
    pool.cursor.open({ jobNumber: JOB, intervals: [[0, 4]], microBatchTasks: 1 });
    await until(() => countRows(bench) === 4);
    pool.unload(JOB);
    pool.cursor.open({ jobNumber: JOB, intervals: [[0, 1]], microBatchTasks: 1 });
    pool.load({
      jobNumber: JOB + 1,
      specBytes: encoded(spin({ tasks: 1, costMs: 0 })),
      datasets: [],
    });
    await until(() => pool.cursor.remaining() === 0);
    pool.cursor.open({ jobNumber: JOB + 1, intervals: [[0, 1]], microBatchTasks: 1 });
    await until(() => countRows(bench) === 5);
    expect(bench.rows.at(-1)!.jobNumber).toBe(JOB + 1);
    expect(bench.deaths).toEqual([]);
  });

  it('gives the claim of a killed thread back, minus the rows that arrived, and replaces the thread', async () => {
    const bench = start({ slots: 1, slotUrl: MISBEHAVING }, spin({ tasks: 1, costMs: 0 }));
    const stuck: Interval = [NEVER_ENDS, NEVER_ENDS + 1];
    const claimed: Interval[] = [[10_000, 15_000], stuck, [20_000, 20_050]];
    // The one slot claims half of what is left: more rows than fit a message, the task that never ends, and 50.
    bench.pool.cursor.open({
      jobNumber: JOB,
      intervals: [[10_000, 15_000], stuck, [20_000, 25_100]],
      microBatchTasks: 10_000,
    });
    await until(() => countRows(bench) > 0);
    await bench.pool.kill(0);
    await until(() => bench.deaths.length === 1);
    const [death] = bench.deaths;
    expect(death).toMatchObject({ slot: 0, jobNumber: JOB, reason: 'ended on purpose' });
    expect(death!.intervals).toContainEqual(stuck);

    // The replacement runs the rest of the window; what came back then goes into the next one.
    await until(() => bench.pool.cursor.remaining() === 0);
    const back = IntervalSet.from(death!.intervals).subtract([stuck]).intervals();
    expect(IntervalSet.from(claimed).intersect(back).intervals()).toEqual(back);
    bench.pool.cursor.open({ jobNumber: JOB, intervals: back, microBatchTasks: 64 });
    await until(() => deliveredRows(bench).size === 10_100);
    // Nothing ran twice: what came back had not been delivered, and nothing else came back.
    expect(countRows(bench)).toBe(10_100);
    for (const [task, row] of deliveredRows(bench)) expect(row).toEqual([task]);
    expect(bench.deaths.length).toBe(1);
  });

  it.each([
    ['throws', THROWS, 'this task cannot be computed'],
    ['exits', EXITS, 'the thread ended'],
    ['eats the heap', EATS_THE_HEAP, 'memory limit'],
  ])(
    'survives a task that %s: its claim comes back, all other rows arrive',
    async (_does, bad, why) => {
      const bench = start(
        { slots: 2, slotUrl: MISBEHAVING, heapMb: 24 },
        spin({ tasks: 2000, costMs: 0 }),
      );
      bench.pool.cursor.open({
        jobNumber: JOB,
        intervals: [
          [0, 100],
          [bad, bad + 1],
          [200, 300],
        ],
        microBatchTasks: 8,
      });
      const all = IntervalSet.from([
        [0, 100],
        [200, 300],
        [bad, bad + 1],
      ]);
      await until(() => bench.deaths.length > 0 && accountedFor(bench).count === all.count);
      expect(accountedFor(bench).intervals()).toEqual(all.intervals());
      expect(bench.deaths.length).toBe(1);
      expect(bench.deaths[0]!.reason).toContain(why);
      expect(IntervalSet.from(bench.deaths[0]!.intervals).has(bad)).toBe(true);
      // The thread that took its place works.
      bench.pool.cursor.open({ jobNumber: JOB, intervals: [[300, 400]], microBatchTasks: 1 });
      await until(() => accountedFor(bench).has(399));
    },
  );

  it('says why a job does not compile, and gives the claim back', async () => {
    const sha256 = '0'.repeat(64);
    const bench = start({ slots: 1 }, backtestOf(sha256));
    await until(() => bench.loadFailures.length > 0);
    expect(bench.loadFailures[0]).toEqual({
      jobNumber: JOB,
      reason: `dataset ${sha256} is missing`,
    });
    await until(() => bench.deaths.length > 0);
  });

  it('reports threads that cannot start, without a storm of new ones', async () => {
    const bench = start(
      { slots: 1, slotUrl: new URL('file:///no/such/slot.js') },
      spin({ tasks: 1 }),
    );
    await until(() => bench.deaths.length === 2);
    expect(bench.deaths[0]).toMatchObject({ jobNumber: undefined, intervals: [] });
    expect(bench.deaths[0]!.reason).toContain('/no/such/slot.js');
  });

  it('computes what is shared once for all slots, and finds it again in the next job', async () => {
    const candles = uglyCandles({ seed: 3, bars: 3000, stepHours: 1, tick: 0.5 });
    const spec = gridOf(40);
    const bench = start({ slots: 2, memoryBytes: 64 * 2 ** 20 }, spec, { candles });
    bench.pool.cursor.open({ jobNumber: JOB, intervals: [[0, 80]], microBatchTasks: 4 });
    await until(() => countRows(bench) === 80);
    expect(deliveredRows(bench)).toEqual(new Map(rowsOf(spec, [[0, 80]], candles)));
    const first = bench.pool.cacheCounts!;
    // Six columns of candles, their blocks, what these reach, and days, 40 series, and 40 + 1 conditions; two slots that start at the
    // same moment may both compute one.
    expect(first.fills).toBeGreaterThanOrEqual(91);
    expect(first.fills).toBeLessThan(120);
    bench.pool.load({
      jobNumber: JOB + 1,
      specBytes: encoded(spec),
      datasets: shared(candles),
    });
    bench.pool.cursor.open({ jobNumber: JOB + 1, intervals: [[0, 80]], microBatchTasks: 4 });
    await until(() => countRows(bench) === 160);
    const second = bench.pool.cacheCounts!;
    expect(second.fills - first.fills).toBeLessThan(10);
    expect(second.evictions).toBe(0);
  });

  it('gives the same rows from a memory that is far too small', async () => {
    const candles = uglyCandles({ seed: 4, bars: 9000, stepHours: 1, tick: 0.5 });
    const spec = gridOf(60);
    const bench = start({ slots: 2, memoryBytes: 2 ** 20 }, spec, { candles });
    bench.pool.cursor.open({ jobNumber: JOB, intervals: [[0, 120]], microBatchTasks: 4 });
    await until(() => countRows(bench) === 120);
    expect(deliveredRows(bench)).toEqual(new Map(rowsOf(spec, [[0, 120]], candles)));
  });

  it('goes on with the shared memory after a slot was killed in the middle of its work', async () => {
    const candles = uglyCandles({ seed: 5, bars: 20_000, stepHours: 1, tick: 0.5 });
    const spec = gridOf(300);
    const bench = start({ slots: 2, memoryBytes: 32 * 2 ** 20 }, spec, { candles });
    bench.pool.cursor.open({ jobNumber: JOB, intervals: [[0, 600]], microBatchTasks: 2 });
    for (const rows of [20, 120, 240]) {
      await until(() => countRows(bench) >= rows);
      await bench.pool.kill(rows % 3 === 0 ? 1 : 0);
    }
    await until(() => accountedFor(bench).count === 600);
    const rows = deliveredRows(bench);
    for (const [task, row] of rowsOf(spec, [[0, 600]], candles)) {
      if (rows.has(task)) expect(rows.get(task)).toEqual(row);
    }
    expect(rows.size).toBeGreaterThan(500);
  });

  it('closes in bounded time in the middle of a task that never ends', async () => {
    const bench = start({ slots: 2, slotUrl: MISBEHAVING }, spin({ tasks: 2000, costMs: 0 }));
    bench.pool.cursor.open({
      jobNumber: JOB,
      intervals: [[NEVER_ENDS, NEVER_ENDS + 1]],
      microBatchTasks: 1,
    });
    await until(() => bench.pool.cursor.remaining() === 0);
    await bench.pool.close();
    expect(bench.deaths).toEqual([]);
  }, 20_000);
});

function start(
  options: Pick<SlotPoolOptions, 'slots' | 'throttle' | 'slotUrl' | 'heapMb' | 'memoryBytes'>,
  spec: JobSpec,
  { candles, ...more }: { readonly candles?: Candles; readonly taskTimeoutMs?: number } = {},
): Bench {
  const rows: SlotRows[] = [];
  const deaths: SlotDeath[] = [];
  const dry: number[] = [];
  const loadFailures: { jobNumber: number; reason: string }[] = [];
  const pool = SlotPool.start({
    ...options,
    onRows: (delivery) => rows.push(delivery),
    onDry: (slot) => dry.push(slot),
    onSlotDied: (death) => deaths.push(death),
    onLoadFailed: (jobNumber, reason) => loadFailures.push({ jobNumber, reason }),
  });
  started.push(pool);
  pool.load({
    jobNumber: JOB,
    specBytes: encoded(spec),
    datasets: candles === undefined ? [] : shared(candles),
    ...more,
  });
  return { pool, rows, deaths, dry, loadFailures };
}

function until(condition: () => boolean): Promise<void> {
  return vi.waitFor(() => expect(condition()).toBe(true), { timeout: 20_000, interval: 5 });
}

function spin(some: Partial<SpinSpec>): SpinSpec {
  return { version: 1, kernel: 'spin', tasks: 1, costMs: 0, mode: 'sleep', seed: 1, ...some };
}

function backtestOf(sha256: string): JobSpec {
  return {
    version: 1,
    kernel: 'backtest',
    datasets: [{ sha256, symbol: null, fromMs: null, toMs: null }],
    broker: {
      cash: 1000,
      fee: 0,
      slippage: 0,
      lot: 0,
      fill: 'nextOpen',
      stopReference: 'fill',
      sameBar: 'stopFirst',
    },
    strategies: [],
    sample: null,
    rank: 'sharpe',
  };
}

const DATASET = '5'.repeat(64);

/** `periods` x 2 tasks. */
function gridOf(periods: number): JobSpec {
  const vars = [
    { name: 'n', from: 2, step: 1, count: periods },
    { name: 'sl', values: [0.02, 0.05] },
  ];
  const enter = ['close crosses above sma($n)', 'volume > 1'];
  const size = { kind: 'equity', value: '1' } as const;
  const spec = specOf(
    [{ vars, long: { enter, exit: [] }, stopLoss: '$sl', size }],
    {},
    {
      sha256: DATASET,
    },
  );
  return spec;
}

function shared(candles: Candles): SlotDataset[] {
  const bytes = encodeCandles(candles);
  const buffer = new SharedArrayBuffer(bytes.byteLength);
  new Uint8Array(buffer).set(bytes);
  return [{ sha256: DATASET, buffer }];
}

function encoded(spec: JobSpec): Uint8Array {
  return new TextEncoder().encode(JSON.stringify(spec));
}

function countRows(bench: Bench): number {
  return bench.rows.reduce((sum, { intervals }) => sum + countTasks(intervals), 0);
}

function deliveredRows(bench: Bench): Map<number, number[]> {
  const byTask = new Map<number, number[]>();
  for (const { intervals, values } of bench.rows) {
    const tasks = tasksOf(intervals);
    const width = values.length / tasks.length;
    for (const [i, task] of tasks.entries()) {
      byTask.set(task, [...values.subarray(i * width, (i + 1) * width)]);
    }
  }
  return byTask;
}

function rowsOf(
  spec: JobSpec,
  intervals: readonly Interval[],
  candles?: Candles,
): [number, number[]][] {
  const datasets = new Map(candles === undefined ? [] : [[DATASET, candles]]);
  const runner = compileJob(spec, datasets, { engine: 'reference' });
  return tasksOf(intervals).map((task) => {
    const row = new Float64Array(runner.columns.length);
    runner.run(task, row, 0);
    return [task, [...row]];
  });
}

/** Delivered or given back. */
function accountedFor(bench: Bench): IntervalSet {
  return IntervalSet.from([...bench.rows, ...bench.deaths].flatMap(({ intervals }) => intervals));
}

function tasksOf(intervals: readonly Interval[]): number[] {
  return intervals.flatMap(([start, end]) =>
    Array.from({ length: end - start }, (_, i) => start + i),
  );
}
