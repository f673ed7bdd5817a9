// What is too long for one message goes in several: a frame is at most 1 MiB, whatever a job has come to look like.
import type { Interval } from '../deque/interval-set.ts';
import type { PeerId } from './ids.ts';

/** Intervals of one message. An interval takes ten bytes at most (two numbers of up to 2^32), so these are 640 KiB. */
export const MESSAGE_INTERVALS_MAX = 65_536;

interface Held {
  readonly maker: PeerId;
  readonly intervals: readonly Interval[];
}

export interface AnswerPart {
  readonly onDisk: readonly Held[];
  readonly held: readonly Interval[];
}

/** At least one part, which may be empty. */
export function intervalParts(
  intervals: readonly Interval[],
  max = MESSAGE_INTERVALS_MAX,
): (readonly Interval[])[] {
  if (intervals.length <= max) return [intervals];
  const parts: (readonly Interval[])[] = [];
  for (let at = 0; at < intervals.length; at += max) parts.push(intervals.slice(at, at + max));
  return parts;
}

/** At least one part. */
export function answerParts(answer: AnswerPart, max = MESSAGE_INTERVALS_MAX): AnswerPart[] {
  const total = answer.onDisk.reduce((sum, { intervals }) => sum + intervals.length, 0);
  if (total + answer.held.length <= max) return [answer];
  return [
    ...answer.onDisk.flatMap(({ maker, intervals }) =>
      intervalParts(intervals, max).map((part) => ({
        onDisk: [{ maker, intervals: part }],
        held: [],
      })),
    ),
    ...intervalParts(answer.held, max).map((held) => ({ onDisk: [], held })),
  ];
}
