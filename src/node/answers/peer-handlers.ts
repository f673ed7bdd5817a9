// A peer's answers to the control socket. Everything shown comes from the core's snapshot and the ledger's rows;
// everything asked for goes to the core as a fact. Nothing here decides who runs what.
import { IntervalSet } from '../../deque/interval-set.ts';
import type { JobId } from '../../stealing/ids.ts';
import type { BlobRef } from '../../stealing/job.ts';
import type { JobBook } from '../../stealing/job-book.ts';
import type { Message } from '../../stealing/messages.ts';
import type { JobStatus } from '../../stealing/status.ts';
import type {
  ApprovalView,
  BrokenEvent,
  CancelView,
  ConnectView,
  ForgetView,
  InviteView,
  JobEvent,
  JobsView,
  JobSummary,
  KeyView,
  LeaveView,
  PeersView,
  RekeyView,
  ResultsView,
  SnapshotEvent,
  StatusView,
  SubmitView,
  TradesView,
} from '../control/api.ts';
import type { DrainView, ExplainView, StealLogView } from '../control/placement-api.ts';
import type {
  ControlHandlers,
  ObserveOptions,
  ResultsQuery,
  SubmitRequest,
  SummaryQuery,
  WatchOptions,
} from '../control/handlers.ts';
import { resolveJob, resolveJobs, type SelectableJob, shownJobId } from '../control/selector.ts';
import { MeshError } from '../errors.ts';
import type { LogLine, LogQuery } from '../logs/log-line.ts';
import { Copies } from './copies.ts';
import { gatherRows } from './gather-rows.ts';
import { failuresView } from './failures.ts';
import { Observer } from './observer.ts';
import { bestRows, packRows, resultsSha256 } from './rows.ts';
import type { SegmentsView } from '../control/segments-api.ts';
import { lookBack } from './look-back.ts';
import { isDrained, statusView } from './status-view.ts';
import { amongTheBest, type FinishedRows, resultsView, summaryOf } from './summary.ts';
import { explainView, stealLogView } from './explain-view.ts';
import { type Contact, jobsView, peersView, shareViews } from './views.ts';
import { Watch } from './watch.ts';
import type { FailuresView, RetryView } from '../control/failure-api.ts';
import type { PeerPorts } from './peer-ports.ts';

/** ms between two snapshots to one watcher: 10 a second are smooth, more is noise. */
const PROGRESS_MS = 100;
/** ms between two samples of every peer's load. */
const SAMPLE_MS = 1_000;

export class PeerHandlers implements ControlHandlers {
  readonly #ports: PeerPorts;
  readonly #watches = new Map<JobId, Set<Watch>>();
  readonly #due = new Map<JobId, NodeJS.Timeout>();
  /** By job and round. */
  readonly #hashes = new Map<string, Promise<string>>();
  readonly #observer = new Observer();
  readonly #copies = new Copies();
  readonly #observing = new Set<NodeJS.Timeout>();
  readonly #sampling: NodeJS.Timeout;

  constructor(ports: PeerPorts) {
    this.#ports = ports;
    this.#sampling = setInterval(
      () => this.#observer.sample(this.#ports.coreStatus(), Date.now()),
      SAMPLE_MS,
    );
    this.#sampling.unref();
  }

  /** A message leaves for, or came from, a peer: the screens show who takes work from whom. */
  saw(direction: 'sent' | 'heard', peer: string, message: Message): void {
    this.#observer[direction](this.#ports.identity.id, peer, message, Date.now());
  }

  /** So much of a job's data has left for a peer. */
  copying(to: string, ref: BlobRef, sentBytes: number): void {
    this.#copies.note(to, ref, { sentBytes, nowMs: Date.now() });
  }

  met(peer: string): void {
    this.#observer.met(peer);
  }

  /** The core says that a job changed: its watchers look, a few times a second at most. */
  jobChanged(job: JobId): void {
    if (!this.#watches.has(job)) return;
    const isOver = this.#ports.book(job)?.isActive === false;
    if (isOver) this.#lookNow(job);
    else if (!this.#due.has(job)) {
      this.#due.set(
        job,
        setTimeout(() => this.#lookNow(job), PROGRESS_MS),
      );
    }
  }

  close(): void {
    clearInterval(this.#sampling);
    for (const timer of this.#observing) clearInterval(timer);
    for (const timer of this.#due.values()) clearTimeout(timer);
    for (const watches of this.#watches.values()) for (const watch of watches) watch.stop();
  }

  status(): Promise<StatusView> {
    return statusView(this.#ports);
  }

  peers(): PeersView {
    const contactOf = (peer: string): Contact | undefined => this.#ports.contact(peer);
    return peersView(this.#ports.coreStatus(), contactOf, Date.now());
  }

  jobs(): JobsView {
    return jobsView(this.#ports.coreStatus());
  }

  hasBlob(sha256: string): Promise<boolean> {
    return this.#ports.hasBlob(sha256);
  }

  putBlob(sha256: string, body: AsyncIterable<Uint8Array>): Promise<void> {
    return this.#ports.putBlob(sha256, body);
  }

  async submit(request: SubmitRequest): Promise<SubmitView> {
    const { job, copies } = await this.#ports.submit(request);
    return { v: 1, job: this.#shown(job), jobId: job, copies };
  }

  watch(selector: string, options: WatchOptions, listener: (event: JobEvent) => void): () => void {
    const job = this.#resolve(selector);
    const ports = {
      status: () => this.#ports.coreStatus(),
      shown: () => this.#shown(job),
      ledger: () => this.#ports.book(job)?.ledger,
      runner: () => this.#ports.knownRunner(job),
      copies: (refs: readonly BlobRef[]) => this.#copies.underWay(refs, Date.now()),
      summary: () => this.summary(job, options),
    };
    const watch = new Watch(job, ports, options, listener);
    const watches = this.#watches.get(job) ?? new Set();
    this.#watches.set(job, watches.add(watch));
    // A job that runs elsewhere changes without telling this core: look for as long as somebody watches.
    const timer = setInterval(() => watch.look(), PROGRESS_MS * 5);
    const stop = (): void => {
      clearInterval(timer);
      watch.stop();
      watches.delete(watch);
      if (watches.size === 0) this.#watches.delete(job);
    };
    setImmediate(() => watch.look());
    return stop;
  }

  observe(
    { intervalMs }: ObserveOptions,
    listener: (event: SnapshotEvent | BrokenEvent) => void,
  ): () => void {
    const contactOf = (peer: string): Contact | undefined => this.#ports.contact(peer);
    const look = (): void =>
      listener(this.#observer.snapshot(this.#ports.coreStatus(), contactOf, Date.now()));
    const timer = setInterval(look, intervalMs);
    this.#observing.add(timer);
    setImmediate(look);
    return () => {
      clearInterval(timer);
      this.#observing.delete(timer);
    };
  }

  async summary(selector: string, query: SummaryQuery): Promise<JobSummary> {
    const id = this.#resolve(selector);
    const book = await this.#complete(id);
    const runner = await this.#ports.runner(book).catch(() => undefined);
    const columns = runner?.columns ?? [];
    const counted = columns.length > 0 ? this.#counted(book) : new IntervalSet();
    const ranked = { ...amongTheBest(query, runner), rankBy: runner?.rankBy };
    const rows: FinishedRows = {
      ...(await bestRows(book.ledger, counted, columns, ranked)),
      resultsSha256: book.isActive ? null : await this.#hash(book),
    };
    const job = this.#job(id);
    const peers = shareViews(this.#ports.coreStatus(), job);
    return summaryOf(job, { id: this.#shown(id), query, peers }, rows, runner);
  }

  async results(selector: string, query: ResultsQuery): Promise<ResultsView> {
    const id = this.#resolve(selector);
    const book = await this.#complete(id);
    const runner = await this.#ports.runner(book);
    const rows = packRows(book.ledger, this.#counted(book), runner.columns);
    return resultsView(this.#shown(id), rows, query, runner);
  }

  async *logs(query: LogQuery, signal?: AbortSignal): AsyncGenerator<LogLine> {
    yield* this.#ports.logs(query, signal);
  }

  async trades(selector: string, task: number): Promise<TradesView> {
    const id = this.#resolve(selector);
    const book = this.#book(id);
    if (task >= book.header.taskCount) {
      throw new MeshError('NOT_FOUND', `job ${this.#shown(id)} has no task ${task}`, {
        hint: `tasks are 0..${book.header.taskCount - 1}`,
      });
    }
    const runner = await this.#ports.runner(book);
    const trades = runner.trades(task).map(({ entryTimeMs, exitTimeMs, ...trade }) => ({
      ...trade,
      entryTime: new Date(entryTimeMs).toISOString(),
      exitTime: new Date(exitTimeMs).toISOString(),
    }));
    return { v: 1, trades };
  }

  explain(selector: string, task: number): ExplainView {
    const job = this.#resolve(selector);
    const explained = this.#ports.explain(job, task);
    if (explained === undefined) {
      throw new MeshError('NOT_FOUND', `job ${this.#shown(job)} has no task ${task}`, {
        hint: `tasks are 0..${this.#book(job).header.taskCount - 1}`,
      });
    }
    return explainView(explained, this.#shown(job), this.peers());
  }

  steals(): StealLogView {
    const shown = (job: JobId): string => this.#shown(job);
    return stealLogView(this.#ports.steals(), shown, this.peers());
  }

  drain(isWanted: boolean): DrainView {
    this.#ports.drain(isWanted);
    return { v: 1, state: isDrained(this.#ports.coreStatus()) ? 'draining' : 'ok' };
  }

  cancel(selector: string): Promise<CancelView> {
    const jobs = resolveJobs(selector, this.#selectable()) as JobId[];
    for (const job of jobs) this.#ports.cancel(job);
    return Promise.resolve({ v: 1, jobs: jobs.map((job) => this.#shown(job)) });
  }

  async failures(selector: string): Promise<FailuresView> {
    const id = this.#resolve(selector);
    const book = await this.#complete(id);
    return failuresView(this.#shown(id), book, await this.#ports.runner(book));
  }

  /** What failed by its own fault would fail again: only attempts that were used up are new ones. */
  async retry(selector: string): Promise<RetryView> {
    const id = this.#resolve(selector);
    const shown = this.#shown(id);
    const { ledger } = await this.#ended(id);
    const tasks = ledger.failures.count;
    if (tasks > 0) this.#ports.retry(id);
    return { v: 1, job: shown, tasks };
  }

  async segments(selector: string): Promise<SegmentsView> {
    const id = this.#resolve(selector);
    return lookBack(await this.#ended(id), this.#ports, (job) => this.#shown(job));
  }

  connect(addr: string, waitMs: number): Promise<ConnectView> {
    return this.#ports.connect(addr, waitMs);
  }

  redeem(invite: string, waitMs: number, addr?: string): Promise<ConnectView> {
    return this.#ports.doors.redeem(invite, waitMs, addr);
  }

  key(): Promise<KeyView> {
    return this.#ports.key();
  }

  invite(validMs: number): Promise<InviteView> {
    return this.#ports.doors.invite(validMs);
  }

  approve(code: string): Promise<ApprovalView> {
    return this.#ports.doors.approve(code);
  }

  rotateKey(): Promise<RekeyView> {
    return this.#ports.doors.rotateKey();
  }

  requireKey(): Promise<RekeyView> {
    return this.#ports.doors.requireKey();
  }

  forget(peer: string): Promise<ForgetView> {
    return this.#ports.doors.forget(peer);
  }

  leave({ timeoutMs }: { timeoutMs: number }): Promise<LeaveView> {
    return this.#ports.leave(timeoutMs);
  }

  stop(): Promise<void> {
    return this.#ports.stop();
  }

  #lookNow(job: JobId): void {
    clearTimeout(this.#due.get(job));
    this.#due.delete(job);
    for (const watch of this.#watches.get(job) ?? []) watch.look();
  }

  #resolve(selector: string): JobId {
    return resolveJob(selector, this.#selectable()) as JobId;
  }

  #shown(job: JobId): string {
    const jobIds = this.#selectable().map(({ jobId }) => jobId);
    return shownJobId(job, jobIds);
  }

  #selectable(): SelectableJob[] {
    return Array.from(this.#ports.books(), ({ header, ending }) => ({
      jobId: header.job,
      name: header.name,
      state: ending?.state ?? 'running',
      submittedAt: header.submittedAt,
      isAside: header.about !== undefined,
    }));
  }

  #job(id: JobId): JobStatus {
    const job = this.#ports.coreStatus().job(id);
    if (job === undefined) throw new MeshError('NOT_FOUND', `no job ${id}`);
    return job;
  }

  #book(id: JobId): JobBook {
    const book = this.#ports.book(id);
    if (book === undefined) throw new MeshError('NOT_FOUND', `no job ${id}`);
    return book;
  }

  /** Rows to show: all that are here of an ended job, the counted ones of a running one. */
  #counted(book: JobBook): JobBook['ledger']['present'] {
    return book.isActive ? book.ledger.counted : book.ledger.present;
  }

  async #ended(id: JobId): Promise<JobBook> {
    const book = await this.#complete(id);
    if (!book.isActive) return book;
    const job = this.#shown(id);
    throw new MeshError('USAGE', `${job} still runs`, { hint: `mesh watch ${job}` });
  }

  /** The book, once the rows of an ended job that lie on disks are in memory here. */
  async #complete(id: JobId): Promise<JobBook> {
    const book = this.#book(id);
    await gatherRows(book, () => this.#ports.requestRows(id));
    return book;
  }

  #hash(book: JobBook): Promise<string | null> {
    const { taskCount } = book.header;
    const job = `${book.header.job} ${book.round}`;
    if (book.ledger.present.count < taskCount) return Promise.resolve(null);
    const known = this.#hashes.get(job) ?? resultsSha256(book.ledger);
    this.#hashes.set(job, known);
    return known;
  }
}
