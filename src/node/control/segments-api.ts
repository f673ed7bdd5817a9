// What a peer says of a job that looks back at another one: whose segments its rows are.

export interface SegmentsView {
  readonly v: 1;
  /** The job that is looked back at, as people see it. */
  readonly job: string;
  /** The job of the segments: its rows are `segments` per entry of `of`, in that order. */
  readonly segmentsJob: string;
  readonly segments: number;
  /** Tasks of the first job: its winners, best first, then those that were drawn and are no winners. */
  readonly of: readonly number[];
  readonly winners: number;
  /** Tasks that stand for all that were tried, drawn evenly; all of them when they are few. */
  readonly drawn: readonly number[];
  readonly trials: {
    /** Tasks of the job. */
    readonly tasks: number;
    /** Those whose Sharpe ratio is defined, and the variance of these ratios (per year). */
    readonly ranked: number;
    readonly sharpeVariance: number;
  };
}
