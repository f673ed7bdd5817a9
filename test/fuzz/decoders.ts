// Every place where bytes from outside become something: good inputs to start from, and what may happen to bad
// ones. A decoder either takes an input or says no in its own way; anything else it throws is a finding.
import * as fc from 'fast-check';
import { decode, encode } from 'cborg';
import { decodeCandles, encodeCandles } from '../../src/kernel/candles.ts';
import type { JobSpec } from '../../src/kernel/spec.ts';
import { RuleError } from '../../src/kernel/language/token.ts';
import { readSpec } from '../../src/node/jobfile/read-spec.ts';
import { writeSpec } from '../../src/node/jobfile/spec-blob.ts';
import { MeshError } from '../../src/node/errors.ts';
import { Recovery, recordOf } from '../../src/node/jobs/ledger-record.ts';
import {
  parseJson,
  readApprove,
  readConnect,
  readForget,
  readInvite,
  readLeave,
  readRedeem,
  readSubmit,
} from '../../src/node/control/requests.ts';
import { formatInvite, parseInvite } from '../../src/node/net/invite-text.ts';
import {
  decodeBlobHeader,
  decodeBlobRequest,
  encodeBlobHeader,
  encodeBlobRequest,
} from '../../src/node/wire/blob.ts';
import { decodeMessage, encodeMessage } from '../../src/node/wire/codec.ts';
import { decodeHello, encodeHello } from '../../src/node/wire/hello.ts';
import type { PeerId } from '../../src/stealing/ids.ts';
import type { Rng } from '../../src/stealing/rng.ts';
import { anyMessage } from '../unit/wire/arbitrary-message.ts';
import { HELLOS } from '../unit/wire/hellos.ts';
import { bendTree, flipBytes } from './mutate.ts';

interface Decoder {
  readonly name: string;
  readonly good: readonly Uint8Array[];
  /** Well-formed bytes with a wrong meaning. */
  readonly bend: (good: Uint8Array, rng: Rng) => Uint8Array;
  /** Throws only what `says no` means here. */
  readonly take: (bytes: Uint8Array) => void;
}

const text = new TextEncoder();
const plain = new TextDecoder();

const messages = fc.sample(anyMessage, { numRuns: 300, seed: 1 });
const jobs = messages.filter(
  (message) => message.kind === 'jobOffered' || message.kind === 'jobEnded',
);
const rows = messages.filter((message) => message.kind === 'rows');

const spin: JobSpec = {
  version: 1,
  kernel: 'spin',
  tasks: 9,
  costMs: [1, 2],
  mode: 'spin',
  seed: 1,
};
const backtest: JobSpec = {
  version: 1,
  kernel: 'backtest',
  datasets: [{ sha256: 'ab'.repeat(32), symbol: null, fromMs: null, toMs: null }],
  broker: {
    cash: 10_000,
    fee: 0.001,
    slippage: 0,
    lot: 0,
    fill: 'nextOpen',
    stopReference: 'fill',
    sameBar: 'stopFirst',
  },
  strategies: [
    {
      name: 'dip',
      vars: [{ name: 'n', from: 5, step: 1, count: 4 }],
      where: ['$n > 5'],
      long: { enter: ['rsi($n) < 30'], exit: ['rsi($n) > 60'] },
      short: null,
      stopLoss: '0.05',
      takeProfit: null,
      trailingStop: null,
      breakeven: null,
      maxBars: null,
      cooldown: null,
      reverse: false,
      size: { kind: 'equity', value: '1' },
    },
  ],
  sample: null,
  rank: 'sharpe',
};

const candles = encodeCandles({
  barCount: 2,
  timeMs: Float64Array.of(1, 2),
  open: Float64Array.of(10, 11),
  high: Float64Array.of(12, 13),
  low: Float64Array.of(9, 10),
  close: Float64Array.of(11, 12),
  volume: Float64Array.of(1, 1),
});

const requests = [
  { name: 'a', kernel: 'spin', spec: blob(), datasets: [blob()], taskCount: 3, audit: 'all' },
  { addr: '100.77.179.14', waitMs: 5 },
  { invite: 'mesh-invite-x', waitMs: 5 },
  { validMs: 5000 },
  { code: 'K7FQX-3RTWM' },
  { peer: 'mini' },
  { timeoutMs: 5 },
];
const READERS = [
  readSubmit,
  readConnect,
  readRedeem,
  readInvite,
  readApprove,
  readForget,
  readLeave,
];

export const DECODERS: readonly Decoder[] = [
  cborDecoder(
    'message',
    messages.map((message) => encodeMessage(message)),
    decodeMessage,
  ),
  cborDecoder('hello', HELLOS.map(encodeHello), decodeHello),
  cborDecoder('blob request', [encodeBlobRequest({ sha256: '0'.repeat(64), offset: 3 })], (bytes) =>
    decodeBlobRequest(bytes),
  ),
  cborDecoder('blob header', [encodeBlobHeader({ bytes: 3 })], (bytes) => decodeBlobHeader(bytes)),
  {
    name: 'invite',
    good: [
      text.encode(
        formatInvite({
          maker: '12D3KooWx' as PeerId,
          addrs: ['100.77.179.14:7420'],
          secret: new Uint8Array(16),
          key: new Uint8Array(32),
        }),
      ),
    ],
    bend: flipBytes,
    take: (bytes) => refusing(() => parseInvite(plain.decode(bytes)), isMeshError),
  },
  {
    name: 'control request',
    good: requests.map((request) => text.encode(JSON.stringify(request))),
    bend: bendJson,
    take(bytes) {
      for (const read of READERS) refusing(() => read(parseJson(plain.decode(bytes))), isMeshError);
    },
  },
  {
    name: 'job spec',
    good: [spin, backtest].map(writeSpec),
    bend: bendJson,
    take: (bytes) => refusing(() => readSpec(bytes), isPlainError),
  },
  {
    name: 'candles',
    good: [candles],
    bend: bendNumbers,
    take: (bytes) => refusing(() => decodeCandles(bytes), isPlainError),
  },
  {
    name: 'journal record',
    good: [...jobs.map(recordOfJob), ...rows.map(recordOfRows)],
    bend: bendNumbers,
    take(bytes) {
      const recovery = new Recovery();
      recovery.add('j', bytes);
      recovery.jobs();
    },
  },
];

function blob(): { sha256: string; bytes: number } {
  return { sha256: 'ab'.repeat(32), bytes: 3 };
}

function cborDecoder(
  name: string,
  good: readonly Uint8Array[],
  take: (bytes: Uint8Array) => unknown,
): Decoder {
  return {
    name,
    good,
    bend: (bytes, rng) => encode(bendTree(decode(bytes), rng)),
    take: (bytes) => void take(bytes),
  };
}

function bendJson(good: Uint8Array, rng: Rng): Uint8Array {
  return text.encode(JSON.stringify(bendTree(JSON.parse(plain.decode(good)), rng)) ?? '');
}

/** Binary forms: a boundary number of four or eight bytes at some place. */
function bendNumbers(good: Uint8Array, rng: Rng): Uint8Array {
  const bytes = Uint8Array.from(good);
  const view = new DataView(bytes.buffer);
  const at = rng.nextBelow(Math.max(1, bytes.byteLength - 8));
  const whole = [0, 1, 2 ** 31, 2 ** 32 - 1, 256, 65_535, 1_337][rng.nextBelow(7)]!;
  const real = [Number.NaN, Infinity, -0, 1e308, -1, 5e-324, 8.64e15 + 1][rng.nextBelow(7)]!;
  if (rng.nextBelow(2) === 0) view.setUint32(at & ~3, whole, true);
  else view.setFloat64(at & ~7, real, true);
  return bytes;
}

function refusing(take: () => unknown, isRefusal: (error: unknown) => boolean): void {
  try {
    take();
  } catch (error) {
    if (!isRefusal(error)) throw error;
  }
}

function isMeshError(error: unknown): boolean {
  return error instanceof MeshError;
}

/** A sentence that the decoder chose, and no TypeError or RangeError that it fell into. */
function isPlainError(error: unknown): boolean {
  return error instanceof RuleError || (error as Error).constructor === Error;
}

function recordOfJob(message: (typeof messages)[number]): Uint8Array {
  if (message.kind === 'jobEnded') {
    const { header, ending } = message;
    return recordOf({ kind: 'ended', job: header.job, ending }, header);
  }
  if (message.kind !== 'jobOffered') throw new Error('no job');
  return recordOf({ kind: 'job', header: message.header }, message.header);
}

function recordOfRows(message: (typeof messages)[number]): Uint8Array {
  if (message.kind !== 'rows') throw new Error('no rows');
  const { batch, job } = message;
  const tasks = batch.intervals.reduce((sum, [start, end]) => sum + end - start, 0);
  const rowWidth = tasks === 0 ? 1 : batch.values.length / tasks;
  return recordOf({ kind: 'rows', job, batch }, { rowWidth } as Parameters<typeof recordOf>[1]);
}
