// Where a job may run: what its submitter allowed. Whether a peer *can* run it (kernel, memory, data) it finds out
// itself when it loads the job, and tells the others as a rate of 0.
import type { PeerId } from './ids.ts';
import type { JobHeader } from './job.ts';

export function mayRunOn({ onlyPeers, notPeers }: JobHeader, peer: PeerId): boolean {
  if (onlyPeers !== undefined && onlyPeers.length > 0 && !onlyPeers.includes(peer)) return false;
  return notPeers?.includes(peer) !== true;
}
