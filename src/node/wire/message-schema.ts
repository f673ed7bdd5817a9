// What each message looks like on the wire and how large its parts may be. The compiler holds this table to
// the core's message types: a kind or a field that is missing here does not compile.
import type { JobId, PeerId } from '../../stealing/ids.ts';
import type {
  BlobRef,
  JobEfficiency,
  JobEnding,
  JobHeader,
  PeerShare,
  RowBatch,
} from '../../stealing/job.ts';
import type {
  Batch,
  CoreMessage,
  JobProgress,
  Message,
  MessageKind,
  Rate,
  RefusalReason,
} from '../../stealing/messages.ts';
import { PRIORITY_MAX, PRIORITY_MIN, WEIGHT_MAX } from '../../stealing/turns.ts';
import {
  amount,
  count,
  Fault,
  type Field,
  finite,
  flag,
  float64s,
  integer,
  intervals,
  list,
  matching,
  optional,
  record,
  text,
  word,
} from './field.ts';

/** One byte in each frame says the kind. Append only: a number is never used for another kind. */
export const KIND_CODES = {
  heartbeat: 1,
  jobOffered: 2,
  jobStored: 3,
  jobEnded: 4,
  lifelineArmed: 5,
  stealRequest: 6,
  stealRefused: 7,
  grant: 8,
  grantConfirmed: 9,
  rows: 10,
  rowsKept: 11,
  census: 12,
  censusAnswer: 13,
  rowsWanted: 14,
  leaving: 15,
  taskTried: 16,
  quarantined: 17,
  jobRetried: 18,
  beyond: 19,
  speaks: 20,
} as const satisfies Record<MessageKind, number>;

/** Libp2p peer ids are 46 to 62 characters; room for longer keys. */
const PEER_ID_LENGTH_MAX = 128;
/** Jobs that one peer speaks of in one message, rates that it measured: far above any real mesh. */
const LIST_LENGTH_MAX = 4096;
/** Retries of one job: somebody would have to ask a thousand times. */
const ROUNDS_MAX = 1_000;
/** Messages of one answer to a census: one takes 65,536 intervals. */
const PARTS_MAX = 65_536;
/** A row's width limit is a promise of the contract. */
const ROW_WIDTH_MAX = 20;
const TASKS_MAX = 2 ** 32;

export const peerIdText: Field<PeerId> = text<PeerId>(PEER_ID_LENGTH_MAX);
export const personText: Field<string> = text(256);
export const sha256Hex: Field<string> = matching(/^[0-9a-f]{64}$/, 'a SHA-256 in lower-case hex');

const jobIdText: Field<JobId> = text<JobId>(128);
const slotCount = integer(0, 65_536);

const blobRef: Field<BlobRef> = record<BlobRef>({ sha256: sha256Hex, bytes: count });

const jobHeader: Field<JobHeader> = record<JobHeader>({
  job: jobIdText,
  name: personText,
  submitter: peerIdText,
  submittedAt: text(64),
  taskCount: integer(0, TASKS_MAX),
  rowWidth: integer(1, ROW_WIDTH_MAX),
  kernel: personText,
  rateKey: text(1024),
  spec: blobRef,
  datasets: list(blobRef, 1024),
  priority: optional(integer(PRIORITY_MIN, PRIORITY_MAX)),
  weight: optional(integer(1, WEIGHT_MAX)),
  audit: optional(word(['sample', 'all'] as const)),
  onlyPeers: optional(list(peerIdText, LIST_LENGTH_MAX)),
  notPeers: optional(list(peerIdText, LIST_LENGTH_MAX)),
  memoryBytes: optional(count),
  cached: optional(intervals('rising')),
  taskTimeoutMs: optional(integer(1_000, 7 * 86_400_000)),
  about: optional(jobIdText),
});

const peerShare: Field<PeerShare> = record<PeerShare>({
  peer: peerIdText,
  name: personText,
  addr: personText,
  slots: slotCount,
  done: count,
  units: amount,
  rate: amount,
});

const jobEnding: Field<JobEnding> = record<JobEnding>({
  state: word(['done', 'cancelled']),
  endedAtMs: finite,
  done: count,
  failed: count,
  elapsedMs: amount,
  shares: list(peerShare, LIST_LENGTH_MAX),
  steals: count,
  messages: count,
  efficiency: record<JobEfficiency>({
    bound: finite,
    greedy: finite,
    lpt: optional(finite),
    boundsMs: optional(
      record<NonNullable<JobEfficiency['boundsMs']>>({
        area: amount,
        longest: amount,
        prefix: amount,
        granularity: amount,
        latency: amount,
      }),
    ),
  }),
  resultMessages: optional(count),
  disputed: optional(count),
  lost: optional(count),
  checked: optional(count),
  round: optional(integer(0, ROUNDS_MAX)),
});

const rates = list(record<Rate>({ rateKey: text(1024), unitsPerMs: amount }), LIST_LENGTH_MAX);

const progress = list(
  record<JobProgress>({
    job: jobIdText,
    backlogWork: amount,
    heldTasks: count,
    countedTasks: count,
    steals: count,
    messages: count,
    resultMessages: optional(count),
    running: optional(intervals('any')),
    apart: optional(intervals('any')),
    restMs: optional(amount),
  }),
  LIST_LENGTH_MAX,
);

const rowBatchParts: Field<RowBatch> = record<RowBatch>({
  kind: word(['rows', 'failures']),
  maker: peerIdText,
  intervals: intervals('rising'),
  round: optional(integer(0, ROUNDS_MAX)),
  values: float64s,
});

/** The values must be whole rows of the tasks named; the width itself only the job's header knows. */
const rowBatch: Field<RowBatch> = {
  write: (batch) => rowBatchParts.write(batch),
  read(raw) {
    const batch = rowBatchParts.read(raw);
    const taskCount = batch.intervals.reduce((sum, [start, end]) => sum + end - start, 0);
    const width = taskCount === 0 ? 0 : batch.values.length / taskCount;
    const fits =
      taskCount === 0 ? batch.values.length === 0 : Number.isInteger(width) && width >= 1;
    if (!fits || width > ROW_WIDTH_MAX)
      throw new Fault('values are not the rows of the tasks named');
    return batch;
  },
};

const held = record<{ maker: PeerId; intervals: RowBatch['intervals'] }>({
  maker: peerIdText,
  intervals: intervals('any'),
});

/** Groups of ten in ten tiers hold ten thousand million peers. */
const TIERS_MAX = 10;

/** What one core says to another, in an envelope that cannot hold another envelope. */
const coreMessage: Field<CoreMessage> = {
  write: (message) => [
    KIND_CODES[message.kind],
    (BODIES[message.kind] as Field<object>).write(message),
  ],
  read(raw) {
    if (!Array.isArray(raw) || raw.length < 2) throw new Fault('not a message');
    const [code, body] = raw as unknown[];
    const [kind] = Object.entries(KIND_CODES).find(([, of]) => of === code) ?? [];
    if (kind === undefined || kind === 'beyond' || kind === 'speaks')
      throw new Fault('not a message between groups');
    const field = BODIES[kind as CoreMessage['kind']] as Field<object>;
    return { kind, ...field.read(body) } as CoreMessage;
  },
};

type Body<K extends MessageKind> = Omit<Extract<Message, { kind: K }>, 'kind'>;

export const BODIES: { readonly [K in MessageKind]: Field<Body<K>> } = {
  heartbeat: record<Body<'heartbeat'>>({
    sentMs: finite,
    echoSentMs: finite,
    echoAgeMs: finite,
    slots: slotCount,
    busySlots: slotCount,
    backlogMs: amount,
    draining: flag,
    rates,
    jobs: progress,
    done: count,
    failed: count,
    stole: count,
    gave: count,
    donePerSec: amount,
    recentUnits: amount,
  }),
  jobOffered: record<Body<'jobOffered'>>({ header: jobHeader }),
  jobRetried: record<Body<'jobRetried'>>({ header: jobHeader, round: integer(1, ROUNDS_MAX) }),
  jobStored: record<Body<'jobStored'>>({ job: jobIdText }),
  jobEnded: record<Body<'jobEnded'>>({ header: jobHeader, ending: jobEnding }),
  lifelineArmed: record<Body<'lifelineArmed'>>({
    rates,
    slots: slotCount,
    freeMs: optional(list(amount, LIST_LENGTH_MAX)),
  }),
  stealRequest: record<Body<'stealRequest'>>({
    request: count,
    rates,
    slots: slotCount,
    backlogMs: amount,
    freeMs: optional(list(amount, LIST_LENGTH_MAX)),
    idleSlots: optional(slotCount),
    job: optional(jobIdText),
  }),
  stealRefused: record<Body<'stealRefused'>>({
    request: count,
    reason: word<RefusalReason>(['empty', 'tooSmall', 'draining', 'unknownPeer', 'askMe']),
  }),
  grant: record<Body<'grant'>>({
    grant: count,
    request: count,
    batches: list(record<Batch>({ job: jobIdText, intervals: intervals('any') }), LIST_LENGTH_MAX),
    again: optional(flag),
    copy: optional(flag),
  }),
  grantConfirmed: record<Body<'grantConfirmed'>>({ grant: count }),
  rows: record<Body<'rows'>>({
    job: jobIdText,
    delivery: count,
    batch: rowBatch,
    isUnkept: optional(flag),
  }),
  rowsKept: record<Body<'rowsKept'>>({ delivery: count }),
  census: record<Body<'census'>>({ job: jobIdText, census: count }),
  censusAnswer: record<Body<'censusAnswer'>>({
    job: jobIdText,
    census: count,
    onDisk: list(held, LIST_LENGTH_MAX),
    held: intervals('any'),
    part: optional(count),
    parts: optional(integer(1, PARTS_MAX)),
  }),
  rowsWanted: record<Body<'rowsWanted'>>({ job: jobIdText, intervals: intervals('any') }),
  taskTried: record<Body<'taskTried'>>({
    job: jobIdText,
    task: count,
    peer: optional(peerIdText),
    attempts: integer(1, 1000),
    reason: text(1024),
  }),
  leaving: record({}),
  quarantined: record<Body<'quarantined'>>({ job: jobIdText, peer: peerIdText }),
  beyond: record<Body<'beyond'>>({
    tier: integer(1, TIERS_MAX),
    from: peerIdText,
    to: peerIdText,
    term: count,
    message: coreMessage,
  }),
  speaks: record<Body<'speaks'>>({
    tier: integer(0, TIERS_MAX),
    group: peerIdText,
    peer: peerIdText,
    term: count,
    slots: count,
  }),
};
