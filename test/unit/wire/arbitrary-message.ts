// Messages of every kind for property tests.
import * as fc from 'fast-check';
import type { Interval } from '../../../src/deque/interval-set.ts';
import type { JobEnding, JobHeader, RowBatch } from '../../../src/stealing/job.ts';
import type { JobId, PeerId } from '../../../src/stealing/ids.ts';
import type { CoreMessage, Message, MessageKind } from '../../../src/stealing/messages.ts';

const peer = fc.string({ minLength: 1, maxLength: 60 }) as fc.Arbitrary<PeerId>;
const job = fc.string({ minLength: 1, maxLength: 40 }) as fc.Arbitrary<JobId>;
const count = fc.nat({ max: 2 ** 31 - 1 });
// Integers come back without a sign on zero; no number of the protocol is minus zero.
const amount = fc
  .double({ min: 0, max: 1e15, noNaN: true })
  .map((value) => (value === 0 ? 0 : value));

const intervals = fc
  .array(fc.tuple(fc.nat(50), fc.integer({ min: 1, max: 50 })), { maxLength: 20 })
  .map((steps) => {
    const list: Interval[] = [];
    let last = 0;
    for (const [gap, length] of steps) {
      list.push([last + gap, last + gap + length]);
      last += gap + length;
    }
    return list;
  });

const rates = fc.array(fc.record({ rateKey: fc.string(), unitsPerMs: amount }), { maxLength: 4 });
const sha256 = fc
  .uint8Array({ minLength: 32, maxLength: 32 })
  .map((bytes) => Buffer.from(bytes).toString('hex'));
const blob = fc.record({ sha256, bytes: count });

const header: fc.Arbitrary<JobHeader> = fc.record({
  job,
  name: fc.string(),
  submitter: peer,
  submittedAt: fc.constant('2026-01-02T03:04:05.678Z'),
  taskCount: count,
  rowWidth: fc.integer({ min: 1, max: 20 }),
  kernel: fc.string(),
  rateKey: fc.string(),
  spec: blob,
  datasets: fc.array(blob, { maxLength: 3 }),
});

const ending: fc.Arbitrary<JobEnding> = fc.record({
  state: fc.constantFrom('done' as const, 'cancelled' as const),
  endedAtMs: amount,
  done: count,
  failed: count,
  elapsedMs: amount,
  shares: fc.array(
    fc.record({
      peer,
      name: fc.string(),
      addr: fc.string(),
      slots: fc.nat(100),
      done: count,
      units: amount,
      rate: amount,
    }),
    { maxLength: 3 },
  ),
  steals: count,
  messages: count,
  efficiency: fc.record({ bound: amount, greedy: amount }),
});

const batch: fc.Arbitrary<RowBatch> = fc
  .tuple(
    fc.constantFrom('rows' as const, 'failures' as const),
    peer,
    intervals,
    fc.integer({ min: 1, max: 20 }),
  )
  .chain(([kind, maker, list, width]) => {
    const length = list.reduce((sum, [start, end]) => sum + end - start, 0) * width;
    return fc.infiniteStream(fc.double()).map((stream) => {
      const values = new Float64Array(length);
      for (let i = 0; i < length; i++) values[i] = stream.next().value as number;
      return { kind, maker, intervals: list, values };
    });
  });

const CORE_ARBITRARIES: {
  [K in CoreMessage['kind']]: fc.Arbitrary<Omit<Extract<Message, { kind: K }>, 'kind'>>;
} = {
  heartbeat: fc.record({
    sentMs: amount,
    echoSentMs: amount,
    echoAgeMs: amount,
    slots: fc.nat(100),
    busySlots: fc.nat(100),
    backlogMs: amount,
    draining: fc.boolean(),
    rates,
    jobs: fc.array(
      fc.record({
        job,
        backlogWork: amount,
        heldTasks: count,
        countedTasks: count,
        steals: count,
        messages: count,
        running: intervals,
        apart: intervals,
      }),
      { maxLength: 3 },
    ),
    done: count,
    failed: count,
    stole: count,
    gave: count,
    donePerSec: amount,
    recentUnits: amount,
  }),
  jobOffered: fc.record({ header }),
  jobRetried: fc.record({ header, round: fc.integer({ min: 1, max: 1_000 }) }),
  jobStored: fc.record({ job }),
  jobEnded: fc.record({ header, ending }),
  lifelineArmed: fc.record(
    { rates, slots: fc.nat(100), freeMs: fc.array(amount, { maxLength: 3 }) },
    { requiredKeys: ['rates', 'slots'] },
  ),
  stealRequest: fc.record(
    {
      request: count,
      rates,
      slots: fc.nat(100),
      backlogMs: amount,
      freeMs: fc.array(amount, { maxLength: 3 }),
      idleSlots: fc.nat(100),
      job,
    },
    { requiredKeys: ['request', 'rates', 'slots', 'backlogMs'] },
  ),
  stealRefused: fc.record({
    request: count,
    reason: fc.constantFrom(
      'empty' as const,
      'tooSmall' as const,
      'draining' as const,
      'unknownPeer' as const,
      'askMe' as const,
    ),
  }),
  grant: fc.record(
    {
      grant: count,
      request: count,
      batches: fc.array(fc.record({ job, intervals }), { maxLength: 3 }),
      again: fc.boolean(),
      copy: fc.boolean(),
    },
    { requiredKeys: ['grant', 'request', 'batches'] },
  ),
  grantConfirmed: fc.record({ grant: count }),
  rows: fc.record(
    { job, delivery: count, batch, isUnkept: fc.boolean() },
    { requiredKeys: ['job', 'delivery', 'batch'] },
  ),
  rowsKept: fc.record({ delivery: count }),
  quarantined: fc.record({ job, peer }),
  census: fc.record({ job, census: count }),
  censusAnswer: fc.record(
    {
      job,
      census: count,
      onDisk: fc.array(fc.record({ maker: peer, intervals }), { maxLength: 3 }),
      held: intervals,
      part: fc.nat(9),
      parts: fc.integer({ min: 1, max: 9 }),
    },
    { requiredKeys: ['job', 'census', 'onDisk', 'held'] },
  ),
  rowsWanted: fc.record({ job, intervals }),
  taskTried: fc.record(
    { job, task: count, peer, attempts: fc.integer({ min: 1, max: 9 }), reason: fc.string() },
    { requiredKeys: ['job', 'task', 'attempts', 'reason'] },
  ),
  leaving: fc.constant({}),
};

const coreMessage: fc.Arbitrary<CoreMessage> = fc.oneof(
  ...Object.entries<fc.Arbitrary<object>>(CORE_ARBITRARIES).map(([kind, body]) =>
    body.map((fields) => ({ ...fields, kind }) as CoreMessage),
  ),
);

const ARBITRARIES: {
  [K in MessageKind]: fc.Arbitrary<Omit<Extract<Message, { kind: K }>, 'kind'>>;
} = {
  ...CORE_ARBITRARIES,
  beyond: fc.record({
    tier: fc.integer({ min: 1, max: 10 }),
    from: peer,
    to: peer,
    term: count,
    message: coreMessage,
  }),
  speaks: fc.record({
    tier: fc.integer({ min: 0, max: 10 }),
    group: peer,
    peer,
    term: count,
    slots: count,
  }),
};

export function messageOf(kind: MessageKind): fc.Arbitrary<Message> {
  return (ARBITRARIES[kind] as fc.Arbitrary<object>).map((body) => ({ ...body, kind }) as Message);
}

export const anyMessage: fc.Arbitrary<Message> = fc.oneof(
  ...(Object.keys(ARBITRARIES) as MessageKind[]).map(messageOf),
);
