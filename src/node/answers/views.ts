// The core's snapshot, drawn as the JSON that scripts read. Pure: no clock but the one that is passed in.
import type { CoreStatus, JobStatus, PeerStatus } from '../../stealing/status.ts';
import type {
  JobsView,
  JobView,
  PeersView,
  PeerShareView,
  PeerView,
  ProgressPeer,
} from '../control/api.ts';
import { shownJobIds } from '../control/selector.ts';

/** Two machines that both call themselves `vm` are told apart by the end of their ids, on every peer alike. */
export function displayName(status: CoreStatus, peer: string, name: string): string {
  const isShared = status.peers.some(({ face }) => face.name === name && face.peer !== peer);
  return isShared ? `${name}-${peer.slice(-4)}` : name;
}

/** What the net knows of a peer and the core does not. */
export interface Contact {
  /** Where it is now; a tailnet address may have come up since it was first met. */
  readonly addr: string;
  readonly port: number;
  readonly version: string;
  readonly path: 'direct' | 'relay';
  /** Epoch ms of the connection. */
  readonly sinceMs: number;
}

export function peersView(
  status: CoreStatus,
  contactOf: (peer: string) => Contact | undefined,
  nowMs: number,
): PeersView {
  const shares = recentShares(status);
  const peers = status.peers.map((peer) => ({
    ...peerView(peer, shares, contactOf(peer.face.peer)),
    name: displayName(status, peer.face.peer, peer.face.name),
  }));
  const present = peers.filter((peer) => peer.state !== 'lost');
  return {
    v: 1,
    at: new Date(nowMs).toISOString(),
    self: status.self,
    totals: {
      peers: present.length,
      slots: sum(present, (peer) => peer.slots),
      donePerSec: sum(present, (peer) => peer.donePerSec),
      queued: sum(present, (peer) => peer.queued),
    },
    peers,
  };
}

function peerView(
  peer: PeerStatus,
  shares: ReadonlyMap<string, number>,
  contact: Contact | undefined,
): PeerView {
  return {
    id: peer.face.peer,
    name: peer.face.name,
    addr: contact?.addr ?? peer.face.addr,
    port: contact?.port ?? 0,
    state: peer.state,
    slots: peer.face.slots,
    running: peer.busySlots,
    queued: peer.queuedTasks,
    donePerSec: peer.donePerSec,
    share: shares.get(peer.face.peer) ?? 0,
    rate: peer.rate,
    done: peer.done,
    failed: peer.failed,
    stole: peer.stole,
    gave: peer.gave,
    rttMs: peer.rttMs,
    path: peer.isSelf ? 'self' : (contact?.path ?? 'direct'),
    version: contact?.version ?? '',
    kernels: peer.face.kernels ?? [],
    since: new Date(contact?.sinceMs ?? 0).toISOString(),
  };
}

/** Of the last 30 s by work, or of the last finished job when nobody worked. */
function recentShares(status: CoreStatus): ReadonlyMap<string, number> {
  const units = sum(status.peers, (peer) => peer.recentUnits);
  if (units > 0) {
    return new Map(status.peers.map((peer) => [peer.face.peer, peer.recentUnits / units]));
  }
  const last = status.jobs.findLast((job) => job.ending?.state === 'done');
  return new Map(shareViews(status, last).map((share) => [share.id, share.share]));
}

/** Shares by work of one job; those who made nothing and are gone are left out. */
export function shareViews(status: CoreStatus, job: JobStatus | undefined): PeerShareView[] {
  const shares = job?.shares ?? [];
  const units = sum(shares, (share) => share.units);
  return shares
    .filter((share) => share.slots > 0 || share.done > 0)
    .map((share) => ({
      id: share.peer,
      name: displayName(status, share.peer, share.name),
      addr: share.addr,
      slots: share.slots,
      done: share.done,
      share: units > 0 ? share.units / units : 0,
      rate: share.rate,
    }));
}

export function progressPeers(status: CoreStatus, job: JobStatus): ProgressPeer[] {
  const busy = new Map(status.peers.map((peer) => [String(peer.face.peer), peer]));
  return shareViews(status, job)
    .filter((share) => busy.get(share.id)?.state !== 'lost' || share.done > 0)
    .map(({ id, name, slots, done, share }) => {
      const running = busy.get(id)?.busySlots ?? 0;
      return { id, name, slots, running, share, done };
    });
}

/** Tasks per second of one job, and how long the rest takes; null while nothing is known. */
export function pace(job: JobStatus): { donePerSec: number; etaMs: number | null } {
  if (!job.isActive || job.elapsedMs <= 0) return { donePerSec: 0, etaMs: null };
  const donePerSec = (job.counted / job.elapsedMs) * 1000;
  const left = job.header.taskCount - job.counted;
  return { donePerSec, etaMs: donePerSec > 0 ? (left / donePerSec) * 1000 : null };
}

export function jobsView(status: CoreStatus): JobsView {
  const shown = shownJobIds(status.jobs.map(({ header }) => header.job));
  return {
    v: 1,
    jobs: status.jobs.map((job) => jobView(status, job, shown.get(job.header.job) ?? '')),
  };
}

function jobView(status: CoreStatus, job: JobStatus, id: string): JobView {
  const { header, ending } = job;
  const owner = status.peers.find((peer) => peer.face.peer === job.owner);
  const failed = ending?.failed ?? job.failed;
  return {
    id,
    jobId: header.job,
    name: header.name,
    state: ending?.state ?? 'running',
    tasks: header.taskCount,
    done: ending?.done ?? Math.max(0, job.counted - failed),
    failed,
    ...pace(job),
    owner: displayName(status, job.owner, owner?.face.name ?? job.owner.slice(-8)),
    submittedAt: header.submittedAt,
    priority: header.priority ?? 0,
    weight: header.weight ?? 1,
    stuck: job.stuck ?? null,
  };
}

function sum<T>(items: readonly T[], of: (item: T) => number): number {
  return items.reduce((total, item) => total + of(item), 0);
}
