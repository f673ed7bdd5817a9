// The guard before the muxer: follows honest frames across any chunking, and cuts a claim of 4 GiB.
import * as fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { FRAME_BYTES_MAX, FrameWalker } from '../../../src/node/net/frame-guard.ts';

const WINDOW_UPDATE = 1;

function frame(type: number, length: number, body = type === 0 ? length : 0): Uint8Array {
  const bytes = new Uint8Array(12 + body).fill(0xff, 12);
  bytes[1] = type;
  new DataView(bytes.buffer).setUint32(8, length);
  return bytes;
}

describe('the walker', () => {
  test('takes honest frames however they are cut', () => {
    const kinds = fc.array(fc.tuple(fc.constantFrom(0, WINDOW_UPDATE), fc.nat(300)), {
      maxLength: 30,
    });
    fc.assert(
      fc.property(
        kinds,
        fc.array(fc.integer({ min: 1, max: 40 }), { minLength: 1 }),
        (list, cuts) => {
          const all = Buffer.concat(list.map(([type, length]) => frame(type, length)));
          const walker = new FrameWalker();
          let at = 0;
          for (let i = 0; at < all.byteLength; i++) {
            const step = cuts[i % cuts.length]!;
            expect(walker.accepts(all.subarray(at, at + step))).toBe(true);
            at += step;
          }
          // It stands at a border again: an oversized claim is seen.
          expect(walker.accepts(frame(0, FRAME_BYTES_MAX + 1, 0))).toBe(false);
        },
      ),
      { numRuns: 300 },
    );
  });

  test('refuses a claim of 4 GiB at the last byte of its header, before any of it came', () => {
    const claim = frame(0, 0xffff_ffff, 0);
    const walker = new FrameWalker();
    expect(walker.accepts(claim.subarray(0, 11))).toBe(true);
    expect(walker.accepts(claim.subarray(11))).toBe(false);
  });

  test('takes the largest honest frame, and window updates of any size', () => {
    expect(new FrameWalker().accepts(frame(0, FRAME_BYTES_MAX))).toBe(true);
    expect(new FrameWalker().accepts(frame(WINDOW_UPDATE, 0xffff_ffff))).toBe(true);
  });
});
