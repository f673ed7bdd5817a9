// What a slot's finished tasks say of this peer's speed, and of the time that their job has had.
import { countTasks } from '../deque/interval-set.ts';
import type { Input } from './input.ts';
import type { JobBook } from './job-book.ts';
import type { CoreState } from './state.ts';
import { resizeMicroBatch } from './windows.ts';

export function measureFinished(
  state: CoreState,
  job: JobBook,
  { slot, intervals, busyMs }: Extract<Input, { kind: 'tasksFinished' }>,
): void {
  for (const [start, end] of intervals) job.running.remove(start, end);
  state.claimsNow(slot);
  const units = job.costs.of(intervals);
  if (job.servedMs === 0) state.rates.jobBegan(job.header.rateKey);
  state.rates.measured(job.header.rateKey, units, busyMs);
  state.slotSpeeds.measured(job.header.rateKey, { slot, units, busyMs }, state.nowMs);
  job.servedMs += busyMs;
  state.recent.add(state.nowMs, countTasks(intervals), units);
  resizeMicroBatch(state, job);
}
