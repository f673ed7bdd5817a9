// The codec against everything a peer may say and everything a stranger may send.
import * as fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { encode } from 'cborg';
import {
  decodeMessage,
  encodeMessage,
  MAX_ATTACHMENT,
  MAX_CONTROL_FRAME,
  PROTOCOL_VERSION,
} from '../../../src/node/wire/codec.ts';
import { BODIES, KIND_CODES } from '../../../src/node/wire/message-schema.ts';
import type { Message, MessageKind } from '../../../src/stealing/messages.ts';
import { anyMessage, messageOf } from './arbitrary-message.ts';

const KINDS = Object.keys(KIND_CODES) as MessageKind[];

describe('a message survives the wire', () => {
  test.each(KINDS)('%s comes back as it was sent', (kind) => {
    fc.assert(
      fc.property(messageOf(kind), (message) => {
        expect(decodeMessage(encodeMessage(message))).toEqual({ ok: true, message });
      }),
      { numRuns: 100 },
    );
  });

  test('every kind has a code of its own', () => {
    expect(new Set(Object.values(KIND_CODES)).size).toBe(KINDS.length);
    expect(Object.keys(BODIES).toSorted()).toEqual(KINDS.toSorted());
  });

  test('rows keep every bit, whatever NaN they hold', () => {
    const values = new Float64Array(new BigUint64Array([0x7ff8_0000_0000_0001n, 1n << 63n]).buffer);
    const back = decodeMessage(encodeMessage(rows([[3, 5]], values)));
    if (!back.ok || back.message.kind !== 'rows') throw new Error('rows did not come back');
    const bits = new BigUint64Array(back.message.batch.values.buffer);
    expect([...bits]).toEqual([0x7ff8_0000_0000_0001n, 1n << 63n]);
  });

  test('a granted batch keeps the order in which it shall run', () => {
    const message: Message = {
      kind: 'grant',
      grant: 1,
      request: 0,
      batches: [
        {
          job: 'j' as never,
          intervals: [
            [10, 20],
            [0, 5],
          ],
        },
      ],
    };
    expect(decodeMessage(encodeMessage(message))).toEqual({ ok: true, message });
  });

  test('a job offer carries its spec', () => {
    const attachment = new Uint8Array(MAX_ATTACHMENT).fill(7);
    fc.assert(
      fc.property(messageOf('jobOffered'), (message) => {
        expect(decodeMessage(encodeMessage(message, attachment))).toEqual({
          ok: true,
          message,
          attachment,
        });
      }),
      { numRuns: 5 },
    );
  });

  test('nothing but a job offer carries anything, and never more than 64 KiB', () => {
    expect(() => encodeMessage({ kind: 'leaving' }, new Uint8Array(1))).toThrow(/attachment/);
    const offer = fc.sample(messageOf('jobOffered'), 1)[0]!;
    expect(() => encodeMessage(offer, new Uint8Array(MAX_ATTACHMENT + 1))).toThrow(/64 KiB/);
  });
});

describe('bytes from outside are a message or a fault, never an exception', () => {
  test('every truncation of a message is a fault', () => {
    fc.assert(
      fc.property(anyMessage, (message) => {
        const frame = encodeMessage(message);
        for (let length = 0; length < frame.byteLength; length++) {
          expect(decodeMessage(frame.subarray(0, length)).ok).toBe(false);
        }
      }),
      { numRuns: 40 },
    );
  });

  test('a mutated frame is a fault or another valid message', () => {
    const edits = fc.array(fc.tuple(fc.nat(), fc.integer({ min: 0, max: 255 })), { maxLength: 8 });
    fc.assert(
      fc.property(anyMessage, edits, (message, changes) => {
        const frame = encodeMessage(message);
        for (const [at, byte] of changes) frame[at % frame.byteLength] = byte;
        expectFaultOrValid(frame);
      }),
      { numRuns: 3000 },
    );
  });

  test('random bytes are faults', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 200 }), (frame) => expectFaultOrValid(frame)),
      { numRuns: 3000 },
    );
  });

  test('a frame of well-formed CBOR with any body at all is a fault or valid', () => {
    const body = fc.anything({
      withBigInt: false,
      values: [fc.integer(), fc.string(), fc.uint8Array()],
    });
    fc.assert(
      fc.property(fc.constantFrom(...Object.values(KIND_CODES)), body, (code, raw) => {
        expectFaultOrValid(encode([PROTOCOL_VERSION, code, encodable(raw)]));
      }),
      { numRuns: 2000 },
    );
  });

  test.each<[string, unknown]>([
    ['another version', [PROTOCOL_VERSION + 1, KIND_CODES.leaving, []]],
    ['a kind that never was', [PROTOCOL_VERSION, 0, []]],
    ['a kind that is no number', [PROTOCOL_VERSION, 99.5, []]],
    ['a kind by name', [PROTOCOL_VERSION, 'leaving', []]],
    ['no body', [PROTOCOL_VERSION, KIND_CODES.leaving]],
    ['no array', { version: 1 }],
    [
      'an attachment to something else',
      [PROTOCOL_VERSION, KIND_CODES.leaving, [], new Uint8Array(1)],
    ],
    ['an empty interval', wanted([5, 0])],
    ['a negative interval', wanted([5, -2])],
    ['a negative task', wanted([-5, 2])],
    ['half an interval', wanted([5])],
    ['overlapping intervals', wanted([0, 10, -5, 2])],
    ['a task that is no whole number', wanted([0.5, 1])],
    ['a task that is a text', wanted(['1', 1])],
    ['a task beyond any job', wanted([2 ** 40, 1])],
    ['rows that do not rise', rawRows([10, 5, -15, 5], 10)],
    ['more values than tasks', rawRows([0, 1], 21)],
    ['values that are not whole rows', rawRows([0, 2], 3)],
    ['values without tasks', rawRows([], 1)],
  ])('%s is a fault', (_what, frame) => {
    expect(decodeMessage(encode(frame))).toEqual({ ok: false, fault: expect.any(String) });
  });

  test('a kind of a later release is told apart, and what it appends to a known one is left out', () => {
    const unknown = decodeMessage(encode([PROTOCOL_VERSION, 99, ['news']]));
    expect(unknown).toEqual({ ok: false, fault: expect.any(String), isUnknownKind: true });
    const longer = encode([PROTOCOL_VERSION, KIND_CODES.grantConfirmed, [7, 'news']]);
    const message = { kind: 'grantConfirmed', grant: 7 };
    expect(decodeMessage(longer)).toEqual({ ok: true, message });
  });

  test('a fault is quick: a full frame of nesting, of empty lists, of one huge claim', () => {
    const nested = new Uint8Array(MAX_CONTROL_FRAME).fill(0x81);
    const lists = new Uint8Array(MAX_CONTROL_FRAME).fill(0x80);
    const claim = Uint8Array.from([0x83, 1, 10, 0x5a, 0xff, 0xff, 0xff, 0xff]);
    const listClaim = Uint8Array.from([0x83, 1, 10, 0x9a, 0xff, 0xff, 0xff, 0xff]);
    for (const frame of [nested, lists, claim, listClaim]) {
      expect(decodeMessage(frame).ok).toBe(false);
    }
    expect(decodeMessage(new Uint8Array(MAX_CONTROL_FRAME + 1))).toEqual({
      ok: false,
      fault: 'frame too long',
    });
  });
});

function expectFaultOrValid(frame: Uint8Array): void {
  const decoded = decodeMessage(frame);
  // What was taken for a message must be one: it can be said again and is understood the same.
  if (decoded.ok) {
    expect(decodeMessage(encodeMessage(decoded.message, decoded.attachment))).toEqual(decoded);
  }
}

function rows(intervals: [number, number][], values: Float64Array): Message {
  const batch = { kind: 'rows', maker: 'p' as never, intervals, values } as const;
  return { kind: 'rows', job: 'j' as never, delivery: 1, batch };
}

function wanted(flat: unknown[]): unknown {
  return [PROTOCOL_VERSION, KIND_CODES.rowsWanted, ['j', flat]];
}

function rawRows(flat: number[], valueCount: number): unknown {
  const batch = ['rows', 'p', flat, new Uint8Array(valueCount * 8)];
  return [PROTOCOL_VERSION, KIND_CODES.rows, ['j', 1, batch]];
}

/** Whatever fast-check dreams up, without what CBOR cannot carry. */
function encodable(raw: unknown): unknown {
  if (typeof raw === 'symbol' || typeof raw === 'function' || raw === undefined) return null;
  if (Array.isArray(raw)) return raw.map(encodable);
  if (raw instanceof Uint8Array || typeof raw !== 'object' || raw === null) return raw;
  return Object.fromEntries(Object.entries(raw).map(([key, value]) => [key, encodable(value)]));
}
