// Branded ids: a peer's and a job's name can never be mistaken for each other or for free text.

export type PeerId = string & { readonly __brand: 'PeerId' };
export type JobId = string & { readonly __brand: 'JobId' };

export function peerId(text: string): PeerId {
  return text as PeerId;
}

export function jobId(text: string): JobId {
  return text as JobId;
}

/**
 * Rendezvous (highest random weight) hash: every peer ranks the same candidates the same way, and the loss
 * of one candidate moves only what that one had (Thaler & Ravishankar, IEEE/ACM ToN 6(1), 1998).
 * The mix is 64-bit FNV-1a, finalised by two multiply-shift rounds; it decides nothing secret.
 */
function rendezvousScore(key: string, candidate: PeerId): number {
  let high = 0x811c9dc5;
  let low = 0x1b873593;
  const text = `${key}|${candidate}`;
  for (let i = 0; i < text.length; i++) {
    const code = text.charCodeAt(i);
    high = Math.imul(high ^ code, 0x01000193);
    low = Math.imul(low ^ code, 0x85ebca6b);
  }
  high = Math.imul(high ^ (high >>> 15) ^ low, 0x2c1b3c6d);
  low = Math.imul(low ^ (low >>> 13) ^ high, 0x297a2d39);
  return ((high ^ (high >>> 16)) >>> 0) * 2 ** 21 + ((low ^ (low >>> 15)) >>> 11);
}

/** The candidate that `key` ranks highest; ties (never seen) fall to the lower id. */
export function highestRanked(key: string, candidates: Iterable<PeerId>): PeerId | undefined {
  let best: PeerId | undefined;
  let bestScore = -1;
  for (const candidate of candidates) {
    const score = rendezvousScore(key, candidate);
    if (score > bestScore || (score === bestScore && best !== undefined && candidate < best)) {
      best = candidate;
      bestScore = score;
    }
  }
  return best;
}

/** All candidates as `key` ranks them, the highest first. */
export function ranked(key: string, candidates: Iterable<PeerId>): PeerId[] {
  const scored = [...candidates].map((peer) => ({ peer, score: rendezvousScore(key, peer) }));
  scored.sort((a, b) => b.score - a.score || (a.peer < b.peer ? -1 : 1));
  return scored.map(({ peer }) => peer);
}
