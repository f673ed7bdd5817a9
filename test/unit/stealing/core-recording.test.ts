// From a finished task to a counted row: which disks, in which order, and what happens when they refuse.
import { describe, expect, it } from 'vitest';
import type { Interval } from '../../../src/deque/interval-set.ts';
import { jobId, peerId } from '../../../src/stealing/ids.ts';
import type { RowBatch } from '../../../src/stealing/job.ts';
import { batchOf, beat, doneEnding, header, progress, Rig, withoutBeats } from './rig.ts';

describe('rows made by a peer that is not the owner', () => {
  it('go to its own disk first, then to the owner, and are not counted here', () => {
    const rig = holder([0, 2]);
    expect(rig.finishAll('j')).toEqual(['persist 2: j rows of b 0-2', '> a: lifelineArmed']);
    expect(rig.persisted(2)).toEqual(['> a: rows 1: j rows of b 0-2']);
    expect(rig.hear('a', { kind: 'rowsKept', delivery: 1 })).toEqual([]);
    expect(rig.book('j').ledger.counted.isEmpty).toBe(true);
    expect(rig.hearing(20_000, 'a')).toEqual([]);
  });

  it('wait for company while there is more to do, but not for long', () => {
    const rig = holder([0, 100]);
    rig.claim();
    expect(rig.finish('j', [[0, 1]])).toEqual([]);
    expect(rig.core.nextWake()).toEqual({ atMs: rig.nowMs + 50, reason: 'flush' });
    expect(rig.during(50)).toEqual(['persist 2: j rows of b 0-1']);
  });

  it('wait less when nothing is left to claim, and not at all when nothing is left to run', () => {
    const rig = holder([0, 3]);
    for (let claimed = 0; claimed < 3; claimed++) rig.claim();
    expect(rig.finish('j', [[0, 1]])).toEqual([]);
    expect(rig.core.nextWake()).toEqual({ atMs: rig.nowMs + 2, reason: 'flush' });
    expect(rig.finish('j', [[1, 2]])).toEqual([]);
    expect(rig.during(2)).toEqual(['persist 2: j rows of b 0-2']);
    expect(rig.finish('j', [[2, 3]])).toEqual(['persist 3: j rows of b 2-3', '> a: lifelineArmed']);
  });

  it('are offered again to an owner that did not acknowledge them', () => {
    const rig = holder([0, 2]);
    rig.finishAll('j');
    rig.persisted(2);
    expect(rig.hearing(6_000, 'a')).toEqual(['> a: rows 2: j rows of b 0-2']);
  });

  it('are offered again when the owner was away, and to the next owner when it is lost', () => {
    const rig = holder([0, 2]);
    rig.connect('c');
    rig.hear('c', { kind: 'jobStored', job: jobId('j') });
    rig.finishAll('j');
    rig.persisted(2);
    rig.fact({ kind: 'peerDisconnected', peer: peerId('a'), refused: false });
    expect(withoutBeats(rig.connect('a'))).toContain('> a: jobStored j');
    expect(withoutBeats(rig.after(250))).toEqual(['> a: rows 2: j rows of b 0-2']);
    // b or c answers now, by rank; either way a second disk gets the rows.
    const lost = rig.lose('a').filter((line) => line.startsWith('> c: rows'));
    expect(lost).toEqual(['> c: rows 3: j rows of b 0-2']);
  });

  it('go to the owner all the same when this disk refuses them, and say so; the disk is asked again', () => {
    const rig = holder([0, 2]);
    rig.finishAll('j');
    const refused = rig.fact({ kind: 'persistFailed', id: 2, reason: 'disk full' });
    expect(refused).toContain('> a: rows 1: j rows of b 0-2 unkept');
    rig.hear('a', { kind: 'rowsKept', delivery: 1 });
    expect(rig.hearing(5_250, 'a')).toEqual(['persist 3: j rows of b 0-2']);
    expect(rig.persisted(3)).toEqual([]);
  });
});

describe('rows at the owner', () => {
  it('count when they came from a disk and are on its own, which is then acknowledged', () => {
    const rig = owner(4);
    expect(rig.hear('b', rows(7, [2, 4]))).toEqual([
      'persist 3: j rows of b 2-4',
      '> b: rowsKept 7 after 3',
    ]);
    expect(rig.book('j').ledger.counted.count).toBe(0);
    expect(rig.persisted(3)).toEqual(['jobChanged j']);
    expect(rig.book('j').ledger.counted.count).toBe(2);
    // Again, because the acknowledgement was lost: nothing is written twice.
    expect(rig.hear('b', rows(8, [2, 4]))).toEqual(['> b: rowsKept 8']);
  });

  it('are not acknowledged when its disk refuses them, and then count on the one disk there is', () => {
    const rig = owner(4);
    rig.hear('b', rows(7, [2, 4]));
    expect(rig.fact({ kind: 'persistFailed', id: 3, reason: 'disk full' })).toEqual([
      'log warn this disk did not keep a record',
      'jobChanged j',
    ]);
    expect(rig.book('j').ledger.counted.intervals()).toEqual([[2, 4]]);
    expect(rig.hearing(5_250, 'b')).toEqual(['persist 4: j rows of b 2-4']);
  });

  it('of its own go to its buddy and count when that has them', () => {
    const rig = owner(4);
    expect(rig.finish('j', [[0, 2]])).toEqual([]);
    expect(rig.during(50)).toEqual(['persist 3: j rows of a 0-2']);
    expect(rig.persisted(3)).toEqual(['> b: rows 1: j rows of a 0-2']);
    expect(rig.book('j').ledger.counted.count).toBe(0);
    expect(rig.hear('b', { kind: 'rowsKept', delivery: 1 })).toEqual(['jobChanged j']);
    expect(rig.book('j').ledger.counted.count).toBe(2);
  });

  it('of its own count on one disk when the only other disk keeps nothing twice', () => {
    const rig = owner(2);
    rig.finishAll('j');
    rig.persisted(3);
    rig.hearing(6_000, 'b');
    expect(rig.book('j').ledger.counted.isEmpty).toBe(true);
    rig.hearing(6_000, 'b');
    expect(rig.book('j').ledger.counted.count).toBe(2);
  });

  it('count on one disk when the only other peer is lost', () => {
    const rig = owner(4);
    rig.finish('j', [[0, 2]]);
    rig.during(50);
    rig.persisted(3);
    expect(rig.lose('b')).toEqual(['jobChanged j']);
    expect(rig.book('j').ledger.counted.count).toBe(2);
  });

  it('stay counted when a second peer comes, and are copied to it in the background', () => {
    const rig = owner(4);
    rig.lose('b');
    rig.finish('j', [[0, 2]]);
    rig.during(50);
    rig.persisted(3);
    rig.connect('c');
    expect(rig.book('j').ledger.counted.count).toBe(2);
    expect(withoutBeats(rig.after(250))).toEqual(['> c: rows 1: j rows of a 0-2']);
    expect(rig.hear('c', { kind: 'rowsKept', delivery: 1 })).toEqual([]);
    expect(rig.after(250)).not.toContain('> c: rows 2: j rows of a 0-2');
  });

  it('take their task out of the queue and out of the window, claimed ones excepted', () => {
    const rig = owner(10);
    expect(rig.claim()).toEqual([[0, 1]]);
    rig.hear('b', rows(1, [0, 6]));
    const book = rig.book('j');
    expect(book.heldCount).toBe(1 + 4);
    expect(rig.claim()).toEqual([[6, 7]]);
  });

  it('of an older life are welcome; everything else of that life changes nothing', () => {
    const rig = owner(10);
    rig.connect('b', 1, 2);
    expect(rig.hear('b', rows(1, [4, 6]), 1)).toContain('persist 3: j rows of b 4-6');
    const ask = { kind: 'stealRequest', request: 1, rates: [], slots: 1, backlogMs: 0 } as const;
    expect(rig.hear('b', ask, 1)).toEqual([]);
    expect(rig.hear('b', { kind: 'leaving' }, 1)).toEqual([]);
    const ended = { kind: 'jobEnded', header: header('j', 10), ending: doneEnding(0) } as const;
    expect(rig.hear('b', ended, 1)).toEqual([]);
    expect(rig.book('j').isActive).toBe(true);
  });

  it('of somebody whom nobody let in change nothing', () => {
    const rig = owner(10);
    expect(rig.hear('stranger', rows(1, [4, 6]), 1)).toEqual([]);
    expect(rig.book('j').ledger.counted.count).toBe(0);
  });

  it('that differ from the known row raise an alarm and are not merged', () => {
    const rig = owner(4);
    rig.hear('b', rows(1, [2, 4]));
    const wrong: RowBatch = { ...batchOf('c', [3, 4]), values: Float64Array.of(3, 99) };
    const told = rig.hear('b', { kind: 'rows', job: jobId('j'), delivery: 2, batch: wrong });
    expect(told).toContain('raiseAlarm j task 3 makers c,b');
    const row = new Float64Array(2);
    rig.book('j').ledger.readRow(3, row, 0);
    expect([...row]).toEqual([3, 3.1]);
  });
});

describe('malformed content', () => {
  it.each<[string, Interval[], number]>([
    ['beyond the last task', [[3, 5]], 2],
    ['empty', [[2, 2]], 0],
    ['backwards', [[3, 2]], 0],
    ['negative', [[-1, 1]], 2],
    ['fractional', [[0.5, 1.5]], 1],
    [
      'overlapping',
      [
        [0, 2],
        [1, 3],
      ],
      4,
    ],
    ['with too few values', [[0, 2]], 1],
  ])('of rows, %s, changes nothing', (_, intervals, rowCount) => {
    const rig = owner(4);
    const values = new Float64Array(rowCount * 2);
    const batch: RowBatch = { kind: 'rows', maker: peerId('b'), intervals, values };
    expect(rig.hear('b', { kind: 'rows', job: jobId('j'), delivery: 1, batch })).toEqual([]);
    expect(rig.book('j').ledger.present.isEmpty).toBe(true);
  });

  it('of a grant queues nothing', () => {
    const rig = holder([0, 2]);
    const batches = [{ job: jobId('j'), intervals: [[90, 101] as const] }];
    rig.hear('a', { kind: 'grant', grant: 9, request: 0, batches });
    expect(rig.book('j').heldCount).toBe(2);
  });

  it('of a census answer closes no round', () => {
    const rig = owner(4);
    rig.connect('c');
    rig.lose('c');
    const answer = { kind: 'censusAnswer', job: jobId('j'), census: 1, onDisk: [] } as const;
    rig.hear('b', { ...answer, held: [[0, 9]] });
    expect(rig.book('j').census).toBeDefined();
    rig.hear('b', { ...answer, held: [] });
    expect(rig.book('j').census).toBeUndefined();
  });

  it('of unknown jobs, grants, deliveries and requests is ignored', () => {
    const rig = owner(4);
    const job = jobId('nobody knows');
    expect(rig.hear('b', { kind: 'rows', job, delivery: 1, batch: batchOf('b', [0, 1]) })).toEqual(
      [],
    );
    expect(rig.hear('b', { kind: 'rowsWanted', job, intervals: [[0, 1]] })).toEqual([]);
    expect(rig.hear('b', { kind: 'rowsKept', delivery: 77 })).toEqual([]);
    expect(rig.hear('b', { kind: 'grantConfirmed', grant: 77 })).toEqual([]);
    expect(rig.hear('b', { kind: 'stealRefused', request: 77, reason: 'empty' })).toEqual([]);
    expect(rig.hear('nobody', beat())).toEqual([]);
  });
});

describe('a disk without the record of the job', () => {
  it('keeps no rows of it, which are acknowledged when it has both', () => {
    const rig = new Rig({ name: 'b' });
    rig.connect('a');
    rig.hear('a', { kind: 'jobOffered', header: header('j', 100) });
    rig.load('j', 100);
    rig.fact(refused(1));
    rig.hearing(1_000, 'a');
    expect(rig.hear('a', rows(7, [2, 4]))).toEqual([]);
    expect(rig.hearing(4_250, 'a')).toEqual(['persist 2: job j']);
    expect(rig.persisted(2)).toEqual(['persist 3: j rows of b 2-4', '> a: jobStored j']);
    expect(rig.persisted(3)).toEqual(['> a: rowsKept 7']);
  });

  it('may come to have it: rows wait for the data of their job, too', () => {
    const rig = new Rig({ name: 'b' });
    rig.connect('a');
    rig.hear('a', { kind: 'jobOffered', header: header('j', 100) });
    expect(rig.hear('a', rows(7, [2, 4]))).toEqual([]);
    expect(rig.load('j', 100)).toContain('persist 1: job j');
    expect(rig.persisted(1)).toContain('persist 2: j rows of b 2-4');
    expect(rig.persisted(2)).toEqual(['> a: rowsKept 7']);
  });

  it('gets it for the rows of a job that was over before its data came, without counting as a copy', () => {
    const rig = new Rig({ name: 'b' });
    rig.connect('a');
    rig.hear('a', { kind: 'jobEnded', header: header('j', 100), ending: doneEnding(100) });
    expect(rig.hear('a', rows(7, [2, 4]))).toEqual(['persist 2: job j']);
    expect(rig.persisted(2)).toEqual(['persist 3: j rows of b 2-4']);
    expect(rig.persisted(3)).toEqual(['> a: rowsKept 7']);
    expect(rig.book('j').storedBy.has(peerId('b'))).toBe(false);
  });

  it('is not one of the disks of own rows either, which the owner hears', () => {
    const rig = new Rig({ name: 'b' });
    rig.connect('a');
    rig.hear('a', { kind: 'jobOffered', header: header('j', 100) });
    rig.load('j', 100);
    rig.fact(refused(1));
    const batches = [{ job: jobId('j'), intervals: [[0, 2] as const] }];
    rig.hear('a', { kind: 'grant', grant: 1, request: 0, batches });
    expect(rig.finishAll('j')).toContain('> a: rows 1: j rows of b 0-2 unkept');
  });

  it('makes the owner look for two others, and its rows count when those have them', () => {
    const rig = new Rig();
    rig.connect('b');
    rig.connect('c');
    rig.submit('j', 4);
    rig.load('j', 4);
    rig.fact(refused(1));
    for (const peer of ['b', 'c']) rig.hear(peer, { kind: 'jobStored', job: jobId('j') });
    const lines = [...rig.hear('b', rows(7, [2, 4])), ...rig.finish('j', [[0, 2]])];
    lines.push(...rig.during(50));
    // c ranks first; of what c has alone b gets the second copy.
    expect(lines.filter((line) => line.includes('rows'))).toEqual([
      '> c: rows 1: j rows of b 2-4 unkept',
      '> c: rows 2: j rows of a 0-2 unkept',
    ]);
    rig.hear('c', { kind: 'rowsKept', delivery: 1 });
    expect(rig.book('j').ledger.counted.intervals()).toEqual([[2, 4]]);
    expect(rig.hear('c', { kind: 'rowsKept', delivery: 2 })).toEqual([
      '> b: rows 3: j rows of a 0-2 unkept',
    ]);
    expect(rig.book('j').ledger.counted.count).toBe(2);
    rig.hear('b', { kind: 'rowsKept', delivery: 3 });
    expect(rig.book('j').ledger.counted.count).toBe(4);
  });

  it('is not asked for a second copy when it will not get it', () => {
    const rig = owner(2);
    rig.connect('c');
    const unable = { rates: [{ rateKey: 'test', unitsPerMs: 0 }], jobs: [progress('j')] };
    rig.hear('c', beat(unable));
    rig.lose('b');
    rig.finishAll('j');
    expect(rig.persisted(3)).toContain('jobChanged j');
    expect(rig.book('j').ledger.counted.count).toBe(2);
  });
});

function isRows(line: string): boolean {
  return line.startsWith('> b: rows ');
}

describe('old rows', () => {
  it('go to a peer that comes eight messages at a time, the next when one is kept', () => {
    const rig = new Rig({ limits: { rowsMessageBytesMax: 32 } });
    rig.submit('j', 60);
    rig.persisted(1);
    rig.load('j', 60);
    for (let task = 0; task < 50; task++) rig.claim();
    rig.finish('j', [[0, 50]]);
    rig.during(100);
    rig.persisted(2);
    const lines = [...rig.connect('b'), ...rig.hearing(500, 'b')].filter(isRows);
    expect(lines).toHaveLength(8);
    const kept = rig.hear('b', { kind: 'rowsKept', delivery: 1 }).filter(isRows);
    expect(kept).toEqual(['> b: rows 9: j rows of a 16-18']);
  });
});

describe('attempts', () => {
  it('of a dead slot’s claim: halves apart, until one task alone has used up its three, its neighbours complete', () => {
    const rig = new Rig();
    rig.submit('j', 2);
    rig.persisted(1);
    rig.load('j', 2);
    // Both tasks were in one claim as far as the shell could tell.
    rig.claim();
    rig.claim();
    const die = (...intervals: Interval[]) =>
      rig.fact({ kind: 'slotDied', job: jobId('j'), intervals, reason: 'exit 139' });
    const logged = 'log warn a slot died; its claim is queued again';
    expect(die([0, 2])).toEqual([logged]);
    expect(rig.claim()).toEqual([[0, 1]]);
    expect(die([0, 1])).toEqual([logged]);
    expect(rig.claim()).toEqual([[1, 2]]);
    expect(rig.finish('j', [[1, 2]])).toEqual([]);
    expect(rig.claim()).toEqual([[0, 1]]);
    expect(die([0, 1])).toEqual([logged]);
    expect(rig.claim()).toEqual([[0, 1]]);
    const givenUp = 'log warn a task is given up: it killed whatever ran it';
    expect(die([0, 1])).toEqual([
      logged,
      givenUp,
      'persist 2: j failures of a 0-1',
      'persist 3: j rows of a 1-2',
    ]);
    rig.persisted(2);
    expect(rig.persisted(3)).toContain('persist 4: j done');
    expect(rig.book('j').ending).toMatchObject({ done: 1, failed: 1 });
  });

  it('replace a final failure by a row that comes while the job runs, and not after its end', () => {
    const rig = owner(2);
    const send = (delivery: number, batch: RowBatch) =>
      rig.hear('b', { kind: 'rows', job: jobId('j'), delivery, batch });
    send(1, failure(0));
    send(2, failure(1));
    rig.persisted(3);
    send(3, batchOf('b', [1, 2]));
    expect(rig.book('j').ledger.failedCount).toBe(1);
    rig.persisted(4);
    rig.persisted(5);
    expect(rig.book('j').ending).toMatchObject({ state: 'done', done: 1, failed: 1 });
    send(4, batchOf('b', [0, 1]));
    expect(rig.book('j').ledger.failedCount).toBe(1);
    expect(rig.book('j').ledger.isComplete).toBe(true);
  });
});

/** Peer a, owner of a job that is loaded and on the disks of a and b; one slot, persists 1 and 2 are over. */
function owner(tasks: number): Rig {
  const rig = new Rig();
  rig.connect('b');
  rig.submit('j', tasks);
  rig.fact({ kind: 'persistFailed', id: 1, reason: 'at first' });
  rig.hear('b', { kind: 'jobStored', job: jobId('j') });
  rig.load('j', tasks);
  rig.persisted(2);
  return rig;
}

/** Peer b beside the owner a, with a few tasks of its job of 100. */
function holder(...intervals: Interval[]): Rig {
  const rig = new Rig({ name: 'b' });
  rig.connect('a');
  rig.hear('a', { kind: 'jobOffered', header: header('j', 100) });
  rig.load('j', 100);
  rig.persisted(1);
  const batches = [{ job: jobId('j'), intervals }];
  rig.hear('a', { kind: 'grant', grant: 1, request: 0, batches });
  return rig;
}

function rows(delivery: number, ...intervals: Interval[]) {
  return { kind: 'rows', job: jobId('j'), delivery, batch: batchOf('b', ...intervals) } as const;
}

function refused(id: number) {
  return { kind: 'persistFailed', id, reason: 'disk full' } as const;
}

function failure(task: number): RowBatch {
  return {
    kind: 'failures',
    maker: peerId('b'),
    intervals: [[task, task + 1]],
    values: Float64Array.of(Number.NaN, 90),
  };
}
