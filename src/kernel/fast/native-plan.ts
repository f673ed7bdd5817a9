// A plan as the native kernel reads it: pointers into the shared memory and numbers, flat, so that a strategy that runs
// again is written into scratch memory without a look at its objects.
import type { Distance } from '../engine/plan.ts';

/** Conditions of one list; longer lists are for the twin. */
export const LIST_MAX = 16;

export interface NativePlan {
  /** Conditions of the four lists: long entry and exit, short entry and exit; -1: there is no such side. */
  readonly counts: readonly [number, number, number, number];
  /** Of the lists, one behind the other. */
  readonly pointers: readonly number[];
  /** Of stop loss, take profit, trailing stop and breakeven: 0 none, 1 a fraction, else a pointer to a series. */
  readonly kinds: readonly number[];
  readonly fractions: readonly number[];
}

type Lists = { readonly enter: readonly Int32Array[]; readonly exit: readonly Int32Array[] } | null;

/** All views are of the shared memory. Undefined: the lists are too long. */
export function nativePlan(
  [long, short]: readonly [Lists, Lists],
  distances: readonly (Distance | null)[],
): NativePlan | undefined {
  const pointers: number[] = [];
  const lists = [long?.enter, long?.exit, short?.enter, short?.exit] as const;
  for (const list of lists) {
    if (list === undefined) continue;
    if (list.length > LIST_MAX) return undefined;
    for (const words of list) pointers.push(words.byteOffset);
  }
  const [a, b, c, d] = lists;
  const kinds: number[] = [];
  const fractions: number[] = [];
  for (const distance of distances) {
    const isFraction = distance?.kind === 'fraction';
    fractions.push(isFraction ? distance.value : 0);
    if (isFraction) kinds.push(1);
    else kinds.push(distance === null ? 0 : distance.values.byteOffset);
  }
  return {
    counts: [a?.length ?? -1, b?.length ?? -1, c?.length ?? -1, d?.length ?? -1],
    pointers,
    kinds,
    fractions,
  };
}
