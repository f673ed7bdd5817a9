// How a job becomes known, and what its first wave gives to whom.
import { describe, expect, it } from 'vitest';
import type { Interval } from '../../../src/deque/interval-set.ts';
import { jobId } from '../../../src/stealing/ids.ts';
import {
  batchOf,
  beat,
  doneEnding,
  equalWork,
  header,
  progress,
  Rig,
  withoutBeats,
} from './rig.ts';

const STORED_J = { kind: 'jobStored', job: jobId('j') } as const;
const ARMED = { kind: 'lifelineArmed', rates: [], slots: 1 } as const;

describe('a job of which rows are known', () => {
  it('keeps and counts them, queues the others only, and leaves them out of every share', () => {
    const rig = new Rig();
    const cached: Interval[] = [[2, 6]];
    const lines = rig.fact({
      kind: 'jobSubmitted',
      header: { ...header('j', 10), cached },
      cached: [batchOf('a', [2, 6])],
    });
    expect(lines.filter((line) => line.startsWith('persist'))).toEqual(['persist 1: job j']);
    expect(rig.book('j').heldCount).toBe(6);
    expect(rig.persisted(1)).toContain('persist 2: j rows of a 2-6');
    rig.persisted(2);
    rig.load('j', 10);
    const [id] = rig
      .finishAll('j')
      .flatMap((line) => /persist (\d+): j rows/.exec(line)?.[1] ?? []);
    rig.persisted(Number(id));
    const { ending } = rig.book('j');
    expect(ending).toMatchObject({ state: 'done', done: 10 });
    expect(ending?.shares).toMatchObject([{ peer: 'a', done: 6, units: 6_000 }]);
  });
});

describe('submitting alone', () => {
  it('keeps, loads and runs the job, and answers when one disk has it', () => {
    const rig = new Rig();
    expect(rig.submit('j', 4)).toEqual(['persist 1: job j', 'loadJob j as 1']);
    expect(rig.claim()).toEqual([]);
    expect(rig.persisted(1)).toEqual(['answerSubmit j copies 1']);
    expect(rig.load('j', 4)).toEqual([]);
    // Nothing is measured yet: one task a claim finds out what it costs.
    expect(rig.claim()).toEqual([[0, 1]]);
  });

  it('counts rows on one disk, ends the job and keeps the ending', () => {
    const rig = new Rig();
    rig.submit('j', 4);
    rig.persisted(1);
    rig.load('j', 4);
    expect(rig.finishAll('j')).toEqual(['persist 2: j rows of a 0-4']);
    expect(rig.persisted(2)).toEqual([
      'jobChanged j',
      'persist 3: j done',
      'unloadJob j',
      'jobChanged j',
    ]);
    expect(rig.book('j').ending).toMatchObject({ state: 'done', done: 4, failed: 0 });
  });

  it('ends a job without tasks at once', () => {
    const rig = new Rig();
    expect(rig.submit('j', 0)).toEqual([
      'persist 1: job j',
      'loadJob j as 1',
      'persist 2: j done',
      'unloadJob j',
      'jobChanged j',
    ]);
    expect(rig.persisted(1)).toEqual(['answerSubmit j copies 1']);
  });

  it('does not run a file whose number of tasks is not the header’s', () => {
    const rig = new Rig();
    rig.submit('j', 4);
    const facts = rig.fact({ kind: 'jobLoaded', job: jobId('j'), work: equalWork(5) });
    expect(facts).toEqual(['log warn a job cannot run here']);
    expect(rig.claim()).toEqual([]);
  });
});

describe('submitting with another peer', () => {
  it('gives a job back to a submitter that died before its own disk had it', () => {
    const rig = new Rig({ name: 'b' });
    rig.connect('a');
    rig.hear('a', { kind: 'jobOffered', header: header('j', 10) });
    rig.load('j', 10);
    rig.lose('a');
    // Back with an empty memory, and offered nothing, for the job's record is not on this disk yet.
    expect(rig.connect('a', 1, 2)).not.toContain('> a: jobOffered j');
    rig.persisted(1);
    rig.hearing(1_500, 'c');
    expect(withoutBeats(rig.hear('a', beat()))).toEqual(['> a: jobOffered j']);
    expect(withoutBeats(rig.hear('a', beat({ jobs: [progress('j')] })))).toEqual([]);
  });

  it('offers the job at once, grants the armed peer its share when costs are known, and answers when the other disk has it', () => {
    const rig = new Rig();
    rig.connect('b');
    rig.hear('b', ARMED);
    expect(rig.submit('j', 100)).toEqual([
      'persist 1: job j',
      'loadJob j as 1',
      '> b: jobOffered j',
    ]);
    expect(rig.load('j', 100)).toEqual(['> b: grant 1 for 0: j 50-100']);
    expect(rig.persisted(1)).toEqual(['> b: jobStored j']);
    expect(rig.hear('b', STORED_J)).toEqual(['answerSubmit j copies 2']);
    expect(rig.hear('b', STORED_J)).toEqual([]);
  });

  it('answers with one copy when the other peer is lost before it has the job', () => {
    const rig = new Rig();
    rig.connect('b');
    rig.submit('j', 100);
    expect(rig.persisted(1)).toEqual(['> b: jobStored j']);
    expect(rig.lose('b')).toEqual(['answerSubmit j copies 1']);
  });

  it('answers with one copy when the only other peer says that it cannot run the job', () => {
    const rig = new Rig();
    rig.connect('b');
    rig.submit('j', 100);
    expect(rig.persisted(1)).toEqual(['> b: jobStored j']);
    const unable = { rates: [{ rateKey: 'test', unitsPerMs: 0 }], jobs: [progress('j')] };
    expect(rig.hear('b', beat(unable))).toEqual(['answerSubmit j copies 1']);
  });

  it('weighs the shares by measured rates, not by slots', () => {
    const rig = new Rig();
    rig.connect('b', 4);
    rig.connect('c', 4);
    // Nothing is measured here, so this peer counts as 1 slot x 1000 units per ms.
    rig.hear('b', { ...ARMED, slots: 4, rates: [{ rateKey: 'test', unitsPerMs: 7_000 }] });
    rig.hear('c', { ...ARMED, slots: 4, rates: [{ rateKey: 'test', unitsPerMs: 2_000 }] });
    rig.submit('j', 1_000);
    expect(rig.load('j', 1_000)).toEqual([
      '> b: grant 1 for 0: j 300-1000',
      '> c: grant 2 for 0: j 100-300',
    ]);
  });

  it('keeps a job that is too short to be worth the way', () => {
    const rig = new Rig({ slots: 1 });
    rig.connect('b');
    rig.hear('b', ARMED);
    rig.submit('j', 2);
    // A round trip is 1 ms until it is measured, a task is 1 ms.
    expect(rig.load('j', 2)).toEqual([]);
  });

  it('gives nothing that its own idle slots start at once', () => {
    const rig = new Rig({ slots: 8 });
    rig.connect('b', 8);
    rig.hear('b', { ...ARMED, slots: 8 });
    rig.submit('j', 8);
    expect(rig.load('j', 8, 50_000)).toEqual([]);
  });

  it('feeds nobody when seeding is off', () => {
    const rig = new Rig({ seeding: false });
    rig.connect('b');
    rig.hear('b', ARMED);
    rig.submit('j', 100);
    expect(rig.load('j', 100)).toEqual([]);
  });
});

describe('hearing of a job', () => {
  it('fetches it from those who have it, keeps it, and says so', () => {
    const rig = new Rig({ name: 'b' });
    rig.connect('a');
    rig.connect('c');
    const offer = { kind: 'jobOffered', header: header('j', 10) } as const;
    expect(rig.hear('a', offer)).toEqual(['loadJob j as 1']);
    expect(rig.hear('c', offer)).toEqual([]);
    expect(rig.load('j', 10)).toEqual(['persist 1: job j']);
    expect(rig.persisted(1)).toEqual(['> a: jobStored j', '> c: jobStored j']);
  });

  it('tells a peer that comes later of the jobs that it has and of those that ended', () => {
    const rig = new Rig();
    rig.submit('j', 2);
    rig.submit('k', 2);
    rig.persisted(1);
    rig.persisted(2);
    rig.load('k', 2);
    rig.finishAll('k');
    rig.persisted(3);
    expect(rig.book('k').ending?.state).toBe('done');
    expect(withoutBeats(rig.connect('b'))).toEqual([
      '> b: jobOffered j',
      '> b: jobStored j',
      '> b: jobEnded k done',
    ]);
    // The second copies follow in the background.
    expect(withoutBeats(rig.after(250))).toEqual(['> b: rows 1: k rows of a 0-2']);
  });

  it('offers a job that is still on its way to this disk to a peer that comes meanwhile', () => {
    const rig = new Rig();
    rig.submit('j', 100);
    expect(withoutBeats(rig.connect('b'))).toEqual(['> b: jobOffered j']);
    expect(rig.persisted(1)).toEqual(['> b: jobStored j']);
  });

  it('asks a disk that refused a job again later, and says nothing until it has it', () => {
    const rig = new Rig();
    rig.submit('j', 100);
    const failed = rig.fact({ kind: 'persistFailed', id: 1, reason: 'disk full' });
    expect(failed).toEqual(['log warn this disk did not keep a record']);
    expect(rig.during(4_500)).toEqual([]);
    expect(rig.during(1_000)).toEqual(['persist 2: job j']);
    expect(rig.persisted(2)).toEqual(['answerSubmit j copies 1']);
  });
});

describe('the end of a job', () => {
  it('is spread by the owner when it is on its disk, and kept by whoever hears of it', () => {
    const rig = new Rig({ name: 'b' });
    rig.connect('a');
    rig.hear('a', { kind: 'jobOffered', header: header('j', 10) });
    rig.load('j', 10);
    rig.persisted(1);
    const ended = { kind: 'jobEnded', header: header('j', 10), ending: doneEnding(10) } as const;
    expect(rig.hear('a', ended)).toEqual(['persist 2: j done', 'unloadJob j', 'jobChanged j']);
    expect(rig.hear('a', ended)).toEqual([]);
  });

  it('comes by cancelling, is passed on by everybody, and empties the queue', () => {
    const rig = new Rig({ name: 'b' });
    rig.connect('a');
    rig.connect('c');
    rig.hear('a', { kind: 'jobOffered', header: header('j', 10) });
    rig.hear('a', grantOf(10));
    rig.load('j', 10);
    rig.persisted(1);
    const cancelled = doneEnding(0, 'cancelled');
    const ended = { kind: 'jobEnded', header: header('j', 10), ending: cancelled } as const;
    expect(rig.hear('a', ended)).toEqual([
      'persist 2: j cancelled',
      '> a: jobEnded j cancelled',
      '> c: jobEnded j cancelled',
      'unloadJob j',
      'jobChanged j',
      // Idle again; the grant used up the lifeline at its sender, the one at c still holds.
      '> a: lifelineArmed',
    ]);
    expect(rig.claim()).toEqual([]);
    expect(rig.book('j').holdsTasks).toBe(false);
  });

  it('is `done` rather than `cancelled` when both were written', () => {
    const rig = new Rig({ name: 'b' });
    rig.connect('a');
    const told = (state: 'done' | 'cancelled') =>
      rig.hear('a', {
        kind: 'jobEnded',
        header: header('j', 10),
        ending: doneEnding(10, state),
      });
    told('cancelled');
    expect(told('done')).toContain('persist 2: j done');
    expect(told('cancelled')).toEqual([]);
    expect(rig.book('j').ending?.state).toBe('done');
  });

  it('leaves a finished job alone when somebody cancels it late', () => {
    const rig = new Rig();
    rig.submit('j', 0);
    expect(rig.fact({ kind: 'cancelRequested', job: jobId('j') })).toEqual([]);
  });

  it('is told again to a peer whose heartbeat says that it still runs the job', () => {
    const rig = new Rig();
    rig.connect('b');
    rig.submit('j', 0);
    expect(rig.hear('b', beat({ jobs: [progress('j')] }))).toEqual(['> b: jobEnded j done']);
  });
});

function grantOf(tasks: number) {
  const batches = [{ job: jobId('j'), intervals: [[0, tasks] as const] }];
  return { kind: 'grant', grant: 1, request: 0, batches } as const;
}
