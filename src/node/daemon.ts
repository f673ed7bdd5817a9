// One running peer: the loop around the core, and the only file that knows its siblings. A fact goes into
// core.handle, every order that comes back is carried out, one timer is armed again. The main thread never
// computes, so it always answers.
import { createHash } from 'node:crypto';
import { DEFAULT_LIMITS } from '../stealing/limits.ts';
import { StealingCore } from '../stealing/core.ts';
import { type JobId, type PeerId, peerId } from '../stealing/ids.ts';
import type { Input } from '../stealing/input.ts';
import type { JobHeader, RowBatch } from '../stealing/job.ts';
import type { Ledger } from '../stealing/ledger.ts';
import type { Message } from '../stealing/messages.ts';
import type { Output, PersistEntry } from '../stealing/output.ts';
import { WorkModel } from '../stealing/work.ts';
import { PeerHandlers } from './answers/peer-handlers.ts';
import { ControlServer } from './control/server.ts';
import type { ControlHandlers } from './control/handlers.ts';
import { readRowsOf, recordOf } from './jobs/ledger-record.ts';
import { KnownRows } from './jobs/known-rows.ts';
import type { JobLoader } from './jobs/loader.ts';
import { DEFAULT_KEEP } from './jobs/retention.ts';
import { Sweeper } from './jobs/sweeper.ts';
import { type DaemonOptions, type Rooms, openRooms } from './rooms.ts';
import { peerPorts, viaOf } from './ports.ts';

export type { DaemonOptions } from './rooms.ts';

/** Specs up to this many bytes ride with the offer and save a round trip. */
const ATTACHED_SPEC_BYTES_MAX = 64 * 1024;
/** ms for a peaceful end when the process is told to stop. */
const CLOSE_PATIENCE_MS = 2_000;

export class Daemon {
  readonly handlers: ControlHandlers;
  readonly closed: Promise<void>;
  readonly rooms: Rooms;
  readonly core: StealingCore;
  readonly #handlers: PeerHandlers;
  readonly #waitingFacts: Input[] = [];
  readonly #sendsAfter = new Map<number, Extract<Output, { kind: 'send' }>[]>();
  readonly #submits = new Map<JobId, (copies: number) => void>();
  readonly #specs = new Map<JobId, Uint8Array>();
  readonly #sweeper: Sweeper;
  readonly knownRows: KnownRows;
  readonly #leavers: (() => void)[] = [];
  readonly #changes = new Map<JobId, (() => void)[]>();
  #isHandling = false;
  #timer: NodeJS.Timeout | undefined;
  #control: ControlServer | undefined;
  #closing: Promise<void> | undefined;
  #markClosed: () => void = () => {};

  /** Throws MeshError: ALREADY_RUNNING, ADDRESS_IN_USE, BAD_INPUT for a key that is none. */
  static async start(options: DaemonOptions): Promise<Daemon> {
    const rooms = await openRooms(options, {
      onRows: (rows) => daemon.#rows(rows),
      onDry: () => daemon.tell({ kind: 'windowDry' }),
      onSlotDied: (death) => daemon.#slotDied(death),
      onLoadFailed: (jobNumber, reason) => daemon.#loadFailed(jobNumber, reason),
      onPeer: (face) => {
        daemon.#handlers.met(face.peer);
        daemon.tell({ kind: 'peerConnected', face });
      },
      onPeerGone: (peer, refused) => daemon.tell({ kind: 'peerDisconnected', peer, refused }),
      onMessage: (from, incarnation, message, attachment) =>
        daemon.#message({ from, incarnation, message }, attachment),
      onAsk: (stream) => {
        if (daemon.#control === undefined) stream.destroy();
        else daemon.#control.answerMember(stream);
      },
      onBlobSent: (to, ref, sentBytes) => daemon.#handlers.copying(to, ref, sentBytes),
      holders: (header) => daemon.#holders(header),
    });
    const daemon = new Daemon(options, rooms);
    await daemon.#begin(options);
    return daemon;
  }

  private constructor(options: DaemonOptions, rooms: Rooms) {
    this.rooms = rooms;
    this.core = new StealingCore({
      face: rooms.face,
      seed: createHash('sha256').update(rooms.face.peer).digest().readUInt32LE(),
      cursor: rooms.pool.cursor,
      limits: DEFAULT_LIMITS,
      epochMs: performance.timeOrigin,
      ...(options.seeding === undefined ? {} : { seeding: options.seeding }),
    });
    this.#handlers = new PeerHandlers(peerPorts(this, options));
    this.handlers = this.#handlers;
    this.#sweeper = sweeperOf(this, options);
    this.knownRows = knownRowsOf(this);
    this.closed = new Promise((resolve) => {
      this.#markClosed = resolve;
    });
  }

  /** A fact for the core. Facts that arise while one is handled wait for their turn. */
  tell(input: Input): void {
    this.#waitingFacts.push(input);
    if (this.#isHandling || this.#closing !== undefined) return;
    this.#isHandling = true;
    try {
      for (let fact = this.#waitingFacts.shift(); fact; fact = this.#waitingFacts.shift()) {
        for (const output of this.core.handle(fact, performance.now())) this.#carryOut(output);
      }
    } finally {
      this.#isHandling = false;
    }
    this.#rearm();
  }

  /** An ended job's ledger with its rows in memory; undefined when this peer does not have them all. */
  async ledgerOf(job: JobId): Promise<Ledger | undefined> {
    const book = this.core.book(job);
    if (book === undefined || book.ledger.present.count < book.header.taskCount) return undefined;
    this.tell({ kind: 'rowsRequested', job });
    while (!book.ledger.released.isEmpty && this.#closing === undefined) await this.#change(job);
    return book.ledger.present.count < book.header.taskCount ? undefined : book.ledger;
  }

  /** Resolves when the core says that the job changed. */
  #change(job: JobId): Promise<void> {
    return new Promise((resolve) => {
      this.#changes.set(job, [...(this.#changes.get(job) ?? []), resolve]);
    });
  }

  get loader(): JobLoader {
    return this.rooms.loader;
  }

  /** Resolves with the number of disks when the job may be announced to its submitter. */
  async submit(header: JobHeader, cached: readonly RowBatch[], spec?: Uint8Array): Promise<number> {
    await this.#remember(header, spec);
    return new Promise((resolve) => {
      this.#submits.set(header.job, resolve);
      this.tell({ kind: 'jobSubmitted', header, cached });
    });
  }

  /** Gives everything back first; resolves when that is done or the time is up. */
  async leave(timeoutMs: number): Promise<void> {
    const left = new Promise<void>((resolve) => {
      this.#leavers.push(resolve);
    });
    this.tell({ kind: 'leaveRequested' });
    let timer: NodeJS.Timeout | undefined;
    const late = new Promise<void>((resolve) => {
      timer = setTimeout(resolve, timeoutMs);
    });
    await Promise.race([left, late]);
    clearTimeout(timer);
  }

  /** In this order: no more commands, no more decisions, no more work, no more peers, no more disk. */
  close(): Promise<void> {
    this.#closing ??= this.#close();
    return this.#closing;
  }

  async #begin(options: DaemonOptions): Promise<void> {
    try {
      for (const job of this.rooms.recovered) {
        if (job.ending === undefined) await this.#remember(job.header).catch(() => {});
        this.tell(job);
      }
      this.#control = await ControlServer.start({
        socketPath: this.rooms.socketPath,
        handlers: this.handlers,
        version: options.version,
        via: viaOf(this),
        onFault: (error) => this.rooms.log.error({ err: error }, 'a command failed'),
      });
      this.#sayHello(options.version);
      this.tell({ kind: 'wakeDue' });
      void this.#sweeper.sweep();
      await this.rooms.reachPeers(options);
    } catch (error) {
      await this.close();
      throw error;
    }
  }

  #sayHello(version: string): void {
    const { face, host, log } = this.rooms;
    const { addr, port } = host.self;
    log.info(
      { version, pid: process.pid, name: face.name, slots: face.slots, addr, port },
      'started',
    );
  }

  async #close(): Promise<void> {
    this.rooms.log.info({ pid: process.pid }, 'stops');
    clearTimeout(this.#timer);
    this.#handlers.close();
    await this.#sweeper.close();
    this.rooms.loader.cancelAll();
    await this.#control?.close();
    const late = new Promise<void>((resolve) => {
      setTimeout(resolve, CLOSE_PATIENCE_MS).unref();
    });
    await Promise.race([this.rooms.close(), late]);
    this.#markClosed();
  }

  #rearm(): void {
    clearTimeout(this.#timer);
    if (this.#closing !== undefined) return;
    const inMs = Math.max(0, this.core.nextWake().atMs - performance.now());
    this.#timer = setTimeout(() => this.tell({ kind: 'wakeDue' }), inMs);
  }

  #carryOut(output: Output): void {
    switch (output.kind) {
      case 'send':
        return this.#send(output);
      case 'persist':
        return this.#persist(output);
      case 'loadJob':
        void this.#load(output.header, output.jobNumber);
        return;
      case 'recallRows':
        void this.#recall(output.job);
        return;
      case 'unloadJob':
        this.rooms.loader.cancel(output.job);
        this.#withNumber(output.job, (jobNumber) => this.rooms.pool.unload(jobNumber));
        return;
      case 'answerSubmit':
        this.#submits.get(output.job)?.(output.copies);
        this.#submits.delete(output.job);
        return;
      case 'jobChanged':
        for (const resolve of this.#changes.get(output.job) ?? []) resolve();
        this.#changes.delete(output.job);
        if (this.core.book(output.job)?.isActive === false) this.#specs.delete(output.job);
        return this.#handlers.jobChanged(output.job);
      case 'raiseAlarm':
        this.rooms.log.error({ ...output }, 'two different rows for one task');
        return;
      case 'finishLeaving':
        for (const resolve of this.#leavers.splice(0)) resolve();
        return;
      case 'log':
        this.rooms.log[output.level](output.fields, output.text);
        return;
    }
  }

  #send(order: Extract<Output, { kind: 'send' }>): void {
    const { to, message, after } = order;
    if (after === undefined) this.#sendNow(to, message);
    else this.#sendsAfter.set(after, [...(this.#sendsAfter.get(after) ?? []), order]);
  }

  #sendNow(to: PeerId, message: Message): void {
    this.#handlers.saw('sent', to, message);
    const spec = message.kind === 'jobOffered' ? this.#specs.get(message.header.job) : undefined;
    if (spec === undefined) this.rooms.host.send(to, message);
    else this.rooms.host.send(to, message, spec);
  }

  #persist({ id, entry }: Extract<Output, { kind: 'persist' }>): void {
    const header = entry.kind === 'job' ? entry.header : this.core.book(entry.job)?.header;
    if (header === undefined) return;
    this.#note(entry, header);
    void this.#append(id, entry.kind !== 'rows', header.job, recordOf(entry, header));
  }

  /** What a person looks for in the log later. */
  #note(entry: PersistEntry, { job, name, taskCount }: JobHeader): void {
    if (entry.kind === 'job') this.rooms.log.info({ job, name, tasks: taskCount }, 'a job came');
    if (entry.kind === 'retried')
      this.rooms.log.info({ job, name, round: entry.round }, 'a job is retried');
    if (entry.kind !== 'ended') return;
    const { state, done, failed, elapsedMs } = entry.ending;
    this.rooms.log.info({ job, name, state, done, failed, elapsedMs }, 'a job ended');
  }

  async #append(id: number, isVital: boolean, job: JobId, record: Uint8Array): Promise<void> {
    try {
      await this.rooms.store.append(job, record, isVital);
    } catch (error) {
      this.#sendsAfter.delete(id);
      this.tell({ kind: 'persistFailed', id, reason: reasonOf(error) });
      return;
    }
    for (const { to, message } of this.#sendsAfter.get(id) ?? []) this.#sendNow(to, message);
    this.#sendsAfter.delete(id);
    this.tell({ kind: 'persisted', id });
  }

  async #recall(job: JobId): Promise<void> {
    const header = this.core.book(job)?.header;
    if (header === undefined) return;
    const batches = await readRowsOf(header, this.rooms.store).catch((error: unknown) => {
      this.rooms.log.error({ err: error, job }, 'rows cannot be read back');
      return [];
    });
    this.tell({ kind: 'rowsRecalled', job, batches });
  }

  async #load(header: JobHeader, jobNumber: number): Promise<void> {
    try {
      const runner = await this.rooms.loader.load(header, jobNumber);
      if (runner === undefined) return;
      await this.#remember(header);
      const work = new WorkModel(runner.workRuns);
      this.tell({ kind: 'jobLoaded', job: header.job, work });
    } catch (error) {
      this.tell({ kind: 'jobUnloadable', job: header.job, reason: reasonOf(error) });
    }
  }

  #loadFailed(jobNumber: number, reason: string): void {
    const job = this.#jobOf(jobNumber);
    if (job !== undefined) this.tell({ kind: 'jobUnloadable', job, reason });
  }

  #rows(rows: Parameters<Parameters<typeof openRooms>[1]['onRows']>[0]): void {
    const job = this.#jobOf(rows.jobNumber);
    if (job === undefined) return;
    const { slot, intervals, values, busyMs } = rows;
    this.tell({ kind: 'tasksFinished', job, slot, intervals, values, busyMs });
  }

  #slotDied(death: Parameters<Parameters<typeof openRooms>[1]['onSlotDied']>[0]): void {
    const job = death.jobNumber === undefined ? undefined : this.#jobOf(death.jobNumber);
    if (job === undefined) return;
    this.rooms.log.warn({ ...death, job }, 'a slot died over these tasks');
    this.tell({ kind: 'slotDied', job, intervals: death.intervals, reason: death.reason });
  }

  #message(
    fact: { readonly from: PeerId; readonly incarnation: number; readonly message: Message },
    attachment: Uint8Array | undefined,
  ): void {
    if (attachment !== undefined) this.rooms.keepAttached(attachment);
    this.#handlers.saw('heard', fact.from, fact.message);
    this.tell({ kind: 'messageReceived', ...fact });
  }

  /** Small specs stay in memory until their job ends, to ride with offers. */
  async #remember({ job, spec }: JobHeader, specBytes?: Uint8Array): Promise<void> {
    if (spec.bytes > ATTACHED_SPEC_BYTES_MAX || this.#specs.has(job)) return;
    const bytes = specBytes ?? (await this.rooms.blobs.read(spec.sha256));
    // A short job may have ended meanwhile.
    if (this.core.book(job)?.isActive !== false) this.#specs.set(job, bytes);
  }

  #holders(header: JobHeader): readonly PeerId[] {
    const known = this.core.book(header.job)?.storedBy ?? new Set<PeerId>();
    const others = [...known, header.submitter].filter((peer) => peer !== this.rooms.face.peer);
    return [...new Set(others)].map((peer) => peerId(peer));
  }

  #jobOf(jobNumber: number): JobId | undefined {
    return this.core.jobOf(jobNumber);
  }

  #withNumber(job: JobId, act: (jobNumber: number) => void): void {
    const book = this.core.book(job);
    if (book !== undefined) act(book.jobNumber);
  }
}

function knownRowsOf(daemon: Daemon): KnownRows {
  const { rooms } = daemon;
  return new KnownRows({
    self: rooms.face.peer,
    done: () =>
      [...daemon.core.books()]
        .filter(({ ending }) => ending?.state === 'done')
        .map(({ header }) => header),
    blocks: (header) => rooms.specs.blocks(header),
    ledger: (header) => daemon.ledgerOf(header.job),
  });
}

function sweeperOf(daemon: Daemon, { keep }: DaemonOptions): Sweeper {
  const { store, blobs, log } = daemon.rooms;
  return new Sweeper(keep ?? DEFAULT_KEEP, {
    store,
    blobs,
    jobs: () =>
      daemon.core.status(performance.now()).jobs.map(({ header, isActive }) => {
        return { header, hasEnded: !isActive };
      }),
    jobExpired: (job) => daemon.tell({ kind: 'jobExpired', job }),
    swept: (found) => log.info(found, 'made room on the disk'),
    failed: (error) => log.warn({ err: error }, 'could not make room on the disk'),
  });
}

function reasonOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
