// A slot that dies costs its claim only until it is queued again. Each of its tasks then runs alone, so that
// the next death names its task; a task whose attempts are used up is reported as failed, durable like a row.
import { type Interval, countTasks } from '../deque/interval-set.ts';
import type { JobBook } from './job-book.ts';
import type { Recording } from './recording.ts';
import type { CoreState } from './state.ts';

/** Error code in the last place of a row whose task used up its attempts. */
const ATTEMPTS_USED_UP = 90;

export function slotDied(
  state: CoreState,
  recording: Recording,
  job: JobBook,
  death: { readonly intervals: readonly Interval[]; readonly reason: string },
): void {
  state.log('warn', 'a slot died; its claim is queued again', {
    job: job.header.job,
    tasks: countTasks(death.intervals),
    reason: death.reason,
  });
  for (const [start, end] of death.intervals) {
    for (let task = start; task < end; task++) {
      const wasRunning = job.running.remove(task, task + 1) > 0;
      if (!wasRunning || !job.isActive || job.ledger.present.has(task)) continue;
      const attempts = (job.attempts.get(task) ?? 0) + 1;
      job.attempts.set(task, attempts);
      if (attempts < state.limits.attemptsMax) job.retries.add(task, task + 1);
      else recording.failed(job, [[task, task + 1]], ATTEMPTS_USED_UP);
    }
  }
}
