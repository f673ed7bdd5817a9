// One life of a virtual peer's process: the core with everything that production puts around it. A fact goes
// in, each order is carried out, one timer is armed anew. What reaches a stopped process waits in its inbox.
import { WindowCursor } from '../../deque/cursor.ts';
import { invariant, unreachable } from '../../invariant.ts';
import type { JobId, PeerId } from '../ids.ts';
import type { Input, PeerFace } from '../input.ts';
import type { Limits } from '../limits.ts';
import type { JobHeader } from '../job.ts';
import type { Message } from '../messages.ts';
import type { Output } from '../output.ts';
import type { Place } from '../tiers/place.ts';
import type { TieredOutput } from '../tiers/tiered-core.ts';
import type { Rng } from '../rng.ts';
import { WorkModel } from '../work.ts';
import type { Alarm, VirtualClock } from './clock.ts';
import type { DiskFact, VirtualDisk } from './disk.ts';
import { between, chance } from './draw.ts';
import type { Network } from './network.ts';
import type { PeerPlan, JobPlan } from './scenario.ts';
import { SimulatedSlots, type SlotJob } from './slots.ts';
import type { Execution, JobTruth, Step } from './watch.ts';

/** What the simulator needs of a core; `StealingCore` has it. */
export interface SimulatedCore {
  handle(input: Input, nowMs: number): TieredOutput[];
  nextWake(): { readonly atMs: number; readonly reason: string } | undefined;
  check(): void;
  status(nowMs: number): {
    /** Itself first. */
    readonly peers: readonly SimulatedPeerStatus[];
    readonly jobs: readonly SimulatedJobStatus[];
  };
}

interface SimulatedPeerStatus {
  readonly face: PeerFace;
  readonly state: string;
  readonly busySlots: number;
  readonly queuedTasks: number;
}

export interface SimulatedJobStatus {
  readonly header: JobHeader;
  readonly owner: PeerId;
  readonly isActive: boolean;
  /** Exact at the owner. */
  readonly counted: number;
}

export interface CoreSetup {
  readonly face: PeerFace;
  readonly seed: number;
  readonly cursor: WindowCursor;
  readonly limits: Limits;
  readonly seeding: boolean;
  /** Where the peer stands in a mesh of many; undefined: everybody knows everybody. */
  readonly place?: Place | undefined;
}

export type CoreFactory = (setup: CoreSetup) => SimulatedCore;

export interface KnownJob {
  readonly truth: JobTruth;
  readonly plan: JobPlan;
}

/** The world around a shell. */
export interface ShellHost {
  readonly clock: VirtualClock;
  readonly network: Network;
  readonly disk: VirtualDisk;
  readonly plan: PeerPlan;
  readonly seeding: boolean;
  readonly limits: Limits;
  readonly makeCore: CoreFactory;
  /** How many times slower than its plan the machine is at this moment. */
  readonly slowness: () => number;
  readonly jobKnown: (job: JobId) => KnownJob;
  /** A peer that serves the data right now, another one at each attempt; production asks whom it knows, too. */
  readonly dataSource: (self: PeerId, job: JobId, attempt: number) => PeerId | undefined;
  readonly isServing: (self: PeerId, source: PeerId, job: JobId) => boolean;
  readonly stepped: (step: Omit<Step, 'world'>) => void;
  readonly ran: (execution: Execution) => void;
  /** The core gave everything back and asked to end. */
  readonly left: () => void;
  readonly crashed: () => void;
}

/** A timer is late by up to a millisecond, as Node's are. */
const TIMER_LATE_MS = 1;
const FETCH_RETRY_MS = 200;
/** ms from data on disk to slots that know the job. */
const LOAD_MS: readonly [number, number] = [0.5, 3];
/** ms to read the rows of one job from the disk. */
const READ_MS: readonly [number, number] = [0.2, 20];

export class Shell {
  readonly face: PeerFace;
  readonly core: SimulatedCore;
  readonly #host: ShellHost;
  readonly #rng: Rng;
  readonly #slots: SimulatedSlots;
  readonly #bornMs: number;
  /** A monotonic clock begins anywhere. */
  #clockOffsetMs: number;
  readonly #jobs = new Map<number, SlotJob>();
  readonly #loading = new Set<JobId>();
  readonly #sendsAfter = new Map<number, Extract<Output, { kind: 'send' }>[]>();
  #timer: Alarm | undefined;
  #timerForMs: number | undefined;
  #inbox: (() => void)[] | undefined;
  #isStopped = false;
  #clockLeapt = false;

  constructor(host: ShellHost, face: PeerFace, rng: Rng) {
    this.#host = host;
    this.face = face;
    this.#rng = rng;
    this.#bornMs = host.clock.nowMs;
    this.#clockOffsetMs = between(rng, 0, 1e6);
    const cursor = WindowCursor.create(host.plan.slots);
    const seed = rng.nextUint32();
    const { limits, seeding } = host;
    const { place } = host.plan;
    this.core = host.makeCore({ face, seed, cursor, limits, seeding, place });
    this.#slots = new SimulatedSlots({
      clock: host.clock,
      cursor,
      slots: host.plan.slots,
      unitsPerMs: (slot) =>
        (host.plan.unitsPerMs * (host.plan.slotSpeeds?.[slot] ?? 1)) / host.slowness(),
      job: (jobNumber) => this.#slotJob(jobNumber),
      report: (input) => this.receive(input),
      ran: ({ claim: { intervals }, ...done }) =>
        host.ran({ atMs: host.clock.nowMs, peer: face.peer, intervals, ...done }),
      crash: () => host.crashed(),
    });
  }

  /** This process's own clock. */
  get localMs(): number {
    return this.#host.clock.nowMs - this.#bornMs + this.#clockOffsetMs;
  }

  get isFrozen(): boolean {
    return this.#inbox !== undefined;
  }

  /** Before anybody is connected: what a former life left on the disk. */
  recover(): void {
    for (const { header, batches, ending, round, liars } of this.#host.disk.recover()) {
      // As production does it: the rows of ended jobs stay on the disk.
      const isOver = ending !== undefined;
      const known = isOver ? { batches: [], released: batches } : { batches, released: [] };
      this.receive({ kind: 'jobRecovered', header, ending, round, liars, ...known });
    }
    this.#rearm();
    this.#slots.look();
  }

  receive(input: Input): void {
    if (this.#isStopped) return;
    if (this.#inbox === undefined) this.#handle(input);
    else this.#inbox.push(() => this.#handle(input));
  }

  diskTold(fact: DiskFact): void {
    this.#whenRunning(() => {
      const sends = this.#sendsAfter.get(fact.id) ?? [];
      this.#sendsAfter.delete(fact.id);
      if (fact.kind === 'persisted') for (const { to, message } of sends) this.#send(to, message);
      this.#handle(fact);
    });
  }

  freeze(): void {
    if (this.#inbox !== undefined) return;
    this.#inbox = [];
    this.#slots.freeze();
  }

  /** Everything that waited comes at once, and the overdue timer before or after it. */
  thaw(): void {
    const inbox = this.#inbox;
    if (inbox === undefined) return;
    this.#inbox = undefined;
    this.#slots.thaw();
    const isTimerFirst = chance(this.#rng, 0.5);
    if (isTimerFirst) this.#ringIfDue();
    for (const act of inbox) this.#whenRunning(act);
    this.#ringIfDue();
    this.#rearm();
  }

  stop(): void {
    this.#isStopped = true;
    this.#slots.stop();
    this.#host.clock.callOff(this.#timer);
  }

  jumpClock(byMs: number): void {
    this.#clockOffsetMs += byMs;
    this.#clockLeapt = true;
    this.#ringIfDue();
    this.#rearm();
  }

  killSlot(slot: number): void {
    if (!this.isFrozen) this.#slots.die(slot);
  }

  #whenRunning(act: () => void): void {
    if (this.#isStopped) return;
    if (this.#inbox === undefined) act();
    else this.#inbox.push(act);
  }

  #handle(input: Input): void {
    const outputs = this.core.handle(input, this.localMs);
    this.core.check();
    const { peer, incarnation } = this.face;
    const atMs = this.#host.clock.nowMs;
    this.#host.stepped({ atMs, peer, incarnation, input, outputs, core: this.core });
    for (const output of outputs) if (!this.#isStopped) this.#carryOut(output);
    if (this.#isStopped) return;
    this.#slots.look();
    this.#rearm();
  }

  #carryOut(output: TieredOutput): void {
    switch (output.kind) {
      case 'send':
        if (output.after === undefined) this.#send(output.to, output.message);
        else {
          const others = this.#sendsAfter.get(output.after) ?? [];
          this.#sendsAfter.set(output.after, [...others, output]);
        }
        return;
      case 'persist':
        this.#host.disk.write(output.id, output.entry);
        return;
      case 'loadJob':
        this.#load(output);
        return;
      case 'recallRows':
        this.#recall(output.job);
        return;
      case 'unloadJob':
        this.#loading.delete(output.job);
        return;
      case 'finishLeaving':
        this.#host.left();
        return;
      case 'dial':
        this.#host.network.dial(this.face.peer, output.peer);
        return;
      case 'answerSubmit':
      case 'jobChanged':
      case 'raiseAlarm':
      case 'log':
        return;
      default:
        unreachable(output);
    }
  }

  #recall(job: JobId): void {
    const { clock, disk } = this.#host;
    clock.after(between(this.#rng, ...READ_MS), () => {
      const found = disk.recover().find(({ header }) => header.job === job);
      this.receive({ kind: 'rowsRecalled', job, batches: found?.batches ?? [] });
    });
  }

  #send(to: PeerId, message: Message): void {
    this.#host.network.send(this.face.peer, to, this.#asTold(message));
  }

  /** A peer that believes itself faster or slower than it is tells everybody so. */
  #asTold(message: Message): Message {
    const { rateLie } = this.#host.plan;
    if (rateLie === undefined || !('rates' in message)) return message;
    const rates = message.rates.map((rate) => ({ ...rate, unitsPerMs: rate.unitsPerMs * rateLie }));
    return { ...message, rates };
  }

  #load(order: Extract<Output, { kind: 'loadJob' }>): void {
    const { job } = order.header;
    const { truth, plan } = this.#host.jobKnown(job);
    const work = new WorkModel(plan.runs);
    this.#jobs.set(order.jobNumber, {
      truth,
      work,
      poison: plan.poison ?? [],
      workError: plan.workError,
    });
    this.#loading.add(job);
    this.#fetch(order, 0, work);
  }

  #fetch(order: Extract<Output, { kind: 'loadJob' }>, attempt: number, work: WorkModel): void {
    const { clock, disk, network } = this.#host;
    const { job } = order.header;
    if (this.#isStopped || !this.#loading.has(job)) return;
    if (disk.data.has(job)) {
      clock.after(between(this.#rng, ...LOAD_MS), () => {
        if (this.#loading.delete(job)) this.receive({ kind: 'jobLoaded', job, work });
      });
      return;
    }
    const again = (delayMs: number): void => {
      clock.after(delayMs, () => this.#fetch(order, attempt + 1, work));
    };
    const self = this.face.peer;
    const source = this.#host.dataSource(self, job, attempt);
    if (source === undefined) {
      again(FETCH_RETRY_MS);
      return;
    }
    const { dataBytes } = this.#host.jobKnown(job).plan;
    const transferMs = 2 * network.latencyMs(self, source) + dataBytes / network.bytesPerMs;
    clock.after(transferMs, () => {
      if (this.#isStopped) return;
      const isServed = this.#host.isServing(self, source, job);
      if (isServed) disk.data.add(job);
      again(isServed ? 0 : FETCH_RETRY_MS);
    });
  }

  #slotJob(jobNumber: number): SlotJob {
    const job = this.#jobs.get(jobNumber);
    invariant(job !== undefined, `slots claimed tasks of job number ${jobNumber}, never loaded`);
    return job;
  }

  #rearm(): void {
    const wake = this.core.nextWake();
    if (wake?.atMs === this.#timerForMs && !this.#clockLeapt) return;
    this.#clockLeapt = false;
    this.#host.clock.callOff(this.#timer);
    this.#timerForMs = wake?.atMs;
    if (wake === undefined) return;
    const inMs = Math.max(0, wake.atMs - this.localMs);
    const lateMs = between(this.#rng, 0.01, TIMER_LATE_MS);
    this.#timer = this.#host.clock.after(inMs + lateMs, () => this.#ringIfDue());
  }

  #ringIfDue(): void {
    if (this.#isStopped || this.isFrozen) return;
    if (this.#timerForMs === undefined || this.#timerForMs > this.localMs) return;
    this.#host.clock.callOff(this.#timer);
    this.#timerForMs = undefined;
    this.#handle({ kind: 'wakeDue' });
  }
}
