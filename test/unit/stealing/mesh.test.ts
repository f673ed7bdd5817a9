// A few cores wired together: what must hold for a whole job whatever the messages and disks do to its timing.
import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { StealingCore } from '../../../src/stealing/core.ts';
import { jobId } from '../../../src/stealing/ids.ts';
import type { Message } from '../../../src/stealing/messages.ts';
import { WorkModel } from '../../../src/stealing/work.ts';
import { equalWork, header } from './rig.ts';
import { TinyMesh } from './tiny-mesh.ts';

const J = jobId('j');
/** Long enough for a dozen heartbeats before the job comes, so that everybody knows everybody. */
const SETTLED_MS = 1_000;

/** b is late with its last task; a is idle and fast, gets a copy, and is at it when b ends the job. */
const LATE_ON_A_SLOW_SLOT = {
  seed: 0,
  slots: [1, 2],
  speeds: [2_500, 300, 300],
  delayMsMax: 0,
  diskMsMax: 0,
  costs: [1, 1, 1, 40_000, 40_000, 40_000],
  settledMs: SETTLED_MS,
};

describe('a mesh without faults', () => {
  const plans = fc.record({
    seed: fc.nat(),
    slots: fc.array(fc.integer({ min: 1, max: 4 }), { minLength: 1, maxLength: 3 }),
    speeds: fc.array(fc.constantFrom(300, 1_000, 2_500), { minLength: 3, maxLength: 3 }),
    delayMsMax: fc.constantFrom(0, 0.5, 5, 80),
    diskMsMax: fc.constantFrom(0, 20, 200),
    costs: fc.array(fc.constantFrom(1, 200, 5_000, 40_000), {
      minLength: 1,
      maxLength: 60,
      size: 'max',
    }),
    settledMs: fc.constantFrom(0, 3, SETTLED_MS),
  });

  it('counts every task once, runs none twice but tail copies, and ends with nobody holding anything', () => {
    fc.assert(
      fc.property(plans, ({ costs, settledMs, ...plan }) => {
        const mesh = new TinyMesh(plan);
        mesh.runUntil(() => false, settledMs);
        const work = new WorkModel(costs.map((units) => ({ tasks: 1, units })));
        mesh.submit('a', header('j', costs.length), work);
        expect(mesh.runUntil(() => mesh.hasEnded(J), 120_000)).toBe(true);
        expect(mesh.node('a').core.book(J)?.ledger.counted.count).toBe(costs.length);
        // A job may well be over before its record is on the second disk, or before a slot is done with a copy.
        expect(mesh.runUntil(() => mesh.answers.length > 0, mesh.nowMs + 5_000)).toBe(true);
        const books = mesh.nodes.map(({ core }) => core.book(J));
        for (const book of books) expect(book?.ending?.state).toBe('done');
        const held = (): number => sum(mesh.nodes, ({ core }) => heldHere(core, mesh.nowMs));
        expect(held()).toBeLessThanOrEqual(sum(books, (book) => book?.copies.size ?? 0));
        expect(mesh.runUntil(() => held() === 0, mesh.nowMs + 5_000)).toBe(true);
        for (const [task, runs] of mesh.runs) {
          const copies = sum(books, (book) => (book?.copies.has(task) ? 1 : 0));
          expect(runs, `runs of task ${task}`).toBeLessThanOrEqual(1 + copies);
        }
        expect(mesh.runs.size).toBe(costs.length);
      }),
      { numRuns: 60, examples: [[LATE_ON_A_SLOW_SLOT]] },
    );
  });

  it('is silent but for heartbeats when there is no job, and again soon after one has ended', () => {
    const mesh = new TinyMesh({ seed: 1, slots: [2, 2, 2], delayMsMax: 2, diskMsMax: 10 });
    mesh.runUntil(() => false, SETTLED_MS);
    expect(sentSince(mesh, 500)).toEqual({});
    mesh.submit('a', header('j', 500), equalWork(500));
    mesh.runUntil(() => mesh.hasEnded(J), 10_000);
    const quietMs = mesh.nowMs + 300;
    mesh.runUntil(() => false, quietMs + 20_000);
    expect(sentSince(mesh, quietMs)).toEqual({});
  });

  // Ten machines of 108 slots with 2.8 tasks a slot: nearly everything is tail.
  it.each([1, 2, 3])('spends fewer than one message per task on a job that is all tail', (seed) => {
    const slots = [12, 10, 12, 10, 12, 10, 12, 10, 10, 10];
    const mesh = new TinyMesh({ seed, slots, delayMsMax: 1, diskMsMax: 5 });
    mesh.runUntil(() => false, SETTLED_MS);
    mesh.submit('a', header('j', 300), equalWork(300, 50_000));
    expect(mesh.runUntil(() => mesh.hasEnded(J), 5_000)).toBe(true);
    const counts = sentSince(mesh, SETTLED_MS);
    const stealing = sum(STEAL_PATH, (kind) => counts[kind] ?? 0);
    expect(stealing).toBeLessThan(300);
    // Three rounds of 50 ms, 20 % of jitter, and one late task.
    expect(mesh.nowMs - SETTLED_MS).toBeLessThan(230);
  });
});

describe('a mesh that loses a peer', () => {
  const plans = fc.record({
    seed: fc.nat(),
    delayMsMax: fc.constantFrom(0.5, 5, 40),
    diskMsMax: fc.constantFrom(0, 20, 100),
    victim: fc.constantFrom('a', 'b', 'c'),
    killedAtMs: fc.integer({ min: 0, max: 400 }),
  });

  it('ends the job of an answered submit on those who stay, each task counted once', () => {
    fc.assert(
      fc.property(plans, ({ victim, killedAtMs, ...plan }) => {
        const mesh = new TinyMesh({ ...plan, slots: [2, 1, 3] });
        mesh.runUntil(() => false, SETTLED_MS);
        mesh.submit('a', header('j', 200), equalWork(200, 5_000));
        mesh.runUntil(() => mesh.answers.length > 0, mesh.nowMs + 5_000);
        mesh.runUntil(() => false, mesh.nowMs + killedAtMs);
        mesh.kill(victim);
        expect(mesh.runUntil(() => mesh.hasEnded(J), mesh.nowMs + 20_000)).toBe(true);
        const books = mesh.nodes.filter((node) => !node.isDead).map(({ core }) => core.book(J));
        for (const book of books) expect(book?.ending).toMatchObject({ done: 200, failed: 0 });
        // Whoever answers for the job by now gathers all rows, also when it had ended before.
        const hasAll = (): boolean => books.some((book) => book?.ledger.present.count === 200);
        expect(mesh.runUntil(hasAll, mesh.nowMs + 5_000)).toBe(true);
        // What was in flight to the dead peer may run twice, and a slot here cannot be told to stop.
        const runs = sum([...mesh.runs.values()], (count) => count);
        expect(runs).toBeLessThanOrEqual(2 * 200);
        for (const { core } of mesh.nodes) expect(core.book(J)?.census).toBeUndefined();
      }),
      { numRuns: 60 },
    );
  });
});

describe('a mesh where not everybody has the kernel', () => {
  it.each([
    ['the submitter cannot run the job', ['a'], 2_300],
    ['one peer cannot', ['b'], 2_300],
    ['only the submitter can', ['b', 'c'], 3_300],
  ])('moves work to where it can run, once: %s', (_, unable, endsMs) => {
    const slots = [2, 2, 2];
    const mesh = new TinyMesh({ seed: 1, slots, delayMsMax: 1, diskMsMax: 5, unable });
    mesh.runUntil(() => false, SETTLED_MS);
    mesh.submit('a', header('j', 400), equalWork(400, 10_000));
    expect(mesh.runUntil(() => mesh.hasEnded(J), endsMs)).toBe(true);
    expect([...mesh.runs.values()].every((runs) => runs === 1)).toBe(true);
    expect(sentSince(mesh, SETTLED_MS)['grant']).toBeLessThan(20);
  });
});

const STEAL_PATH: readonly Message['kind'][] = [
  'lifelineArmed',
  'stealRequest',
  'stealRefused',
  'grant',
  'grantConfirmed',
];

function heldHere(core: StealingCore, nowMs: number): number {
  return core.status(nowMs).jobs[0]?.heldHere ?? 0;
}

function sum<T>(items: readonly T[], of: (item: T) => number): number {
  return items.reduce((total, item) => total + of(item), 0);
}

/** Messages by kind, heartbeats left out. */
function sentSince(mesh: TinyMesh, sinceMs: number): Record<string, number> {
  const counts: Record<string, number> = {};
  for (const { message, atMs } of mesh.sent) {
    if (atMs < sinceMs || message.kind === 'heartbeat') continue;
    counts[message.kind] = (counts[message.kind] ?? 0) + 1;
  }
  return counts;
}
