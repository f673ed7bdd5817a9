// What a peer does with tasks that it is to run once more, to be compared.
import { expect, it } from 'vitest';
import type { Interval } from '../../../src/deque/interval-set.ts';
import { jobId, peerId } from '../../../src/stealing/ids.ts';
import { batchOf, header, Rig } from './rig.ts';

it('tasks whose rows lie here run once more, and who asked is told; the rows stay as they are', () => {
  const rig = peerWith([[0, 10]]);
  rig.hear('a', again(1, [2, 4]));
  expect(rig.book('j').rechecks.intervals()).toEqual([]);
  expect(rig.claim()).toEqual([[2, 3]]);
  expect(rig.finish('j', [[2, 3]])).toEqual(['> a: rows 1: j rows of b 2-3 unkept']);
  expect(rig.finishAll('j')).toContain('> a: rows 2: j rows of b 3-4 unkept');
  expect(rig.book('j').ledger.madeBy(peerId('b')).isEmpty).toBe(true);
  expect(rig.core.status(rig.nowMs).peers[0]?.done).toBe(0);
});

it('are not given away to a thief', () => {
  const rig = peerWith([[0, 10]]);
  rig.connect('c');
  rig.hear('a', again(1, [2, 9]));
  const request = { kind: 'stealRequest', request: 1, rates: [], slots: 1, backlogMs: 0 } as const;
  const answers = rig.hear('c', request).filter((line) => line.startsWith('> c:'));
  expect(answers).toEqual(['> c: stealRefused 1 empty']);
});

it('tasks that are queued or run here already are left where they are', () => {
  const rig = peerWith([]);
  const batches = [{ job: jobId('j'), intervals: [[0, 60]] as Interval[] }];
  rig.hear('a', { kind: 'grant', grant: 1, request: 0, batches });
  rig.hear('a', again(2, [10, 12]));
  rig.claim();
  rig.hear('a', again(3, [0, 60]));
  expect(rig.book('j').heldCount).toBe(60);
});

it('tasks that come as work while they wait to be compared are work', () => {
  const rig = peerWith([]);
  const work = [{ job: jobId('j'), intervals: [[0, 5]] as Interval[] }];
  rig.hear('a', { kind: 'grant', grant: 1, request: 0, batches: work });
  rig.hear('a', again(2, [50, 60]));
  const more = [{ job: jobId('j'), intervals: [[50, 60]] as Interval[] }];
  rig.hear('a', { kind: 'grant', grant: 3, request: 0, batches: more });
  expect(rig.book('j').heldCount).toBe(15);
});

/** Peer b, with a job of a loaded and these of its rows. */
function peerWith(rows: readonly Interval[]): Rig {
  const rig = new Rig({ name: 'b' });
  rig.connect('a');
  rig.hear('a', { kind: 'jobOffered', header: header('j', 60) });
  rig.load('j', 60);
  if (rows.length > 0) {
    rig.hear('a', { kind: 'rows', job: jobId('j'), delivery: 1, batch: batchOf('a', ...rows) });
  }
  return rig;
}

function again(grant: number, tasks: Interval) {
  const batches = [{ job: jobId('j'), intervals: [tasks] }];
  return { kind: 'grant', grant, request: 0, batches, again: true } as const;
}

it.each([
  ['goes away', (rig: Rig) => rig.lose('b')],
  ['begins another life', (rig: Rig) => rig.connect('b', 1, 2)],
])('an owner whose rows another peer runs again does not wait for one that %s', (_, happens) => {
  const rig = new Rig();
  rig.connect('b');
  rig.fact({ kind: 'jobSubmitted', header: { ...header('j', 10), audit: 'all' } });
  rig.hear('b', { kind: 'jobStored', job: jobId('j') });
  rig.load('j', 10);
  rig.persisted(1);
  rig.finishAll('j');
  for (let id = 2; id < 20; id++) rig.persisted(id);
  for (let delivery = 1; delivery < 20; delivery++) rig.hear('b', { kind: 'rowsKept', delivery });
  expect(rig.book('j').audit?.open.size).toBeGreaterThan(0);
  happens(rig);
  rig.during(50);
  expect(rig.book('j').ending?.state).toBe('done');
});

it('an owner that has every row looked at can have more of them than one call takes arguments', () => {
  const tasks = 200_000;
  const rig = new Rig();
  rig.connect('b');
  rig.fact({ kind: 'jobSubmitted', header: { ...header('j', tasks), audit: 'all' } });
  rig.hear('b', { kind: 'jobStored', job: jobId('j') });
  rig.load('j', tasks);
  rig.persisted(1);
  for (let start = 0; start < tasks; start += 10_000) {
    const batch = batchOf('b', [start, start + 10_000]);
    rig.hear('b', { kind: 'rows', job: jobId('j'), delivery: start, batch });
  }
  for (let id = 2; id < 40; id++) rig.persisted(id);
  expect(rig.book('j').audit?.open.size).toBe(tasks);
  expect(rig.core.nextWake().atMs).toBeGreaterThan(rig.nowMs);
});
