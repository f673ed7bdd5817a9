// The orders in which peers are listed: by `peers --sort` and by the s key of `top`.
import type { PeerView } from '../control/api.ts';

type Compare = (a: PeerView, b: PeerView) => number;

export const byName: Compare = (a, b) => Number(a.name > b.name) - Number(a.name < b.name);

/** The most first; among equals the alphabet. */
export function byMost(of: (peer: PeerView) => number): Compare {
  return (a, b) => of(b) - of(a) || byName(a, b);
}
