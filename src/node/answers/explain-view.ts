// Explanations and the steal log, drawn as the JSON that scripts read: ids become the names that people know.
import type { TaskExplained } from '../../stealing/explain.ts';
import type { JobId, PeerId } from '../../stealing/ids.ts';
import type { StealEntry } from '../../stealing/steal-log.ts';
import type { PeersView } from '../control/api.ts';
import type { ExplainView, StealLogView } from '../control/placement-api.ts';

export function explainView(
  explained: TaskExplained,
  shownJob: string,
  peers: PeersView,
): ExplainView {
  const { job, task, place, why, attempts, ahead, startsInMs } = explained;
  return {
    v: 1,
    job: shownJob,
    jobId: job,
    task,
    place,
    peers: explained.peers.map((id) => ({ id, name: nameOf(peers, id) })),
    why,
    attempts,
    ahead: ahead ?? null,
    startsInMs: startsInMs ?? null,
    self: nameOf(peers, peers.self as PeerId),
  };
}

/** `entries` with times in epoch ms. */
export function stealLogView(
  entries: readonly StealEntry[],
  shown: (job: JobId) => string,
  peers: PeersView,
): StealLogView {
  const steals = entries.map(({ atMs, thief, victim, job, ...rest }) => ({
    ...rest,
    at: new Date(atMs).toISOString(),
    thief: nameOf(peers, thief),
    victim: nameOf(peers, victim),
    job: job === undefined ? null : shown(job),
  }));
  return { v: 1, steals };
}

function nameOf({ peers }: PeersView, id: PeerId): string {
  return peers.find((peer) => peer.id === id)?.name ?? id.slice(-8);
}
