// What failed, with its input and the reason: everything that a person needs to repair a strategy, or to report a bug.
import { faultText } from '../../kernel/task-fault.ts';
import type { TaskRunner } from '../../kernel/job.ts';
import type { JobBook } from '../../stealing/job-book.ts';
import { packRows } from './rows.ts';
import type { FailuresView } from '../control/failure-api.ts';

/** Longest list: a person reads some, a script enough to see the kind. */
const FAILURES_MAX = 10_000;

/** Codes of attempts that were used up; all others are the strategy's own errors. */
const ATTEMPT_TEXTS: Readonly<Record<number, string>> = {
  90: 'its slot died in every attempt',
  91: 'it used up the memory of its slot in every attempt',
  92: 'it took longer than --task-timeout in every attempt',
  93: 'whole peers died over it',
};

export function failuresView(id: string, book: JobBook, runner: TaskRunner): FailuresView {
  const { ledger, tries, failureReasons } = book;
  const tasks = book.isActive ? ledger.counted : ledger.present;
  const { failed, values, columns, tasks: all } = packRows(ledger, tasks, runner.columns);
  const placeOf = new Map(all.map((task, place) => [task, place]));
  const failures = failed.slice(0, FAILURES_MAX).map((task) => {
    const code = values[((placeOf.get(task) ?? 0) + 1) * columns.length - 1] ?? 0;
    const isAttempt = ledger.failures.has(task);
    return {
      task,
      ...runner.label(task),
      code,
      error: ATTEMPT_TEXTS[code] ?? faultText(code) ?? `error ${code}`,
      mayRetry: isAttempt,
      attempts: tries.total(task),
      reason: failureReasons.get(task) ?? null,
    };
  });
  return { v: 1, job: id, failed: failed.length, failures };
}
