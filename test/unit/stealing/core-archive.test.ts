// Rows of ended jobs are on disk only, and come back for whoever reads them.
import { describe, expect, it } from 'vitest';
import { jobId } from '../../../src/stealing/ids.ts';
import { batchOf, doneEnding, header, Rig, withoutBeats } from './rig.ts';

const IDLE_MS = 60_000;

describe('the rows of an ended job', () => {
  it('stay on the disk of a peer that starts again, and are brought back to be read', () => {
    const rig = recovered();
    const { ledger } = rig.book('j');
    expect(ledger.present.intervals()).toEqual([[0, 10]]);
    expect(ledger.released.intervals()).toEqual([[0, 10]]);

    expect(read(rig)).toEqual(['recallRows j']);
    expect(read(rig)).toEqual([]);
    recall(rig, [0, 4], [4, 10]);
    expect(ledger.released.isEmpty).toBe(true);
    const row = new Float64Array(2);
    ledger.readRow(7, row, 0);
    expect([...row]).toEqual([7, 7.1]);
    expect(read(rig)).toEqual([]);
  });

  it('leave the memory a minute after they were read last, and come again', () => {
    const rig = recovered();
    read(rig);
    recall(rig, [0, 10]);
    rig.during(IDLE_MS - 1_000);
    read(rig);
    rig.during(IDLE_MS - 1_000);
    expect(rig.book('j').ledger.released.isEmpty).toBe(true);
    rig.during(2_000);
    expect(rig.book('j').ledger.released.count).toBe(10);
    expect(read(rig)).toEqual(['recallRows j']);
  });

  it('leave the memory of the peer that ran the job, as far as its disk has them', () => {
    const rig = new Rig();
    rig.submit('j', 10);
    rig.persisted(1);
    rig.load('j', 10);
    const [id] = rig.finishAll('j').flatMap((line) => /persist (\d+): /.exec(line)?.[1] ?? []);
    rig.persisted(Number(id));
    expect(rig.book('j').isActive).toBe(false);
    expect(rig.book('j').ledger.released.isEmpty).toBe(true);
    rig.during(IDLE_MS + 1_000);
    expect(rig.book('j').ledger.released.count).toBe(10);
  });

  it('are sent to a peer that lacks them, once they are back', () => {
    const rig = recovered('b');
    rig.connect('c');
    const wanted = { kind: 'rowsWanted', job: jobId('j'), intervals: [[2, 5]] } as const;
    expect(withoutBeats(rig.hear('c', wanted))).toEqual(['recallRows j']);
    expect(recall(rig, [0, 10]).filter((line) => line.startsWith('> c: rows '))).toEqual([
      '> c: rows 1: j rows of a 2-5',
      // The rest goes with it: only one live disk has it.
      '> c: rows 2: j rows of a 0-2 5-10',
    ]);
  });

  it('of two jobs go to a peer that lacks both one after the other, and leave the memory when it has them', () => {
    const rig = recovered('b', 'j', 'k');
    rig.connect('c');
    const wanted = (job: string): string[] =>
      withoutBeats(rig.hear('c', { kind: 'rowsWanted', job: jobId(job), intervals: [[0, 10]] }));
    expect(wanted('j')).toEqual(['recallRows j']);
    expect(wanted('k')).toEqual([]);
    const sent = recall(rig, [0, 10]).filter((line) => line.startsWith('> c: rows '));
    expect(sent).toEqual(['> c: rows 1: j rows of a 0-10']);
    expect(rig.book('j').ledger.released.isEmpty).toBe(true);
    expect(withoutBeats(rig.hear('c', { kind: 'rowsKept', delivery: 1 }))).toEqual([
      'recallRows k',
    ]);
    expect(rig.book('j').ledger.released.count).toBe(10);
  });

  it('go to the peer that waits for its turn as soon as somebody here reads them, and stay', () => {
    const rig = recovered('b', 'k', 'j');
    rig.connect('c');
    for (const job of ['k', 'j'])
      rig.hear('c', { kind: 'rowsWanted', job: jobId(job), intervals: [[0, 10]] });
    expect(read(rig)).toEqual(['recallRows j']);
    const sent = recall(rig, [0, 10]).filter((line) => line.startsWith('> c: rows '));
    expect(sent).toEqual(['> c: rows 1: j rows of a 0-10']);
    rig.hear('c', { kind: 'rowsKept', delivery: 1 });
    rig.hearing(2_000, 'c');
    expect(rig.book('j').ledger.released.isEmpty).toBe(true);
  });

  it('stay for whoever reads them, though they were copied to another disk meanwhile', () => {
    const rig = recovered();
    read(rig);
    rig.connect('c');
    // A heartbeat passes, and finds that only one disk has them.
    rig.hearing(500, 'c');
    recall(rig, [0, 10]);
    rig.hear('c', { kind: 'rowsKept', delivery: 1 });
    rig.hearing(5_000, 'c');
    expect(rig.book('j').ledger.released.isEmpty).toBe(true);
  });

  it('that the disk does not give back any more are rows that this peer lacks', () => {
    const rig = recovered();
    read(rig);
    recall(rig, [0, 6]);
    expect(rig.book('j').ledger.present.intervals()).toEqual([[0, 6]]);
    expect(rig.book('j').ledger.released.isEmpty).toBe(true);
  });

  it('are forgotten with their job when it has been kept for long enough', () => {
    const rig = recovered();
    rig.fact({ kind: 'jobExpired', job: jobId('j') });
    expect(rig.core.book(jobId('j'))).toBeUndefined();
    const running = new Rig();
    running.submit('k', 3);
    running.fact({ kind: 'jobExpired', job: jobId('k') });
    expect(running.core.book(jobId('k'))).toBeDefined();
  });
});

function recovered(name = 'a', ...jobs: readonly string[]): Rig {
  const rig = new Rig({ name });
  const { kind, maker, intervals } = batchOf('a', [0, 10]);
  for (const job of jobs.length === 0 ? ['j'] : jobs) {
    rig.fact({
      kind: 'jobRecovered',
      header: header(job, 10),
      batches: [],
      released: [{ kind, maker, intervals }],
      ending: doneEnding(10),
    });
  }
  return rig;
}

function read(rig: Rig): string[] {
  const lines = rig.fact({ kind: 'rowsRequested', job: jobId('j') });
  return lines.filter((line) => line.startsWith('recallRows'));
}

function recall(rig: Rig, ...intervals: [number, number][]): string[] {
  const batches = intervals.map((interval) => batchOf('a', interval));
  return rig.fact({ kind: 'rowsRecalled', job: jobId('j'), batches });
}
