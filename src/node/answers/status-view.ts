// What `mesh status` shows: this peer, and how much of a mesh it sees.
import type { CoreStatus } from '../../stealing/status.ts';
import type { StatusView } from '../control/api.ts';
import type { PeerPorts } from './peer-ports.ts';

export async function statusView(ports: PeerPorts): Promise<StatusView> {
  const disk = await ports.disk();
  const status = ports.coreStatus();
  const own = status.peers[0];
  const running = status.jobs.filter((job) => job.isActive);
  const live = status.peers.filter((peer) => peer.state !== 'lost');
  return {
    v: 1,
    self: { ...ports.identity, pid: process.pid },
    state: status.stepsBack === undefined ? 'ok' : 'draining',
    stepsBack: status.stepsBack ?? null,
    slots: own?.face.slots ?? 0,
    jobs: running.length,
    disk,
    running: own?.busySlots ?? 0,
    queued: own?.queuedTasks ?? 0,
    owned: running.filter((job) => job.owner === status.self).length,
    since: new Date(ports.startedMs).toISOString(),
    embedded: ports.embedded,
    mesh: {
      peers: live.length,
      slots: live.reduce((slots, peer) => slots + peer.face.slots, 0),
      reachable: live.filter((peer) => peer.state !== 'suspect').length,
    },
  };
}

/** Whether a person, or its leaving, keeps this peer from working at all. */
export function isDrained({ stepsBack }: CoreStatus): boolean {
  return stepsBack === 'drained' || stepsBack === 'leaving';
}
