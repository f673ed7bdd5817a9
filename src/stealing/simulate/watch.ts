// What can be seen of a run from outside. Checks are built on this alone: the world that makes the trouble does
// not judge it, and no check can change what happens.
import type { Interval } from '../../deque/interval-set.ts';
import type { JobId, PeerId } from '../ids.ts';
import type { Input } from '../input.ts';
import type { JobHeader } from '../job.ts';
import type { Message } from '../messages.ts';
import type { PersistEntry } from '../output.ts';
import type { TieredOutput } from '../tiers/tiered-core.ts';
import type { Scenario } from './scenario.ts';
import type { SimulatedCore } from './shell.ts';

/** One call of `handle`. */
export interface Step {
  readonly atMs: number;
  readonly peer: PeerId;
  readonly incarnation: number;
  readonly input: Input;
  readonly outputs: readonly TieredOutput[];
  readonly core: SimulatedCore;
  /** As it is before the orders are carried out. */
  readonly world: WorldView;
}

/** Who ran which tasks, and how long: a slot's report, whether or not it reached the core. */
export interface Execution {
  readonly atMs: number;
  /** When the slot claimed them. */
  readonly startedMs: number;
  readonly peer: PeerId;
  readonly job: JobId;
  readonly intervals: readonly Interval[];
  readonly units: number;
}

export interface Sending {
  readonly atMs: number;
  readonly from: PeerId;
  readonly to: PeerId;
  readonly message: Message;
}

/** What the run knows of a job, whatever the peers believe. */
export interface JobTruth {
  readonly header: JobHeader;
  readonly seed: number;
  readonly totalUnits: number;
  readonly submitter: PeerId;
  readonly submittedAtMs: number;
  /** Somebody may cancel it. */
  readonly mayBeCancelled: boolean;
}

export interface PeerView {
  readonly id: PeerId;
  /** Never comes back, disk included. */
  readonly isGone: boolean;
  /** Of its newest life. */
  readonly incarnation: number;
  /** Undefined while no process runs. */
  readonly core: SimulatedCore | undefined;
  readonly localMs: number;
  readonly journal: readonly PersistEntry[];
  readonly data: ReadonlySet<JobId>;
}

export interface WorldView {
  readonly scenario: Scenario;
  readonly nowMs: number;
  readonly jobs: readonly JobTruth[];
  readonly peers: readonly PeerView[];
  /** Whether every job that must end did, before patience ran out. */
  readonly hasEnded: boolean;
  /** When all peers knew of the last ending. */
  readonly endedAtMs: number | undefined;
}

export interface Check {
  /** The promise, in a few words. */
  readonly name: string;
  /** A violation, or nothing. */
  stepped?(step: Step): string | undefined;
  ran?(execution: Execution): string | undefined;
  sent?(sending: Sending): string | undefined;
  over?(world: WorldView): string | undefined;
}

export interface Violation {
  readonly check: string;
  readonly atMs: number;
  readonly text: string;
}
