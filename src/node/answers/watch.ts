// One watcher of one job: progress as snapshots, each counted row once, the end last. Rows go out piece by piece, with
// turns for everybody else in between: a hundred thousand at once would keep the peer's main thread for seconds.
import { setImmediate as nextTurn } from 'node:timers/promises';
import { countTasks, IntervalSet } from '../../deque/interval-set.ts';
import type { TaskRunner } from '../../kernel/job.ts';
import type { Ledger } from '../../stealing/ledger.ts';
import type { JobId } from '../../stealing/ids.ts';
import type { BlobRef } from '../../stealing/job.ts';
import type { CoreStatus, JobStatus } from '../../stealing/status.ts';
import type { CopyView, JobEvent, JobSummary, RankedTask } from '../control/api.ts';
import type { WatchOptions } from '../control/handlers.ts';
import { compareRows, parseSort } from '../control/row-query.ts';
import type { Copy } from './copies.ts';
import { packRows } from './rows.ts';
import { topOf } from './summary.ts';
import { displayName, pace, progressPeers } from './views.ts';

/** Rows per event: some hundred KiB of JSON at most. */
const ROWS_PER_EVENT = 1_000;

export interface WatchPorts {
  status(): CoreStatus;
  /** The job's id as people see it. */
  shown(): string;
  ledger(): Ledger | undefined;
  /** undefined until the job is compiled here. */
  runner(): TaskRunner | undefined;
  /** Data of the job that is on its way from here. */
  copies(refs: readonly BlobRef[]): readonly Copy[];
  /** Called once, when the job has ended and its rows are here. */
  summary(): Promise<JobSummary>;
}

export class Watch {
  readonly #job: JobId;
  readonly #ports: WatchPorts;
  readonly #options: WatchOptions;
  readonly #listener: (event: JobEvent) => void;
  readonly #told = new IntervalSet();
  #best: RankedTask | undefined;
  #isEnding = false;
  #isStopped = false;
  #isTelling = false;

  constructor(
    job: JobId,
    ports: WatchPorts,
    options: WatchOptions,
    listener: (event: JobEvent) => void,
  ) {
    this.#job = job;
    this.#ports = ports;
    this.#options = options;
    this.#listener = listener;
  }

  get isStopped(): boolean {
    return this.#isStopped;
  }

  stop(): void {
    this.#isStopped = true;
  }

  /** Something may have changed. */
  look(): void {
    if (this.#isStopped || this.#isEnding) return;
    const status = this.#ports.status();
    const job = status.job(this.#job);
    if (job === undefined) return;
    const isMore = this.#tellRows(job);
    this.#tellProgress(status, job);
    if (!job.isActive) void this.#end(job);
    else if (isMore) void this.#tellOn(job);
  }

  async #tellOn(job: JobStatus): Promise<void> {
    if (this.#isTelling) return;
    this.#isTelling = true;
    do await nextTurn();
    while (!this.#isEnding && this.#tellRows(job));
    this.#isTelling = false;
  }

  async #end(job: JobStatus): Promise<void> {
    this.#isEnding = true;
    const summary = await this.#ports.summary();
    while (this.#tellRows(job)) await nextTurn();
    if (this.#isStopped) return;
    this.#isStopped = true;
    this.#listener({ kind: 'ended', summary });
  }

  #tellProgress(status: CoreStatus, job: JobStatus): void {
    const { header } = job;
    const copies = this.#ports.copies(header.datasets);
    this.#listener({
      kind: 'progress',
      job: this.#ports.shown(),
      name: header.name,
      tasks: header.taskCount,
      done: Math.max(0, job.counted - job.failed),
      failed: job.failed,
      cached: countTasks(header.cached ?? []),
      elapsedMs: job.elapsedMs,
      ...pace(job),
      peers: progressPeers(status, job),
      ...(copies.length === 0 ? {} : { copies: copies.map((copy) => copyView(status, copy)) }),
      ...(this.#best === undefined ? {} : { best: this.#best }),
    });
  }

  /** Tells some rows; whether there are more. At the owner rows are told when they count; elsewhere when they are here,
   * which is after they counted. */
  #tellRows(job: JobStatus): boolean {
    const ledger = this.#ports.ledger();
    const runner = this.#ports.runner();
    // Rows of an ended job are read back for its summary, which comes before the end is told.
    if (ledger === undefined || runner === undefined || !ledger.released.isEmpty) return false;
    const counted = job.isActive ? ledger.counted : ledger.present;
    const fresh = counted.subtract(this.#told);
    if (fresh.isEmpty || this.#isStopped) return false;
    const part = firstOf(fresh, ROWS_PER_EVENT);
    for (const [start, end] of part.intervals()) this.#told.add(start, end);
    const rows = packRows(ledger, part, runner.columns);
    this.#best = better(runner.rankBy, this.#best, topOf(rows, { top: 1 }, runner)[0]);
    if (this.#options.rows) {
      const labels =
        this.#options.labels === true ? rows.tasks.map((task) => runner.label(task)) : undefined;
      this.#listener({ kind: 'rows', ...rows, ...(labels === undefined ? {} : { labels }) });
    }
    return fresh.count > part.count;
  }
}

function copyView(status: CoreStatus, { to, ...rest }: Copy): CopyView {
  const face = status.peers.find((peer) => peer.face.peer === to)?.face;
  return { peer: displayName(status, to, face?.name ?? to.slice(-8)), ...rest };
}

/** By the job's own ranking, as selectRows understands it. */
function better(
  rankBy: string | undefined,
  a: RankedTask | undefined,
  b: RankedTask | undefined,
): RankedTask | undefined {
  if (a === undefined || b === undefined || rankBy === undefined) return a ?? b;
  const { column, direction } = parseSort(rankBy, [rankBy]);
  const valueOf = (ranked: RankedTask): { task: number; value: number } => ({
    task: ranked.task,
    value: ranked.metrics[column] ?? Number.NaN,
  });
  return compareRows({ column, direction }, valueOf(a), valueOf(b)) <= 0 ? a : b;
}

function firstOf(tasks: IntervalSet, count: number): IntervalSet {
  const part = new IntervalSet();
  for (const [start, end] of tasks.intervals()) {
    const room = count - part.count;
    if (room <= 0) break;
    part.add(start, Math.min(end, start + room));
  }
  return part;
}
