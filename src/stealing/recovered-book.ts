// The book of a job as this peer's disk has it.
import type { Input } from './input.ts';
import type { JobBook } from './job-book.ts';
import type { CoreState } from './state.ts';

/** What is missing here may lie with a peer that starts later. Of those that the disk names one that was never met in
 * this life is waited for, and not for ever: it may be gone for good. */
export function awaitsOthers(state: CoreState, job: JobBook): boolean {
  if (state.nowMs >= job.awaitedUntilMs) return false;
  return job.awaitedPeers.some((peer) => state.beliefs.get(peer) === undefined);
}

export function recoveredBook(
  state: CoreState,
  input: Extract<Input, { kind: 'jobRecovered' }>,
): JobBook {
  const job = state.openBook(input.header);
  job.storedBy.add(state.self);
  job.record = 'kept';
  job.hasData = true;
  for (const batch of input.batches) {
    job.ledger.add(batch);
    job.ledger.markOnDisk(state.self, batch.intervals);
  }
  for (const rows of input.released ?? []) {
    job.ledger.addReleased(rows);
    job.ledger.markOnDisk(state.self, rows.intervals);
  }
  job.hasRowsInMemory = input.batches.length > 0;
  state.jobs.turned(job, input.ending);
  job.round = input.round ?? 0;
  for (const liar of input.liars ?? []) {
    job.liars.add(liar);
    // Caught by this very peer, whose word it takes; others said so of jobs of theirs.
    if (input.header.submitter !== state.self || state.beliefs.isQuarantined(liar)) continue;
    state.beliefs.quarantine(liar);
    const fields = { job: input.header.job, peer: liar };
    state.log('warn', 'a peer that gave wrong rows is still quarantined', fields);
  }
  if (input.ending !== undefined) {
    job.rowsUsedMs = Number.NEGATIVE_INFINITY;
    job.ledger.count(job.ledger.present.intervals());
    return job;
  }
  job.awaitedUntilMs = state.nowMs + state.limits.reviveWaitMs;
  const makers = job.ledger.makers().map(([maker]) => maker);
  // The submitter had most of it, also where nobody's rows but its own lie on this disk.
  job.awaitedPeers = [...makers, input.header.submitter].filter(
    (peer) => peer !== state.self && !state.beliefs.isQuarantined(peer),
  );
  return job;
}
