// What a run consists of, before anything happens: the machines, their network and disks, the jobs, and the
// faults with their times. A scenario is plain values drawn from the seed, so it can be printed and cut down.
import type { Limits } from '../limits.ts';
import type { Place } from '../tiers/place.ts';
import type { WorkRun } from '../work.ts';

export interface PeerPlan {
  readonly name: string;
  readonly slots: number;
  /** Units that one slot finishes per millisecond; 1,000 is the speed of the reference machine. */
  readonly unitsPerMs: number;
  /** Speed of each slot as a part of that; absent: 1. Efficiency cores have some 0.4 of a performance core's. */
  readonly slotSpeeds?: readonly number[];
  /** When the machine is switched on. */
  readonly startMs: number;
  /** It tells others so many times its real rate. */
  readonly rateLie?: number;
  /** In a mesh of many: it knows the peers of its own group, and dials others as it needs them. */
  readonly place?: Place | undefined;
}

export interface JobPlan {
  readonly name: string;
  /** Index of the peer that submits it. */
  readonly submitter: number;
  readonly submitMs: number;
  readonly runs: readonly WorkRun[];
  readonly rowWidth: number;
  /** Spec and datasets together. */
  readonly dataBytes: number;
  /** Tasks that kill the slot, or the whole process, that runs them. */
  readonly poison?: readonly { readonly task: number; readonly kills: 'slot' | 'peer' }[];
  /** Indices of the peers that may run it, and of those that must not. */
  readonly onlyPeers?: readonly number[];
  readonly notPeers?: readonly number[];
  readonly priority?: number;
  readonly weight?: number;
  readonly workError?: WorkError;
  readonly audit?: 'sample' | 'all';
  /** ms after its submit at which its submitter, if it runs, cancels it. */
  readonly cancelAfterMs?: number;
}

/** Each task, or all tasks of a run, take up to so many times more, or less, than their `work` says. */
export interface WorkError {
  readonly times: number;
  readonly of: 'task' | 'run';
}

export interface NetworkPlan {
  /** One way, per pair of peers drawn between these. */
  readonly latencyMs: readonly [low: number, high: number];
  /** Largest extra delay of one message. */
  readonly jitterMs: number;
  /** After so long without an answer from the other side a connection is closed. */
  readonly breakAfterMs: number;
  /** Pause between two dials of a peer that is not connected. */
  readonly redialMs: number;
  /** For job data. */
  readonly bytesPerMs: number;
}

export interface DiskPlan {
  /** One flush; what is written meanwhile goes with the next. */
  readonly flushMs: readonly [low: number, high: number];
}

/** `for good`: the machine never comes back, nor does its disk. */
export type Fault =
  /** The process dies, the machine lives: peers see the connection close. */
  | { readonly kind: 'kill'; readonly peer: number; readonly downMs: number | 'for good' }
  /** The machine dies: peers see silence, and what was not flushed is gone. */
  | { readonly kind: 'powerLoss'; readonly peer: number; readonly downMs: number | 'for good' }
  | { readonly kind: 'powerLossOfAll'; readonly downMs: number; readonly spreadMs: number }
  /** The submitter of the first job is killed at the moment when its submit is answered. */
  | { readonly kind: 'killSubmitterAtAnswer'; readonly downMs: number | 'for good' }
  /** The peer gives its queue back and goes, to come again later. */
  | { readonly kind: 'leave'; readonly peer: number; readonly downMs: number }
  /** It gives its queue back and takes nothing for a while, but stays. */
  | { readonly kind: 'drain'; readonly peer: number; readonly forMs: number }
  /** The process is stopped and continued: a closed lid. */
  | { readonly kind: 'pause'; readonly peer: number; readonly forMs: number }
  | {
      readonly kind: 'slowDown';
      readonly peer: number;
      readonly factor: number;
      readonly forMs: number;
    }
  /** Nothing passes from `side` to the others (`oneWay`), nor back. */
  | {
      readonly kind: 'partition';
      readonly side: readonly number[];
      readonly oneWay: boolean;
      readonly forMs: number;
    }
  /** What no TCP stream does, for a while: single messages lost, doubled, overtaken. */
  | {
      readonly kind: 'noise';
      readonly forMs: number;
      readonly loss: number;
      readonly duplicate: number;
      readonly reorder: number;
    }
  | { readonly kind: 'diskFull'; readonly peer: number; readonly forMs: number }
  /** Each flush takes that long. */
  | {
      readonly kind: 'diskSlow';
      readonly peer: number;
      readonly flushMs: number;
      readonly forMs: number;
    }
  /** The process's own clock leaps: on a Mac it counts the time asleep. */
  | { readonly kind: 'clockJump'; readonly peer: number; readonly byMs: number }
  /** Owner and buddy, or half of all, die at one moment. */
  | { readonly kind: 'killTogether'; readonly peers: readonly number[]; readonly downMs: number }
  /** Comes and goes, again and again. */
  | {
      readonly kind: 'flapping';
      readonly peer: number;
      readonly times: number;
      readonly everyMs: number;
    }
  | { readonly kind: 'slotDeath'; readonly peer: number; readonly slot: number };

export type FaultKind = Fault['kind'];

export interface PlannedFault {
  readonly atMs: number;
  readonly fault: Fault;
}

export interface Scenario {
  readonly seed: number;
  readonly peers: readonly PeerPlan[];
  readonly jobs: readonly JobPlan[];
  readonly network: NetworkPlan;
  readonly disk: DiskPlan;
  readonly faults: readonly PlannedFault[];
  /** How often somebody whom nobody let in says all that was said before. */
  readonly strangers?: number;
  /** From here on nothing breaks any more, everything is healed and switched on, and jobs must end. */
  readonly calmFromMs: number;
  /** Jobs must have ended so long after `calmFromMs`, or after their submit when that is later. */
  readonly patienceMs: number;
  /** Whether the submitter hands out the first wave; stealing alone otherwise. */
  readonly seeding: boolean;
  /** Time-outs of all cores; those of production when absent. */
  readonly limits?: Limits;
}

export const lan: NetworkPlan = {
  latencyMs: [0.2, 0.8],
  jitterMs: 0.2,
  breakAfterMs: 12_700,
  redialMs: 500,
  bytesPerMs: 20_000,
};

export const fastDisk: DiskPlan = { flushMs: [1, 5] };
