// S3: every row anywhere is the row of its task, and an ended job has each of its tasks exactly once. S2: what
// counted as done is on a disk that is left.
import { countTasks, IntervalSet } from '../../../deque/interval-set.ts';
import type { JobId } from '../../ids.ts';
import type { JobEnding, RowBatch } from '../../job.ts';
import { referenceRows } from '../reference-row.ts';
import type { Check, JobTruth, PeerView, Step, WorldView } from '../watch.ts';

/** Looks at every batch at the moment when it is given to a disk. */
export function rowsAreTheReference(truths: (job: JobId) => JobTruth | undefined): Check {
  return {
    name: 'S3 a row is what a sequential loop computes',
    stepped({ outputs, peer }: Step): string | undefined {
      for (const output of outputs) {
        if (output.kind !== 'persist' || output.entry.kind !== 'rows') continue;
        const truth = truths(output.entry.job);
        if (truth === undefined) continue;
        const wrong = wrongRows(output.entry.batch, truth);
        if (wrong !== undefined) return `${peer} persists ${wrong}`;
      }
      return undefined;
    },
  };
}

function wrongRows(batch: RowBatch, truth: JobTruth): string | undefined {
  const { rowWidth, taskCount } = truth.header;
  const rows = countTasks(batch.intervals);
  if (batch.values.length !== rows * rowWidth)
    return `${batch.values.length} values of ${rows} rows`;
  if (batch.intervals.some(([start, end]) => start < 0 || end > taskCount || start >= end)) {
    return 'rows of tasks that the job has not';
  }
  if (batch.kind === 'failures') return undefined;
  const expected = referenceRows(truth.seed, rowWidth, batch.intervals);
  const at = expected.findIndex((value, i) => !Object.is(value, batch.values[i]));
  return at < 0
    ? undefined
    : `a wrong row ${Math.floor(at / rowWidth)} of ${JSON.stringify(batch.intervals)}`;
}

/** `rowsMayBeLost`: more disks were lost than a row has copies, or a copy was never due. */
export function everyTaskCountsOnce(rowsMayBeLost: (world: WorldView) => boolean): Check {
  return {
    name: 'S3 every task counts exactly once, and its row is kept',
    over(world: WorldView): string | undefined {
      for (const truth of world.jobs) {
        const left = world.peers.filter(({ isGone }) => !isGone);
        const endings = left.flatMap((peer) => endingsOf(peer, truth.header.job));
        for (const ending of endings) {
          const wrong = wrongEnding(ending, truth);
          if (wrong !== undefined) return wrong;
        }
        if (!endings.some(({ state }) => state === 'done') || rowsMayBeLost(world)) continue;
        const missing = new IntervalSet();
        missing.add(0, truth.header.taskCount);
        const gone = missing.subtract(rowsOn(left, truth.header.job));
        if (!gone.isEmpty)
          return `done, but no disk has the rows of ${JSON.stringify(gone.intervals())}`;
      }
      return undefined;
    },
  };
}

function wrongEnding(ending: JobEnding, truth: JobTruth): string | undefined {
  if (ending.state === 'cancelled' && truth.mayBeCancelled) return undefined;
  if (ending.state !== 'done') return `ended ${ending.state}`;
  const { taskCount } = truth.header;
  if (ending.done + ending.failed !== taskCount) {
    return `ended with ${ending.done} done and ${ending.failed} failed of ${taskCount}`;
  }
  const shares = ending.shares.reduce((sum, share) => sum + share.done, 0);
  return shares === taskCount ? undefined : `the shares hold ${shares} of ${taskCount} tasks`;
}

function endingsOf(peer: PeerView, job: JobId): JobEnding[] {
  return peer.journal.flatMap((entry) =>
    entry.kind === 'ended' && entry.job === job ? [entry.ending] : [],
  );
}

function rowsOn(peers: readonly PeerView[], job: JobId): IntervalSet {
  const intervals = peers.flatMap((peer) =>
    peer.journal.flatMap((entry) =>
      entry.kind === 'rows' && entry.job === job ? entry.batch.intervals : [],
    ),
  );
  return IntervalSet.from(intervals);
}
