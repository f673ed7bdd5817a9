// A virtual machine: one disk, and at any time at most one process (a shell around a core). Faults happen to
// machines; what they mean for disk, process and network is decided here.
import type { JobId, PeerId } from '../ids.ts';
import { peerId } from '../ids.ts';
import type { Input, PeerFace } from '../input.ts';
import type { JobHeader } from '../job.ts';
import type { Limits } from '../limits.ts';
import type { PersistEntry } from '../output.ts';
import type { Rng } from '../rng.ts';
import type { VirtualClock } from './clock.ts';
import type { Station } from './connection.ts';
import { VirtualDisk } from './disk.ts';
import { fork } from './draw.ts';
import type { Network } from './network.ts';
import type { DiskPlan, PeerPlan } from './scenario.ts';
import { type CoreFactory, type KnownJob, Shell, type SimulatedCore } from './shell.ts';
import type { Execution, PeerView, Step } from './watch.ts';

/** What a machine needs of the world. */
export interface Surroundings {
  readonly clock: VirtualClock;
  readonly network: Network;
  readonly diskPlan: DiskPlan;
  readonly seeding: boolean;
  readonly limits: Limits;
  readonly makeCore: CoreFactory;
  readonly jobKnown: (job: JobId) => KnownJob;
  readonly dataSource: (self: PeerId, job: JobId, attempt: number) => PeerId | undefined;
  readonly isServing: (self: PeerId, source: PeerId, job: JobId) => boolean;
  readonly stepped: (step: Omit<Step, 'world'>) => void;
  readonly ran: (execution: Execution) => void;
  readonly note: (who: string, what: string) => void;
}

/** ms until a service starts a process again that crashed. */
const RESTART_MS = 2_000;

export class VirtualPeer implements Station, PeerView {
  readonly id: PeerId;
  readonly plan: PeerPlan;
  readonly disk: VirtualDisk;
  readonly #world: Surroundings;
  readonly #rng: Rng;
  #shell: Shell | undefined;
  #incarnation = 0;
  #isGone = false;
  #pauses = 0;
  /** ms for which it stays away when it leaves. */
  #backAfterMs: number | undefined;
  /** Factors of the slow-downs that last at this moment. */
  readonly #slowdowns: number[] = [];

  constructor(plan: PeerPlan, rng: Rng, world: Surroundings) {
    this.id = peerId(plan.name);
    this.plan = plan;
    this.#rng = rng;
    this.#world = world;
    this.disk = new VirtualDisk(world.clock, fork(rng), {
      plan: world.diskPlan,
      tell: (fact) => this.#shell?.diskTold(fact),
    });
  }

  get incarnation(): number {
    return this.#incarnation;
  }

  get isGone(): boolean {
    return this.#isGone;
  }

  get isRunning(): boolean {
    return this.#shell !== undefined;
  }

  get core(): SimulatedCore | undefined {
    return this.#shell?.core;
  }

  get localMs(): number {
    return this.#shell?.localMs ?? 0;
  }

  get journal(): readonly PersistEntry[] {
    return this.disk.journal;
  }

  get data(): ReadonlySet<JobId> {
    return this.disk.data;
  }

  face(): PeerFace | undefined {
    return this.#shell?.face;
  }

  isStopped(): boolean {
    return this.#shell?.isFrozen ?? false;
  }

  receive(input: Input): void {
    this.#shell?.receive(input);
  }

  start(): void {
    if (this.#shell !== undefined || this.#isGone) return;
    this.#incarnation++;
    this.#world.note(this.id, `starts, incarnation ${this.#incarnation}`);
    const face: PeerFace = {
      peer: this.id,
      name: this.plan.name,
      addr: `${this.plan.name}.simulated:7420`,
      slots: this.plan.slots,
      incarnation: this.#incarnation,
    };
    const world = this.#world;
    this.#shell = new Shell(
      {
        ...world,
        disk: this.disk,
        plan: this.plan,
        slowness: () => Math.max(1, ...this.#slowdowns),
        left: () => this.die('kill', this.#backAfterMs),
        // The machine lives: whoever looks after the process starts it again.
        crashed: () => this.die('kill', RESTART_MS),
      },
      face,
      fork(this.#rng),
    );
    this.#shell.recover();
    if (this.#pauses > 0) this.#shell.freeze();
    world.network.started(this.id);
  }

  /** `downMs` undefined: stays off until somebody starts it. */
  die(how: 'kill' | 'powerLoss', downMs: number | 'for good' | undefined): void {
    if (this.#isGone) return;
    this.#world.note(this.id, `${how}, ${downMs ?? 'until started'}`);
    if (this.#shell !== undefined) {
      this.#shell.stop();
      this.#shell = undefined;
      this.disk.crash(how);
      if (how === 'kill') this.#world.network.closed(this.id);
      else this.#world.network.silent(this.id);
    }
    if (downMs === 'for good') {
      this.#isGone = true;
      this.disk.lose();
    } else if (downMs !== undefined) this.#world.clock.after(downMs, () => this.start());
  }

  submit(header: JobHeader): boolean {
    if (this.#shell === undefined) return false;
    this.disk.data.add(header.job);
    this.#shell.receive({ kind: 'jobSubmitted', header });
    return true;
  }

  /** It goes when all it had is given back. */
  leave(downMs: number): void {
    if (this.#shell === undefined) return;
    this.#world.note(this.id, `leaves, back after ${downMs.toFixed(0)} ms`);
    this.#backAfterMs = downMs;
    this.#shell.receive({ kind: 'leaveRequested' });
  }

  drain(forMs: number): void {
    this.#world.note(this.id, `drains for ${forMs.toFixed(0)} ms`);
    const life = this.#incarnation;
    this.#shell?.receive({ kind: 'drainRequested', isWanted: true });
    this.#world.clock.after(forMs, () => {
      if (this.#incarnation !== life) return;
      this.#shell?.receive({ kind: 'drainRequested', isWanted: false });
    });
  }

  pause(forMs: number): void {
    this.#world.note(this.id, `stopped for ${forMs.toFixed(0)} ms`);
    this.#pauses++;
    this.#shell?.freeze();
    this.#world.network.silent(this.id);
    this.#world.clock.after(forMs, () => {
      this.#pauses--;
      if (this.#pauses > 0 || this.#shell === undefined) return;
      this.#world.note(this.id, 'continues');
      this.#shell.thaw();
      this.#world.network.answered(this.id);
    });
  }

  slowDown(factor: number, forMs: number): void {
    this.#world.note(this.id, `${factor.toFixed(1)} times slower for ${forMs.toFixed(0)} ms`);
    this.#slowdowns.push(factor);
    this.#world.clock.after(forMs, () => {
      this.#slowdowns.splice(this.#slowdowns.indexOf(factor), 1);
    });
  }

  jumpClock(byMs: number): void {
    this.#world.note(this.id, `clock leaps ${byMs.toFixed(0)} ms`);
    this.#shell?.jumpClock(byMs);
  }

  killSlot(slot: number): void {
    this.#world.note(this.id, `slot ${slot} dies`);
    this.#shell?.killSlot(slot);
  }
}
