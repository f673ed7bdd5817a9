// The hello frames: what is said comes back, and what is not exactly a hello is nothing.
import * as fc from 'fast-check';
import { encode } from 'cborg';
import { describe, expect, test } from 'vitest';
import { encodeMessage } from '../../../src/node/wire/codec.ts';
import {
  decodeHello,
  encodeHello,
  isHelloFrame,
  MEMBERS_MAX,
} from '../../../src/node/wire/hello.ts';
import { anyMessage } from './arbitrary-message.ts';
import { HELLOS } from './hellos.ts';

describe('a hello', () => {
  test.each(HELLOS)('$kind comes back as it was said', (hello) => {
    const frame = encodeHello(hello);
    expect(decodeHello(frame)).toEqual(hello);
    expect(isHelloFrame(frame)).toBe(true);
  });

  test('is never taken for a message, nor a message for it', () => {
    fc.assert(
      fc.property(anyMessage, (message) => {
        expect(isHelloFrame(encodeMessage(message))).toBe(false);
      }),
      { numRuns: 100 },
    );
  });

  test('every truncation is nothing, every mutation nothing or another hello', () => {
    for (const hello of HELLOS) {
      const frame = encodeHello(hello);
      for (let length = 0; length < frame.byteLength; length++) {
        expect(decodeHello(frame.subarray(0, length))).toBeUndefined();
      }
      fc.assert(
        fc.property(fc.nat(frame.byteLength - 1), fc.nat(255), (at, byte) => {
          const bad = Uint8Array.from(frame);
          bad[at] = byte;
          const decoded = decodeHello(bad);
          if (decoded !== undefined) expect(decodeHello(encodeHello(decoded))).toEqual(decoded);
        }),
        { numRuns: 300 },
      );
    }
  });

  test.each<[string, unknown]>([
    ['a short nonce', [1, [new Uint8Array(31)]]],
    ['a nonce that is a text', [1, ['x'.repeat(32)]]],
    ['an unknown kind', [77, []]],
    ['a fingerprint that is none', [3, ['keys', 'XYZ', null]]],
    [
      'more members than any mesh has',
      [6, [Array.from({ length: MEMBERS_MAX + 1 }, () => []), []]],
    ],
  ])('with %s is nothing', (_what, raw) => {
    expect(decodeHello(encode(raw))).toBeUndefined();
  });
});
