// A plan as the native kernel reads it: pointers into the shared memory and numbers, flat in one array, so that a strategy
// that runs again is written into scratch memory from two cache lines and not from a dozen objects.
import type { Distance } from '../engine/plan.ts';

/** Conditions of one list; longer lists are for the twin. */
export const LIST_MAX = 16;
export const LISTS = 4;
export const DISTANCES = 4;

/**
 * LISTS counts: conditions of long entry and exit, short entry and exit, -1: there is no such side. Then for each of stop
 * loss, take profit, trailing stop and breakeven its kind (0 none, 1 a fraction, else a pointer to a series) and its
 * fraction. Then the pointers of the lists' conditions, one list behind the other.
 */
export type NativePlan = readonly number[];

type Lists = { readonly enter: readonly Int32Array[]; readonly exit: readonly Int32Array[] } | null;

/** All views are of the shared memory. Undefined: the lists are too long. */
export function nativePlan(
  [long, short]: readonly [Lists, Lists],
  distances: readonly (Distance | null)[],
): NativePlan | undefined {
  const lists = [long?.enter, long?.exit, short?.enter, short?.exit];
  const plan: number[] = [];
  for (const list of lists) {
    if (list !== undefined && list.length > LIST_MAX) return undefined;
    plan.push(list?.length ?? -1);
  }
  for (const distance of distances) {
    if (distance === null) plan.push(0, 0);
    else if (distance.kind === 'fraction') plan.push(1, distance.value);
    else plan.push(distance.values.byteOffset, 0);
  }
  for (const list of lists) for (const words of list ?? []) plan.push(words.byteOffset);
  return plan;
}
