// What the demo claims, and whether it came true. Pure: facts in, claims and a table out.
import type { JobSummary } from '../control/api.ts';

/** The peer that is killed must hold more than this of the job: less would not be missed. */
export const HELD_SHARE_MIN = 0.05;

/**
 * How far a peer's share of work may lie from its share of speed, in points. What separates them: steals that come
 * too late and leave a slot without work, the rows of the last moments of a killed peer (50 ms until they leave it, 1 %
 * of a job of 5 s), the last micro-batches, and speeds that change between two samples. Twelve short runs on a machine of
 * two cores that did much else: 0.2 to 1.1 points (November 2026, Linux x64). Work that goes by slots is off by 15 or more.
 * A fast run is over in four seconds, of which each slot's compiler and each late steal take more: there the bound is
 * the one that CI has for shares.
 */
export const SHARE_POINTS_MAX = { full: 3, fast: 6 } as const;

export interface PeerFacts {
  readonly id: string;
  readonly name: string;
  readonly slots: number;
  /** 0..1: of the speed that was measured, over the time that the peer lived. */
  readonly speedShare: number;
}

export interface DemoFacts {
  readonly summary: JobSummary;
  readonly peers: readonly PeerFacts[];
  /** What the peer that was killed held just before, in backtests; undefined: none was killed. */
  readonly killed: { readonly id: string; readonly held: number } | undefined;
  readonly rows: { readonly tasks: number; readonly again: number };
  readonly loopSha256: string;
  readonly sharePointsMax: number;
}

interface Claim {
  readonly text: string;
  readonly isTrue: boolean;
}

interface PeerLine {
  readonly name: string;
  readonly wasKilled: boolean;
  readonly slotShare: number;
  readonly speedShare: number;
  readonly workShare: number;
  readonly done: number;
}

export interface DemoReport {
  readonly v: 1;
  readonly ok: boolean;
  readonly tasks: number;
  readonly elapsedMs: number;
  readonly steals: number;
  readonly resultsSha256: string | null;
  readonly loopSha256: string;
  readonly heldByKilled: number;
  readonly peers: readonly PeerLine[];
  readonly claims: readonly Claim[];
}

export function judge(facts: DemoFacts): DemoReport {
  const { summary, loopSha256, killed } = facts;
  const peers = peerLines(facts);
  const claims = [
    survived(facts),
    countedOnce(facts),
    sameHash(facts),
    followsSpeed(peers, facts.sharePointsMax),
  ] as const;
  return {
    v: 1,
    ok: claims.every((claim) => claim.isTrue),
    tasks: summary.tasks,
    elapsedMs: summary.elapsedMs,
    steals: summary.steals,
    resultsSha256: summary.resultsSha256,
    loopSha256,
    heldByKilled: killed?.held ?? 0,
    peers,
    claims,
  };
}

function peerLines({ summary, peers, killed }: DemoFacts): PeerLine[] {
  const slots = peers.reduce((sum, peer) => sum + peer.slots, 0);
  const made = new Map(summary.peers.map((peer) => [peer.id, peer]));
  return peers.map(({ id, name, slots: own, speedShare }) => ({
    name,
    wasKilled: id === killed?.id,
    slotShare: own / slots,
    speedShare,
    workShare: made.get(id)?.share ?? 0,
    done: made.get(id)?.done ?? 0,
  }));
}

function survived({ summary, peers, killed }: DemoFacts): Claim {
  const name = peers.find((peer) => peer.id === killed?.id)?.name;
  if (killed === undefined || name === undefined) {
    return { text: 'no peer was killed while it held enough of the work', isTrue: false };
  }
  const heldShare = killed.held / summary.tasks;
  return {
    text: `${name} died with ${percent(heldShare)} of the job in its queue, and the job ended without it`,
    isTrue: heldShare > HELD_SHARE_MIN && summary.state === 'done',
  };
}

function countedOnce({ summary, rows }: DemoFacts): Claim {
  const byPeers = summary.peers.reduce((sum, peer) => sum + peer.done, 0);
  const { tasks, done, failed } = summary;
  const isTrue =
    rows.tasks === tasks && rows.again === 0 && done === tasks && failed === 0 && byPeers === tasks;
  return isTrue
    ? { text: 'each counted once', isTrue }
    : {
        text: `each counted once (seen ${rows.tasks}, again ${rows.again}, done ${done}, failed ${failed}, by peers ${byPeers} of ${tasks})`,
        isTrue,
      };
}

function sameHash({ summary, loopSha256 }: DemoFacts): Claim {
  return {
    text: `results ${summary.resultsSha256?.slice(0, 12) ?? 'without a hash'}…, the same as by the plain loop`,
    isTrue: summary.resultsSha256 === loopSha256,
  };
}

function followsSpeed(peers: readonly PeerLine[], pointsMax: number): Claim {
  const points = Math.max(
    ...peers.map(({ workShare, speedShare }) => Math.abs(workShare - speedShare) * 100),
  );
  return {
    text: `work follows measured speed within ${points.toFixed(1)} points (${pointsMax} allowed), not slots`,
    isTrue: points <= pointsMax,
  };
}

function percent(share: number): string {
  return `${(share * 100).toFixed(1)}%`;
}
