// New attempts for failed tasks, under the same job.
import { describe, expect, it } from 'vitest';
import { jobId, peerId } from '../../../src/stealing/ids.ts';
import type { RowBatch } from '../../../src/stealing/job.ts';
import { batchOf, doneEnding, header, Rig, rowsOf, withoutBeats } from './rig.ts';

const job = jobId('j');

describe('a retry', () => {
  it('opens the job again, forgets its failures, and tells everybody once that is on disk', () => {
    const rig = ended(failuresOf([4, 6]));
    rig.connect('b');
    const lines = withoutBeats(rig.fact({ kind: 'retryRequested', job }));
    expect(lines).toContain('loadJob j as 2');
    expect(lines).toContain('persist 1: j retried, round 1');
    expect(lines).toContain('> b: jobRetried j, round 1 after 1');
    const { ledger, isActive, round } = rig.book('j');
    expect({ isActive, round }).toEqual({ isActive: true, round: 1 });
    expect(ledger.present.intervals()).toEqual([
      [0, 4],
      [6, 10],
    ]);
    expect(ledger.failedCount).toBe(0);
  });

  it('ends with rows in place of the failures, and says so in its round', () => {
    const rig = ended(failuresOf([4, 6]));
    rig.fact({ kind: 'retryRequested', job });
    rig.load('j', 10);
    rig.during(2_000);
    const lines = rig.finishAll('j');
    const [id] = lines.flatMap((line) => /persist (\d+): j rows/.exec(line)?.[1] ?? []);
    rig.persisted(Number(id));
    expect(rig.book('j').ending).toMatchObject({ state: 'done', done: 10, failed: 0, round: 1 });
  });

  it('is refused while the job runs, and when nothing used up its attempts', () => {
    const whole = ended(undefined);
    expect(withoutBeats(whole.fact({ kind: 'retryRequested', job }))).toEqual([]);
    const running = new Rig();
    running.submit('j', 10);
    const lines = running.fact({ kind: 'retryRequested', job });
    expect(lines.filter((line) => line.includes('retried'))).toEqual([]);
  });

  it('reaches a peer that was away: its end and its failures are of an older round', () => {
    const rig = ended(failuresOf([4, 6]), 'b');
    rig.connect('a');
    rig.hear('a', { kind: 'jobRetried', header: header('j', 10), round: 1 });
    expect(rig.book('j')).toMatchObject({ isActive: true, round: 1 });
    const old = { kind: 'jobEnded', header: header('j', 10), ending: doneEnding(10) } as const;
    rig.hear('a', old);
    expect(rig.book('j').isActive).toBe(true);
    const late = { kind: 'rows', job, delivery: 7, batch: failuresOf([4, 6]) } as const;
    expect(rig.hear('a', late)).toContain('> a: rowsKept 7');
    expect(rig.book('j').ledger.failures.isEmpty).toBe(true);
  });

  it('that ended while a peer was away leaves none of its old failures there', () => {
    const rig = ended(failuresOf([4, 6]), 'b');
    rig.connect('a');
    const ending = { ...doneEnding(10), round: 2 };
    rig.hear('a', { kind: 'jobEnded', header: header('j', 10), ending });
    expect(rig.book('j')).toMatchObject({ isActive: false, round: 2 });
    expect(rig.book('j').ledger.failures.isEmpty).toBe(true);
  });
});

function failuresOf(interval: [number, number]): RowBatch {
  return { ...batchOf('a', interval), kind: 'failures', values: rowsOf([interval]) };
}

/** Peer a, or b, after a restart: a job of 10 ended with these failures. */
function ended(failures: RowBatch | undefined, name = 'a'): Rig {
  const rig = new Rig({ name });
  const rows =
    failures === undefined ? [batchOf('a', [0, 10])] : [batchOf('a', [0, 4], [6, 10]), failures];
  rig.fact({
    kind: 'jobRecovered',
    header: { ...header('j', 10), submitter: peerId('a') },
    batches: rows,
    ending: doneEnding(10),
  });
  return rig;
}
