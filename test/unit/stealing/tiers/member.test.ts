// A core that is a member of a group of a larger mesh.
import { describe, expect, test } from 'vitest';
import { type PeerId, peerId, jobId, ranked } from '../../../../src/stealing/ids.ts';
import { beat, header, progress, Rig, withoutBeats } from '../rig.ts';

const MEMBERS = ['a', 'b', 'c', 'd', 'e', 'f', 'g'].map(peerId);

/** The job whose members rank so that `a` is at this place. */
function jobWithRank(place: number): { readonly job: string; readonly order: readonly PeerId[] } {
  for (let i = 0; ; i++) {
    const order = ranked(`job-${i}`, MEMBERS);
    if (order[place] === 'a') return { job: `job-${i}`, order };
  }
}

/** `a` keeps a job that its speaker b offered; what it then says. */
function keeping(rig: Rig, job: string): string[] {
  rig.fact({ kind: 'speakerChosen', peer: peerId('b') });
  for (const peer of MEMBERS.slice(1)) rig.connect(peer);
  rig.hear('b', { kind: 'jobOffered', header: header(job, 10, 'x') });
  const [kept = ''] = rig.load(job, 10).filter((line) => line.startsWith('persist'));
  return withoutBeats(rig.persisted(Number(/\d+/.exec(kept)?.[0])));
}

function everybody(job: string): string[] {
  return MEMBERS.slice(1).map((peer) => `> ${peer}: jobStored ${job}`);
}

/** By their names of one letter. */
function armedAt(lines: readonly string[]): string[] {
  return lines.filter((line) => line.includes('lifelineArmed')).map((line) => line.slice(2, 3));
}

describe('a member of a group', () => {
  test('says that it keeps a job when it is among the first who would answer for it', () => {
    const { job } = jobWithRank(3);
    expect(keeping(new Rig({ isPart: true }), job)).toEqual(everybody(job));
  });

  test('keeps its peace behind these, until one of them is gone', () => {
    const { job, order } = jobWithRank(4);
    const rig = new Rig({ isPart: true });
    expect(keeping(rig, job)).toEqual([]);
    const [first = ''] = order;
    rig.lose(first);
    const told = rig.during(250).filter((line) => line.includes('jobStored'));
    expect(told).toEqual(everybody(job).filter((line) => !line.startsWith(`> ${first}:`)));
    expect(rig.during(500).filter((line) => line.includes('jobStored'))).toEqual([]);
  });

  test('arms its lifelines once it knows who speaks for the group, of all who have come by then', () => {
    const rig = new Rig({ isPart: true });
    const met = MEMBERS.slice(1).flatMap((peer) => rig.connect(peer));
    expect(armedAt([...met, ...rig.during(1_000)])).toEqual([]);
    expect(armedAt(rig.fact({ kind: 'speakerChosen', peer: peerId('d') }))).toEqual(
      MEMBERS.slice(1),
    );
  });

  test('arms them without a speaker as soon as there is a job', () => {
    const rig = new Rig({ isPart: true });
    for (const peer of MEMBERS.slice(1)) rig.connect(peer);
    const lines = rig.hear('b', { kind: 'jobOffered', header: header('j', 10, 'b') });
    expect(armedAt(lines)).toEqual(MEMBERS.slice(1));
  });

  test('passes over those who cannot run the job', () => {
    const { job, order } = jobWithRank(4);
    const rig = new Rig({ isPart: true });
    keeping(rig, job);
    rig.hear(order[0] ?? '', beat({ rates: [{ rateKey: 'test', unitsPerMs: 0 }] }));
    expect(rig.during(250).some((line) => line.includes('jobStored'))).toBe(true);
  });

  test('answers for a job as soon as it hears of it, when it speaks for the group', () => {
    const rig = new Rig({ isPart: true });
    rig.fact({ kind: 'speakerChosen', peer: peerId('a') });
    rig.connect('b');
    rig.hear('b', { kind: 'jobOffered', header: header('j', 10, 'b') });
    const lines = rig.load('j', 10);
    expect(rig.book('j').lastOwner).toBe('a');
    expect([...lines, ...rig.during(500)].filter((line) => line.includes('census'))).toEqual([]);
  });

  test('goes by the time that its speaker names, less what has passed, until all is done', () => {
    const rig = new Rig({ isPart: true });
    keeping(rig, 'j');
    const job = jobId('j');
    rig.hear('b', beat({ jobs: [{ ...progress('j'), restMs: 4_000 }] }));
    expect(rig.core.restMs(job)).toBe(4_000);
    rig.hearing(1_000, 'c');
    expect(rig.core.restMs(job)).toBe(3_000);
    rig.hear('c', beat({ jobs: [{ ...progress('j'), restMs: 3_500 }] }));
    expect(rig.core.restMs(job)).toBe(3_500);
  });
});

describe('who follows a speaker', () => {
  test('answers for what the group holds, as a census of it finds out', () => {
    const rig = new Rig({ isPart: true });
    keeping(rig, 'j');
    rig.lose('b');
    rig.fact({ kind: 'speakerChosen', peer: peerId('a') });
    const job = jobId('j');
    const held: Record<string, [number, number][]> = { c: [[0, 3]], d: [[5, 6]] };
    for (const peer of ['c', 'd', 'e', 'f', 'g']) {
      const answer = { onDisk: [], held: held[peer] ?? [] };
      rig.hear(peer, { kind: 'censusAnswer', job, census: 1, ...answer });
    }
    expect(rig.book('j').scope.intervals()).toEqual([
      [0, 3],
      [5, 6],
    ]);
    rig.fact({ kind: 'tasksAdopted', job, intervals: [[0, 4]] });
    expect(rig.book('j').running.intervals()).toEqual([[0, 4]]);
  });
});
