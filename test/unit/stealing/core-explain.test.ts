// Where a task is and why, and what the steal log says of it.
import { expect, it } from 'vitest';
import { jobId, peerId } from '../../../src/stealing/ids.ts';
import { beat, progress, Rig } from './rig.ts';

function placeOf(rig: Rig, task: number): { place: string; why: string } {
  const found = rig.core.explain(jobId('j'), task, rig.nowMs);
  return { place: found?.place ?? 'none', why: found?.why.join('; ') ?? '' };
}

it('is told of every place that a task can be in', () => {
  const rig = new Rig();
  rig.submit('j', 100);
  rig.persisted(1);
  expect(placeOf(rig, 3)).toEqual({
    place: 'queued',
    why: 'it is queued here behind 3 tasks of its job; the data of the job is on its way here',
  });
  rig.load('j', 100);
  rig.claim();
  expect(placeOf(rig, 0).place).toBe('running');
  expect(placeOf(rig, 1).place).toBe('next');
  rig.finish('j', [[0, 1]]);
  expect(placeOf(rig, 0)).toEqual({
    place: 'recorded',
    why: 'computed by a; on its way to a disk; it counts when a second disk has it, or when no second peer lives',
  });
  expect(rig.core.explain(jobId('j'), 100, rig.nowMs)).toBeUndefined();
  expect(rig.core.explain(jobId('k'), 0, rig.nowMs)).toBeUndefined();
});

it('names who holds it, as that peer said, and whom it was given to', () => {
  const rig = new Rig();
  rig.connect('b');
  rig.submit('j', 1_000);
  rig.persisted(1);
  rig.hear('b', { kind: 'jobStored', job: jobId('j') });
  rig.load('j', 1_000);
  const ask = { kind: 'stealRequest', request: 1, rates: [], slots: 1, backlogMs: 0 } as const;
  rig.hear('b', ask);
  expect(placeOf(rig, 999)).toEqual({
    place: 'granted',
    why: 'it was given to b, which has not confirmed it yet',
  });
  expect(rig.core.steals()).toMatchObject([
    { thief: peerId('b'), victim: peerId('a'), outcome: 'granted', why: 'asked', tasks: 500 },
  ]);
  rig.hear('b', { kind: 'grantConfirmed', grant: 1 });
  rig.hear('b', beat({ jobs: [progress('j', 500)] }));
  expect(placeOf(rig, 999)).toEqual({
    place: 'elsewhere',
    why: 'it is not here; tasks of this job are held by b',
  });
  rig.hear('b', beat({ jobs: [progress('j', 0)] }));
  expect(placeOf(rig, 999).place).toBe('missing');
});

it('says when a peer drains, or another job goes first', () => {
  const rig = new Rig();
  rig.submit('j', 10);
  rig.persisted(1);
  rig.load('j', 10);
  rig.fact({ kind: 'drainRequested', isWanted: true });
  expect(rig.core.status(rig.nowMs).stepsBack).toBe('drained');
  expect(placeOf(rig, 9).why).toContain('this peer drains and starts nothing');
  rig.fact({ kind: 'drainRequested', isWanted: false });
  expect(placeOf(rig, 9).why).not.toContain('drains');
});

it('says of a job that no live peer can run why, until one comes that can', () => {
  const rig = new Rig();
  rig.submit('j', 10);
  rig.persisted(1);
  const stuck = (): string | undefined => rig.core.status(rig.nowMs).jobs[0]?.stuck;
  expect(stuck()).toBeUndefined();
  rig.fact({ kind: 'jobUnloadable', job: jobId('j'), reason: 'no kernel test@1' });
  expect(stuck()).toBe('no kernel test@1');
  rig.connect('b');
  expect(stuck()).toBeUndefined();
  rig.hear('b', beat({ rates: [{ rateKey: 'test', unitsPerMs: 0 }] }));
  expect(stuck()).toBe('no kernel test@1');
});
