// What the control socket says of tasks that failed, and of giving them new attempts.
import type { TaskName } from './api.ts';

export interface FailuresView {
  readonly v: 1;
  readonly job: string;
  readonly failed: number;
  /** In task order; at most 10,000. */
  readonly failures: readonly (TaskName & {
    readonly task: number;
    /** The last value of its row. */
    readonly code: number;
    readonly error: string;
    /** Its attempts were used up: `mesh retry` gives it new ones. The other errors are the strategy's own. */
    readonly mayRetry: boolean;
    readonly attempts: number;
    /** What died over it said, as far as this peer heard. */
    readonly reason: string | null;
  })[];
}

export interface RetryView {
  readonly v: 1;
  readonly job: string;
  /** That run again; 0: nothing had used up its attempts. */
  readonly tasks: number;
}
