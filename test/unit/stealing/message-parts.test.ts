// What is too long for one message: parts that together say the same, each of them small enough for a frame.
import * as fc from 'fast-check';
import { expect, test } from 'vitest';
import type { Interval } from '../../../src/deque/interval-set.ts';
import { encodeMessage } from '../../../src/node/wire/codec.ts';
import { jobId, peerId } from '../../../src/stealing/ids.ts';
import {
  answerParts,
  intervalParts,
  MESSAGE_INTERVALS_MAX,
} from '../../../src/stealing/message-parts.ts';

const someIntervals = fc
  .array(fc.nat(1_000), { maxLength: 30 })
  .map((starts) => starts.map((start): Interval => [start, start + 1]));

test('parts of intervals are the intervals, at most so many each, and one part when there is none', () => {
  fc.assert(
    fc.property(someIntervals, fc.integer({ min: 1, max: 8 }), (intervals, max) => {
      const parts = intervalParts(intervals, max);
      expect(parts.flat()).toEqual(intervals);
      expect(parts.length).toBe(Math.max(1, Math.ceil(intervals.length / max)));
      expect(parts.every((part) => part.length <= max)).toBe(true);
    }),
  );
});

test('parts of an answer say of every maker and of what is held what the whole says', () => {
  fc.assert(
    fc.property(
      fc.array(someIntervals, { maxLength: 5 }),
      someIntervals,
      fc.integer({ min: 1, max: 8 }),
      (makers, held, max) => {
        const onDisk = makers.map((intervals, i) => ({ maker: peerId(`p${i}`), intervals }));
        const parts = answerParts({ onDisk, held }, max);
        expect(parts.flatMap((part) => part.held)).toEqual(held);
        for (const { maker, intervals } of onDisk) {
          const told = parts.flatMap((part) =>
            part.onDisk.filter((entry) => entry.maker === maker),
          );
          expect(told.flatMap((entry) => entry.intervals)).toEqual(intervals);
        }
        const sizes = parts.map((part) =>
          part.onDisk.reduce((sum, entry) => sum + entry.intervals.length, part.held.length),
        );
        expect(sizes.every((size) => size <= max)).toBe(true);
      },
    ),
  );
});

test('the largest part fits a frame, with the largest numbers that tasks have', () => {
  const half = 2 ** 31;
  const intervals = Array.from({ length: MESSAGE_INTERVALS_MAX }, (_, i): Interval => {
    const start = i % 2 === 0 ? i * 4 : half + i * 4;
    return [start, start + 1];
  });
  const message = { kind: 'rowsWanted', job: jobId('j'), intervals } as const;
  expect(() => encodeMessage(message)).not.toThrow();
});
