// The cursor under real threads: slots claim as fast as they can while main shrinks and opens windows.
import { extname } from 'node:path';
import { Worker } from 'node:worker_threads';
import { expect, it } from 'vitest';
import { WindowCursor } from '../../../src/deque/cursor.ts';
import { type Interval, IntervalSet } from '../../../src/deque/interval-set.ts';
import type { ClaimingThreadData } from './claiming-thread.ts';

const SLOTS = 3;
const JOBS = 400;
const CLAIMS = 400;
const ENTRY = new URL(`./claiming-thread${extname(import.meta.filename)}`, import.meta.url);

it('gives every task to exactly one slot or thief while threads claim and main shrinks and re-opens', async () => {
  // The ids wrap on the way.
  const cursor = WindowCursor.create(SLOTS, 2 ** 16 - 100);
  const progress = new Int32Array(new SharedArrayBuffer(8));
  const threads = Array.from({ length: SLOTS }, (_, slot) =>
    startThread({ buffer: cursor.buffer, slot, progress }),
  );
  await Promise.all(threads.map(({ online }) => online));

  const random = generator(20_261_123);
  const found: [jobNumber: number, start: number, end: number][] = [];
  const offered = new Map<number, Interval[]>();
  // A busy machine may run main for long before it runs a thread: main goes on until both sides had their turns.
  for (let jobNumber = 0; jobNumber < JOBS || Atomics.load(progress, 1) < CLAIMS; jobNumber++) {
    const intervals = randomIntervals(random);
    offered.set(jobNumber, intervals);
    cursor.open({ jobNumber, intervals, microBatchTasks: 1 + random(8) });
    while (cursor.remaining() > 0) {
      for (const [start, end] of cursor.shrink(random(12))) found.push([jobNumber, start, end]);
      cursor.setMicroBatch(1 + random(8));
    }
  }
  Atomics.store(progress, 0, 1);
  cursor.wake();
  const perSlot = await Promise.all(threads.map(({ claimed }) => claimed));

  expect(perSlot.flat().length).toBeGreaterThanOrEqual(CLAIMS);
  expect(found.length).toBeGreaterThan(0);
  found.push(...perSlot.flat());
  const byJob = Map.groupBy(found, ([jobNumber]) => jobNumber);
  for (const [jobNumber, intervals] of offered) {
    const set = new IntervalSet();
    let total = 0;
    for (const [, start, end] of byJob.get(jobNumber) ?? []) total += set.add(start, end);
    const pieces = byJob.get(jobNumber) ?? [];
    expect(pieces.reduce((sum, [, start, end]) => sum + end - start, 0)).toBe(total);
    expect(set.intervals()).toEqual(IntervalSet.from(intervals).intervals());
  }
}, 30_000);

function startThread(workerData: ClaimingThreadData): {
  online: Promise<void>;
  claimed: Promise<[number, number, number][]>;
} {
  const worker = new Worker(ENTRY, { workerData });
  return {
    online: new Promise((resolve) => {
      worker.once('online', resolve);
    }),
    claimed: new Promise((resolve, reject) => {
      worker.once('message', resolve);
      worker.once('error', reject);
    }),
  };
}

function randomIntervals(random: (below: number) => number): Interval[] {
  let at = random(5);
  return Array.from({ length: 1 + random(40) }, (): Interval => {
    const start = at + random(3);
    at = start + 1 + random(30);
    return [start, at];
  });
}

/** A small linear congruential generator, so that a failure can be repeated as far as threads allow. */
function generator(seed: number): (below: number) => number {
  let state = seed;
  return (below) => {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0;
    return Math.floor((state / 2 ** 32) * below);
  };
}
