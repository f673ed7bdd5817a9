// The lines of sim-scale: machines, work, and what is to be reached, without and with a disaster.
import type { SlotGroup } from '../src/stealing/simulate/ideal.ts';

export interface Row {
  readonly peers: number;
  readonly work: string;
  readonly tasks: number;
  readonly taskMs: number;
  readonly groups: readonly SlotGroup[];
  /** Members of a group, at most, where there are too many for a full view. */
  readonly groupSize?: number;
  /** Without faults. */
  readonly goal: Goal;
  readonly disasters: readonly (Disaster | Churn)[];
}

export interface Goal {
  /** The bound that the figure is of: a central queue without delay, or work by speed alone. */
  readonly of: 'greedy' | 'LB';
  readonly atLeast: number;
  /** Steal-path messages per task. */
  readonly messagesMax?: number;
  /** Grants per peer that somebody asked for. */
  readonly stealsMax?: number;
  /** ms that a message waits at the busiest peer. */
  readonly queueMsMax?: number;
}

/** Half-way some are gone for good. */
export interface Disaster {
  /** Times the survivors’ ideal. */
  readonly atMost: number;
  readonly name: string;
  readonly kind: 'kill' | 'powerLoss';
  readonly dead: readonly number[];
}

/** All the time some go, to come again a second later. */
export interface Churn {
  readonly name: string;
  readonly kind: 'leave';
  /** Part of all peers that go in a second. */
  readonly partPerSec: number;
  /** Of the greedy queue on machines of which none ever goes. */
  readonly atLeast: number;
}

const TWO: readonly SlotGroup[] = [
  { slots: 12, speed: 1 },
  { slots: 10, speed: 1 },
];
const TEN: readonly SlotGroup[] = [12, 10, 12, 10, 12, 10, 12, 10, 10, 10].map((slots) => ({
  slots,
  speed: slots === 12 ? 1 : 0.9,
}));
const HUNDRED: readonly SlotGroup[] = Array.from({ length: 100 }, (_, i) => ({
  slots: 8,
  speed: 0.5 + ((i * 37) % 100) / 99,
}));

const EITHER: readonly Disaster[] = [
  { name: 'submitter killed half-way', atMost: 1.05, kind: 'kill', dead: [0] },
  { name: 'other killed half-way', atMost: 1.05, kind: 'kill', dead: [1] },
];
const THREE_OF_TEN: Disaster = {
  name: '3 killed, submitter among them',
  atMost: 1.1,
  kind: 'kill',
  dead: [0, 3, 4],
};
const ONE_SILENT: Disaster = {
  name: 'one silent',
  atMost: 1.25,
  kind: 'powerLoss',
  dead: [2],
};
const TENTH: Disaster = {
  name: '10 % die',
  atMost: 1.15,
  kind: 'kill',
  dead: Array.from({ length: 10 }, (_, i) => i * 10 + 3),
};

const TENTH_OF_10K: Disaster = {
  name: '10 % die at once',
  atMost: 1.25,
  kind: 'kill',
  dead: Array.from({ length: 1_000 }, (_, i) => i * 10 + (i % 10)),
};
const CHURN: Churn = {
  name: '1 % leave and join per second',
  kind: 'leave',
  partPerSec: 0.01,
  atLeast: 0.9,
};

const NEAR_IDEAL: Goal = { of: 'greedy', atLeast: 0.99 };

export const ROWS: readonly Row[] = [
  {
    peers: 2,
    work: '300 x 50 ms',
    tasks: 300,
    taskMs: 50,
    groups: TWO,
    goal: NEAR_IDEAL,
    disasters: EITHER,
  },
  {
    peers: 2,
    work: '1M x 50 us',
    tasks: 1e6,
    taskMs: 0.05,
    groups: TWO,
    goal: NEAR_IDEAL,
    disasters: EITHER,
  },
  {
    peers: 10,
    work: '300 x 50 ms',
    tasks: 300,
    taskMs: 50,
    groups: TEN,
    goal: { of: 'greedy', atLeast: 0.95 },
    disasters: [THREE_OF_TEN],
  },
  {
    peers: 10,
    work: '1M x 1 ms',
    tasks: 1e6,
    taskMs: 1,
    groups: TEN,
    goal: { of: 'LB', atLeast: 0.985 },
    disasters: [THREE_OF_TEN, ONE_SILENT],
  },
  {
    peers: 100,
    work: '1M x 10 ms',
    tasks: 1e6,
    taskMs: 10,
    groups: HUNDRED,
    goal: { of: 'greedy', atLeast: 0.99, messagesMax: 0.3 },
    disasters: [TENTH],
  },
  {
    peers: 1_000,
    work: '1M x 10 ms',
    tasks: 1e6,
    taskMs: 10,
    groups: slotsOfOne(1_000),
    groupSize: 32,
    goal: { of: 'greedy', atLeast: 0.98, stealsMax: 6 },
    disasters: [CHURN],
  },
  {
    peers: 10_000,
    work: '1M x 100 ms',
    tasks: 1e6,
    taskMs: 100,
    groups: slotsOfOne(10_000),
    groupSize: 10,
    goal: { of: 'greedy', atLeast: 0.97, messagesMax: 0.5, queueMsMax: 5 },
    disasters: [TENTH_OF_10K],
  },
];

function slotsOfOne(peers: number): SlotGroup[] {
  return Array.from({ length: peers }, () => ({ slots: 1, speed: 1 }));
}
