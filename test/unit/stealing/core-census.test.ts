// Finding lost work by asking, and who asks.
import { describe, expect, it } from 'vitest';
import type { Interval } from '../../../src/deque/interval-set.ts';
import { highestRanked, jobId, peerId } from '../../../src/stealing/ids.ts';
import { batchOf, beat, doneEnding, header, progress, Rig, withoutBeats } from './rig.ts';

describe('a census of the owner', () => {
  it('runs again what a lost thief had confirmed, as soon as nobody names it', () => {
    const rig = owner(100, ['b', 'c']);
    rig.hear('b', request(1));
    rig.hear('b', { kind: 'grantConfirmed', grant: 1 });
    expect(rig.book('j').heldCount).toBe(50);
    expect(rig.lose('b')).toEqual(['> c: census 1: j']);
    expect(rig.hear('c', answer(1))).toEqual(['log info tasks that nobody holds run again']);
    expect(rig.book('j').heldCount).toBe(100);
  });

  it('is closed by an answer of several messages when the last of them has come, in any order', () => {
    const rig = owner(100, ['b', 'c']);
    rig.hear('b', request(1));
    rig.hear('b', { kind: 'grantConfirmed', grant: 1 });
    rig.lose('b');
    expect(rig.hear('c', { ...answer(1, [70, 90]), part: 1, parts: 2 })).toEqual([]);
    expect(rig.hear('c', { ...answer(1, [70, 90]), part: 1, parts: 2 })).toEqual([]);
    const first = { ...answer(1, [50, 60]), part: 0, parts: 2 };
    expect(rig.hear('c', first)).toEqual(['log info tasks that nobody holds run again']);
    expect(rig.book('j').heldCount).toBe(70);
  });

  it('leaves alone what somebody holds, and asks for rows that somebody has on disk', () => {
    const rig = owner(100, ['b', 'c']);
    rig.hear('b', request(1));
    rig.hear('b', { kind: 'grantConfirmed', grant: 1 });
    rig.lose('b');
    const onDisk = [{ maker: peerId('b'), intervals: [[50, 70] as const] }];
    expect(rig.hear('c', { ...answer(1, [70, 90]), onDisk })).toEqual([
      '> c: rowsWanted j 50-70',
      'log info tasks that nobody holds run again',
    ]);
    expect(rig.book('j').heldCount).toBe(60);
    const rows = {
      kind: 'rows',
      job: jobId('j'),
      delivery: 1,
      batch: batchOf('b', [50, 70]),
    } as const;
    rig.hear('c', rows);
    rig.persisted(3);
    expect(rig.book('j').ledger.counted.intervals()).toEqual([[50, 70]]);
  });

  it('asks again soon after a loss: who learnt of it later had named what it granted to the dead', () => {
    const rig = owner(100, ['b', 'c']);
    rig.hear('b', request(1));
    rig.hear('b', { kind: 'grantConfirmed', grant: 1 });
    expect(rig.lose('b')).toEqual(['> c: census 1: j']);
    expect(rig.hear('c', answer(1, [50, 100]))).toEqual([]);
    rig.finishAll('j');
    rig.persisted(3);
    rig.hear('c', { kind: 'rowsKept', delivery: 1 });
    expect(rig.book('j').ledger.counted.count).toBe(50);
    expect(rig.hearing(500, 'c')).toContain('> c: census 2: j');
  });

  it('waits for everybody who lives, asks again after a second, and closes when the silent one is lost', () => {
    const rig = owner(100, ['b', 'c', 'd']);
    rig.hear('b', request(1));
    rig.hear('b', { kind: 'grantConfirmed', grant: 1 });
    rig.lose('b');
    expect(rig.hear('c', answer(1))).toEqual([]);
    expect(rig.hearing(1_000, 'c', 'd')).toEqual(['> d: census 1: j']);
    expect(rig.lose('d')).toEqual(['log info tasks that nobody holds run again']);
    // What d held is asked for in a round of its own.
    expect(rig.fact({ kind: 'wakeDue' })).toEqual(['> c: census 2: j']);
  });

  it('takes no late answer of a closed round for one of the open round', () => {
    const rig = owner(100, ['b', 'c', 'd']);
    rig.lose('b');
    rig.hear('c', answer(1));
    rig.hear('d', answer(1));
    rig.lose('c');
    expect(rig.book('j').census?.id).toBe(2);
    rig.hear('d', answer(1));
    expect(rig.book('j').census?.unanswered.size).toBe(1);
  });

  it('is taken when idle peers claim nothing, at most once a second, and never after the end', () => {
    const rig = owner(2, ['b']);
    rig.hear('b', request(1));
    rig.hear('b', { kind: 'grantConfirmed', grant: 1 });
    rig.finishAll('j');
    rig.persisted(3);
    rig.hear('b', { kind: 'rowsKept', delivery: 1 });
    expect(rig.book('j').ledger.counted.count).toBe(1);
    // b still says that it holds the other one.
    for (let i = 0; i < 8; i++) {
      rig.hear('b', beat({ jobs: [progress('j', 1)] }));
      expect(withoutBeats(rig.after(250))).toEqual([]);
    }
    expect(rig.hearing(250, 'b')).toEqual(['> b: census 1: j']);
    rig.hear('b', answer(1, [1, 2]));
    expect(rig.hearing(1_000, 'b')).toEqual(['> b: census 2: j']);
    const rows = {
      kind: 'rows',
      job: jobId('j'),
      delivery: 1,
      batch: batchOf('b', [1, 2]),
    } as const;
    rig.hear('b', rows);
    rig.persisted(4);
    expect(rig.book('j').ending?.state).toBe('done');
    expect(rig.hearing(20_000, 'b')).toEqual([]);
  });

  it('does not wait for a suspect: its tasks run where somebody is idle, long before it is lost', () => {
    const rig = owner(2, ['b', 'c']);
    rig.hear('b', request(1));
    rig.hear('b', { kind: 'grantConfirmed', grant: 1 });
    rig.hear('b', beat({ jobs: [progress('j', 1)] }));
    rig.finishAll('j');
    rig.persisted(3);
    expect(rig.core.book(jobId('j'))?.queue.taskCount).toBe(0);
    const heard: string[] = [];
    for (let i = 0; i < 16; i++) {
      heard.push(...rig.hearing(250, 'c'));
      const asked = heard.filter((line) => line.startsWith('> c: census')).length;
      if (asked > 0) heard.push(...rig.hear('c', answer(1)));
    }
    expect(heard).toContain('log info tasks that nobody holds run again');
    expect(rig.core.status(rig.nowMs).peers.find(({ face }) => face.name === 'b')?.state).toBe(
      'suspect',
    );
  });

  it('asks nobody when the owner is alone: what it lacks runs at once', () => {
    const rig = owner(100, ['b']);
    rig.hear('b', request(1));
    rig.hear('b', { kind: 'grantConfirmed', grant: 1 });
    expect(rig.lose('b')).toEqual(['log info tasks that nobody holds run again']);
    expect(rig.book('j').heldCount).toBe(100);
  });
});

describe('the answer to a census', () => {
  it('names rows on disk by maker, and what is queued, claimed, granted or on its way to disk', () => {
    const rig = holder([0, 60]);
    rig.connect('c');
    rig.claim();
    rig.finish('j', [[0, 1]]);
    rig.during(50);
    rig.persisted(2);
    rig.claim();
    rig.finish('j', [[1, 2]]);
    rig.hear('c', request(1, 0, 25));
    const line = rig.hear('a', ask(1));
    expect(line).toEqual(['> a: censusAnswer 1: j disk b 0-1 held 1-60']);
  });

  it('names rows of others that are on their way to disk, and not those that the disk refused', () => {
    const rig = holder([0, 2]);
    rig.connect('c');
    const batch = batchOf('c', [7, 9]);
    rig.hear('c', { kind: 'rows', job: jobId('j'), delivery: 1, batch });
    expect(rig.hear('a', ask(1))).toEqual(['> a: censusAnswer 1: j disk  held 0-2 7-9']);
    rig.fact({ kind: 'persistFailed', id: 2, reason: 'disk full' });
    expect(rig.hear('a', ask(2))).toEqual(['> a: censusAnswer 2: j disk  held 0-2']);
  });

  it('names rows that wait for the record of their job', () => {
    const rig = new Rig({ name: 'b' });
    rig.connect('a');
    rig.hear('a', { kind: 'jobOffered', header: header('j', 100) });
    const batch = batchOf('a', [7, 9]);
    rig.hear('a', { kind: 'rows', job: jobId('j'), delivery: 1, batch });
    expect(rig.hear('a', ask(1))).toEqual(['> a: censusAnswer 1: j disk  held 7-9']);
    rig.fact({ kind: 'jobUnloadable', job: jobId('j'), reason: 'no such kernel' });
    expect(rig.hear('a', ask(2))).toEqual(['> a: censusAnswer 2: j disk  held none']);
  });

  it('still names what was confirmed a moment ago, and no longer after a second', () => {
    const rig = holder([0, 60]);
    rig.connect('c');
    expect(rig.hear('c', request(1))).toEqual(['> c: grant 1 for 1: j 30-60']);
    rig.hear('c', { kind: 'grantConfirmed', grant: 1 });
    expect(rig.hear('a', ask(1))).toEqual(['> a: censusAnswer 1: j disk  held 0-60']);
    rig.hearing(1_000, 'a', 'c');
    expect(rig.hear('a', ask(2))).toEqual(['> a: censusAnswer 2: j disk  held 0-30']);
  });

  it('takes several messages when what is held is in too many pieces for one, as does a grant of them', () => {
    const tasks = 400_000;
    const rig = new Rig({ name: 'b' });
    rig.connect('a');
    rig.hear('a', { kind: 'jobOffered', header: header('j', tasks) });
    rig.load('j', tasks);
    const odd = Array.from({ length: tasks / 2 }, (_, i): Interval => [2 * i, 2 * i + 1]);
    for (let grant = 1; grant <= 4; grant++) {
      const batch = { job: jobId('j'), intervals: odd.slice(50_000 * (grant - 1), 50_000 * grant) };
      rig.hear('a', { kind: 'grant', grant, request: 0, batches: [batch] });
    }
    const answers = rig.core
      .handle(
        { kind: 'messageReceived', from: peerId('a'), incarnation: 1, message: ask(1) },
        rig.nowMs,
      )
      .flatMap((output) => (output.kind === 'send' ? [output.message] : []))
      .filter((message) => message.kind === 'censusAnswer');
    expect(answers.map(({ part, parts }) => [part, parts])).toEqual(
      [0, 1, 2, 3].map((i) => [i, 4]),
    );
    expect(answers.flatMap(({ held }) => held)).toEqual(odd);

    rig.connect('c');
    const given = rig.hear('c', request(1)).filter((line) => line.startsWith('> c: grant'));
    expect(given.map((line) => line.split(':')[1])).toEqual([' grant 1 for 1', ' grant 2 for 1']);
  });

  it('is empty when the job is unknown, for silence would keep the round open', () => {
    const rig = new Rig({ name: 'b' });
    rig.connect('a');
    expect(rig.hear('a', ask(4))).toEqual(['> a: censusAnswer 4: j disk  held none']);
  });

  it('is followed by the rows that the owner asks for', () => {
    const rig = holder([0, 2]);
    rig.finishAll('j');
    rig.persisted(2);
    const wanted = { kind: 'rowsWanted', job: jobId('j'), intervals: [[1, 9] as const] } as const;
    expect(rig.hear('a', wanted)).toEqual(['> a: rows 2: j rows of b 1-2']);
  });
});

describe('the owner', () => {
  // Of b, c and d, who all have the job on disk.
  const heir = highestRanked('j', ['b', 'c', 'd'].map(peerId));
  const other = heir === 'b' ? 'c' : 'b';

  it('is, once the submitter is lost, the highest ranked of those that have the job, and takes a census', () => {
    const rig = witness(String(heir), ['b', 'c', 'd']);
    const others = ['b', 'c', 'd'].filter((name) => name !== heir);
    expect(rig.lose('a')).toEqual([
      'log info this peer answers for a job now',
      ...others.map((name) => `> ${name}: census 1: j`),
    ]);
    expect(rig.core.status(rig.nowMs).jobs[0]?.owner).toBe(heir);
  });

  it('is somebody else for those that rank lower: they ask nothing', () => {
    const rig = witness(other, ['b', 'c', 'd']);
    expect(rig.lose('a')).toEqual([]);
    expect(rig.core.status(rig.nowMs).jobs[0]?.owner).toBe(heir);
  });

  it('is nobody who lacks the job, however high it ranks', () => {
    const rig = witness(other, [other]);
    expect(rig.lose('a')).toContain('log info this peer answers for a job now');
  });

  it('is the submitter again when it comes back', () => {
    const rig = witness(String(heir), ['b', 'c', 'd']);
    rig.lose('a');
    rig.connect('a');
    expect(rig.core.status(rig.nowMs).jobs[0]?.owner).toBe('a');
    expect(rig.book('j').census).toBeUndefined();
  });
});

describe('a peer that comes back', () => {
  it('goes on with a job that its former life left, from the rows on its disk', () => {
    const rig = new Rig();
    const recovered = rig.fact({
      kind: 'jobRecovered',
      header: header('j', 10),
      batches: [batchOf('a', [0, 4])],
      ending: undefined,
    });
    expect(recovered).toContain('loadJob j as 1');
    rig.during(750);
    expect(rig.book('j').heldCount).toBe(0);
    rig.during(500);
    expect(rig.book('j').ledger.counted.count).toBe(4);
    expect(rig.book('j').heldCount).toBe(6);
  });

  it('waits longer for makers of its rows that it has not met, and not for ever', () => {
    const rig = revivedWithRowsOfOthers();
    rig.during(4_750);
    expect(rig.book('j').heldCount).toBe(0);
    rig.during(500);
    expect(rig.book('j').ledger.counted.count).toBe(6);
    expect(rig.book('j').heldCount).toBe(4);
  });

  it('waits no longer than ever when it has met all of them, even if they are gone again', () => {
    const rig = revivedWithRowsOfOthers();
    rig.connect('b');
    rig.connect('c');
    rig.lose('c');
    rig.during(750);
    expect(rig.book('j').census).toBeUndefined();
    rig.during(500);
    expect(rig.book('j').census).toBeDefined();
  });

  it('asks as soon as it has met the last one of them', () => {
    const rig = revivedWithRowsOfOthers();
    rig.connect('b');
    rig.hearing(2_000, 'b');
    expect(rig.book('j').census).toBeUndefined();
    expect(rig.connect('c')).toContain('> c: census 1: j');
  });

  it('leaves the job to an owner that it meets at once, and runs nothing twice', () => {
    const rig = new Rig({ name: 'b' });
    const batches = [batchOf('b', [0, 4])];
    rig.fact({ kind: 'jobRecovered', header: header('j', 10), batches, ending: undefined });
    rig.load('j', 10);
    rig.connect('a');
    expect(rig.hearing(5_000, 'a').filter((line) => line.includes('census'))).toEqual([]);
    expect(rig.book('j').heldCount).toBe(0);
  });

  it('still knows whose rows count nowhere, and fences whom it caught itself', () => {
    const rig = new Rig();
    const batches = [batchOf('a', [0, 4])];
    const former = { kind: 'jobRecovered', header: header('j', 10), batches } as const;
    rig.fact({ ...former, ending: undefined, liars: [peerId('b')] });
    rig.load('j', 10);
    expect(rig.connect('b')).toEqual([]);
    const rows = {
      kind: 'rows',
      job: jobId('j'),
      delivery: 1,
      batch: batchOf('b', [4, 6]),
    } as const;
    expect(rig.hear('b', rows)).toEqual([]);
    expect(rig.book('j').ledger.present.count).toBe(4);
    expect(rig.connect('c')).not.toEqual([]);
  });

  it('keeps what had ended, runs nothing of it, and is quiet', () => {
    const rig = new Rig();
    const ending = doneEnding(10);
    const batches = [batchOf('a', [0, 10])];
    const former = { kind: 'jobRecovered', header: header('j', 10), batches, ending } as const;
    expect(rig.fact(former)).toEqual([]);
    expect(rig.during(5_000)).toEqual([]);
    expect(rig.book('j').ledger.isComplete).toBe(true);
  });
});

describe('a peer that lacks rows of ended jobs', () => {
  it('asks nobody while it may only not have met their owner yet', () => {
    const rig = lacking('j', 'k');
    rig.during(60_000);
    rig.connect('c');
    const heard = [
      ...rig.hearing(4_000, 'c'),
      ...rig.connect('a'),
      ...rig.hearing(9_000, 'a', 'c'),
    ];
    expect(heard.filter((line) => line.includes('census'))).toEqual([]);
  });

  it('asks as their owner for those of one job after the other', () => {
    const rig = lacking('j', 'k');
    rig.connect('c');
    rig.hearing(4_000, 'c');
    const questions = (ms: number): string[] =>
      rig.hearing(ms, 'c').filter((line) => line.includes('census'));
    expect(questions(1_500)).toEqual(['> c: census 1: j']);
    const batch = batchOf('a', [4, 10]);
    const rows = { kind: 'rows', job: jobId('j'), delivery: 1, batch } as const;
    expect(rig.hear('c', rows).filter((line) => line.includes('census'))).toEqual([
      '> c: census 2: k',
    ]);
  });
});

/** Peer a with rows of its own, of b and of c, of a job that has not ended. */
function revivedWithRowsOfOthers(): Rig {
  const rig = new Rig();
  const batches = [batchOf('a', [0, 4]), batchOf('b', [6, 7]), batchOf('c', [9, 10])];
  rig.fact({ kind: 'jobRecovered', header: header('j', 10), batches, ending: undefined });
  rig.load('j', 10);
  return rig;
}

/** Peer b with a part of jobs of a, which is not here. */
function lacking(...jobs: readonly string[]): Rig {
  const rig = new Rig({ name: 'b' });
  const batches = [batchOf('b', [0, 4])];
  for (const job of jobs) {
    const ending = doneEnding(10);
    rig.fact({ kind: 'jobRecovered', header: header(job, 10), batches, ending });
  }
  return rig;
}

/** Peer a, owner of a job that is loaded and stored everywhere; persists 1 and 2 are over. */
function owner(tasks: number, others: readonly string[]): Rig {
  const rig = new Rig();
  for (const name of others) rig.connect(name);
  rig.submit('j', tasks);
  rig.fact({ kind: 'persistFailed', id: 1, reason: 'at first' });
  for (const name of others) rig.hear(name, { kind: 'jobStored', job: jobId('j') });
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

/** One of b, c and d, beside the submitter a and the others; `stored` have the job on disk. */
function witness(name: string, stored: readonly string[]): Rig {
  const rig = new Rig({ name });
  for (const other of ['a', 'b', 'c', 'd']) if (other !== name) rig.connect(other);
  rig.hear('a', { kind: 'jobOffered', header: header('j', 100) });
  rig.load('j', 100);
  if (stored.includes(name)) rig.persisted(1);
  for (const other of stored) {
    if (other !== name) rig.hear(other, { kind: 'jobStored', job: jobId('j') });
  }
  return rig;
}

function ask(census: number) {
  return { kind: 'census', job: jobId('j'), census } as const;
}

function answer(census: number, ...held: Interval[]) {
  return { kind: 'censusAnswer', job: jobId('j'), census, onDisk: [], held } as const;
}

function request(id: number, backlogMs = 0, unitsPerMs = 1_000) {
  const rates = [{ rateKey: 'test', unitsPerMs }];
  return { kind: 'stealRequest', request: id, rates, slots: 1, backlogMs } as const;
}
