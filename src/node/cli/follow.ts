// Following a job to its end: what `submit` and `watch` have in common. stdout carries the results, stderr the
// progress; leaving early never harms the job.
import type { JobEvent, JobSummary, ProgressEvent, RowsEvent } from '../control/api.ts';
import type { ControlHandlers } from '../control/handlers.ts';
import { EXIT_CODES, MeshError } from '../errors.ts';
import type { RowFilter } from '../control/row-query.ts';
import type { Context } from './context.ts';
import { type FailLimit, failLimitOf } from './fail-limit.ts';
import { settledWithin } from './wait.ts';
import { type Interrupt, Interrupts } from './interrupts.ts';
import { formatCount } from './output/format.ts';
import { renderSummary } from './output/job-screens.ts';
import { printJson } from './output/json.ts';
import { openProgress, type ProgressView } from './output/progress.ts';
import { passing, rowLines, writeResults } from './output/results-file.ts';
import { TaskOrder } from './output/task-order.ts';

export interface FollowOptions {
  readonly job: string;
  readonly top: number;
  readonly sort?: string;
  readonly where?: readonly RowFilter[];
  /** More failures than these cancel the job. */
  readonly maxFails?: FailLimit;
  /** Ctrl-C cancels the job instead of leaving it alone. */
  readonly cancelOnInterrupt?: boolean;
  /** What people call the job's data, by SHA-256. */
  readonly dataNames?: ReadonlyMap<string, string>;
  /** Rows on a pipe in the order of their tasks, and not as they are done. */
  readonly isInFileOrder?: boolean;
  /** Where all results go when the job has ended. */
  readonly outFile?: string;
  /** The command that finds the job again after this one has gone. */
  readonly resume: string;
  /** Of a command that could be interrupted before there was a job; taken off when the job is no more followed. */
  readonly interrupts?: Interrupts;
}

/** Why a follower goes before the job has ended. */
export type Departure = 'signal' | 'pipe' | 'timeout';

/** Says what happens to the job now and, for a peer that lives in this process, sees to it. */
export type Detach = (why: Departure, last: ProgressEvent | undefined) => Promise<void>;

type Outcome =
  | { readonly kind: 'ended'; readonly summary: JobSummary }
  | { readonly kind: 'broken'; readonly reason: string }
  | { readonly kind: 'interrupted'; readonly interrupt: Interrupt }
  | { readonly kind: 'timedOut' };

/** ms for the last rows of a job that was just cancelled. */
const CANCEL_MS_MAX = 5_000;

/** Returns the exit status. */
export async function follow(
  context: Context,
  peer: ControlHandlers,
  options: FollowOptions,
  detach: Detach,
): Promise<number> {
  const { interrupts = new Interrupts() } = options;
  // Those that were given are let go by whoever gave them.
  const letGo = options.interrupts === undefined ? () => interrupts.remove() : () => {};
  const { promise: timedOut, resolve: timeOut } = Promise.withResolvers<Outcome>();
  const timer =
    context.timeoutMs === undefined
      ? undefined
      : setTimeout(() => timeOut({ kind: 'timedOut' }), context.timeoutMs);
  const watching = new JobWatch(context, options);
  try {
    const stop = await watching.start(peer);
    const outcome = await Promise.race<Outcome>([
      watching.outcome,
      timedOut,
      interrupts.first.then((interrupt) => ({ kind: 'interrupted', interrupt })),
    ]);
    watching.clear();
    switch (outcome.kind) {
      case 'ended':
        stop();
        await printEnd(context, peer, options, outcome.summary);
        watching.sayWhy();
        return exitOf(outcome.summary);
      case 'interrupted':
        if (options.cancelOnInterrupt === true && outcome.interrupt.by !== 'pipe') {
          await peer.cancel(options.job);
          const end = await settledWithin(watching.outcome, CANCEL_MS_MAX);
          stop();
          if (end?.kind === 'ended') await printEnd(context, peer, options, end.summary);
          return EXIT_CODES.CANCELLED;
        }
        stop();
        await detach(outcome.interrupt.by === 'pipe' ? 'pipe' : 'signal', watching.last);
        return outcome.interrupt.exit;
      case 'timedOut':
        stop();
        await detach('timeout', watching.last);
        throw new MeshError('TIMEOUT', `--timeout passed and job ${options.job} has not ended`, {
          hint: options.resume,
        });
      case 'broken':
        throw new MeshError('UNREACHABLE', `the node went away (${outcome.reason})`, {
          hint: `mesh join && mesh watch ${options.job}`,
        });
    }
  } finally {
    clearTimeout(timer);
    letGo();
  }
}

/** Turns events into output as they come, and the last one into an outcome. */
class JobWatch {
  readonly outcome: Promise<Outcome>;
  last: ProgressEvent | undefined;
  #stopped: string | undefined;
  readonly #context: Context;
  readonly #options: FollowOptions;
  readonly #progress: ProgressView | undefined;
  readonly #settle: (outcome: Outcome) => void;
  readonly #order: TaskOrder | undefined;

  constructor(context: Context, options: FollowOptions) {
    this.#order = options.isInFileOrder === true ? new TaskOrder() : undefined;
    this.#context = context;
    this.#options = options;
    const { promise, resolve } = Promise.withResolvers<Outcome>();
    this.outcome = promise;
    this.#settle = resolve;
    this.#progress =
      context.quiet || context.json
        ? undefined
        : openProgress(context.err, { nowMs: () => Date.now(), dataNames: options.dataNames });
  }

  start(peer: ControlHandlers): Promise<() => void> | (() => void) {
    const { job, top, sort, where } = this.#options;
    const rows = streamsRows(this.#context, this.#options);
    const watch = {
      rows,
      labels: rows,
      top,
      ...(sort === undefined ? {} : { sort }),
      ...(where === undefined ? {} : { where }),
    };
    return peer.watch(job, watch, (event) => this.#hear(event, peer));
  }

  /** Why the job was cancelled from here; nothing when it was not. */
  sayWhy(): void {
    if (this.#stopped === undefined || this.#context.quiet || this.#context.json) return;
    this.#context.err.line(this.#stopped);
  }

  clear(): void {
    this.#progress?.clear();
  }

  #hear(event: JobEvent, peer: ControlHandlers): void {
    switch (event.kind) {
      case 'progress':
        this.last = event;
        this.#checkFails(event, peer);
        this.#progress?.show(event);
        return;
      case 'rows':
        this.#tell(event);
        return;
      case 'ended':
        this.#context.out.write(this.#order?.rest() ?? '');
        this.#settle(event);
        return;
      case 'broken':
        this.#settle(event);
    }
  }

  #tell(event: RowsEvent): void {
    const shown = passing(event, this.#options.where);
    const text = rowLines(shown);
    const due = this.#order?.take(event.tasks, shown.tasks, text) ?? text;
    this.#context.out.write(due);
  }

  #checkFails({ tasks, failed, job }: ProgressEvent, peer: ControlHandlers): void {
    const { maxFails } = this.#options;
    if (maxFails === undefined || this.#stopped !== undefined) return;
    if (failed <= failLimitOf(maxFails, tasks)) return;
    this.#stopped = `stopped: ${formatCount(failed)} of ${formatCount(tasks)} backtests failed (--max-fails ${maxFails.text})`;
    // A job that has ended meanwhile is as well.
    void peer.cancel(job).catch(() => {});
  }
}

/** On a pipe the rows are the output, unless a file or one object at the end was asked for. */
function streamsRows({ json, quiet, out }: Context, { outFile }: FollowOptions): boolean {
  return !json && !quiet && !out.isTty && outFile === undefined;
}

async function printEnd(
  context: Context,
  peer: ControlHandlers,
  options: FollowOptions,
  summary: JobSummary,
): Promise<void> {
  const { outFile } = options;
  if (outFile !== undefined) {
    const { sort, where } = options;
    const query = {
      labels: true,
      ...(sort === undefined ? {} : { sort }),
      ...(where === undefined ? {} : { where }),
    };
    await writeResults(outFile, await peer.results(options.job, query));
  }
  if (context.json) printJson(context.out, summary);
  else if (streamsRows(context, options)) printJson(context.out, { type: 'summary', ...summary });
  else if (!context.quiet) {
    const { out } = context;
    out.line(renderSummary(summary, out.columns, out.paint).join('\n'));
  }
  if (outFile !== undefined && !context.quiet && !context.json) {
    context.err.line(`results written to ${outFile}`);
  }
}

function exitOf({ state, failed, disputed }: JobSummary): number {
  if (state === 'cancelled') return EXIT_CODES.CANCELLED;
  return failed + disputed > 0 ? EXIT_CODES.TASKS_FAILED : 0;
}

/** The words for a job that lives on without this command. */
export function printDetached(
  context: Context,
  job: string,
  last: ProgressEvent | undefined,
): void {
  if (context.quiet || context.json) return;
  const done =
    last === undefined ? '' : ` (${formatCount(last.done)}/${formatCount(last.tasks)} done)`;
  context.err.line(`detached; job ${job} goes on${done}`);
  context.err.line(`  see it: mesh watch ${job}    end it: mesh cancel ${job}`);
}
