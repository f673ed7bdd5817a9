// Draws from the one seeded generator. Every concern (network, disk, faults, each peer) gets a fork of its own,
// so that one more draw in one of them does not change what all others see.
import { invariant } from '../../invariant.ts';
import { Rng } from '../rng.ts';

export function fork(rng: Rng): Rng {
  return new Rng(rng.nextUint32());
}

export function chance(rng: Rng, probability: number): boolean {
  return rng.nextFloat() < probability;
}

/** Uniform in [low, high). */
export function between(rng: Rng, low: number, high: number): number {
  return low + rng.nextFloat() * (high - low);
}

/** Uniform whole number in [low, high]. */
export function whole(rng: Rng, low: number, high: number): number {
  return low + rng.nextBelow(high - low + 1);
}

/** Small values as likely as large ones, in orders of magnitude: in [low, high). */
export function logBetween(rng: Rng, low: number, high: number): number {
  return Math.exp(between(rng, Math.log(low), Math.log(high)));
}

export function pick<T>(rng: Rng, list: readonly T[]): T {
  invariant(list.length > 0, 'there is something to pick from');
  return list[rng.nextBelow(list.length)]!;
}

export function shuffled<T>(rng: Rng, list: readonly T[]): T[] {
  const rest = [...list];
  const drawn: T[] = [];
  while (rest.length > 0) drawn.push(...rest.splice(rng.nextBelow(rest.length), 1));
  return drawn;
}
