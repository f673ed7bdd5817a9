// A group has one speaker again once the trouble is over: all of it that hear each other name one peer for the owner of
// a job, and that peer is one of them.
import type { Scenario } from '../scenario.ts';
import type { Check, PeerView, WorldView } from '../watch.ts';

/** Whether there are too many peers for a full view, so that they form groups. */
export function isGrouped({ peers }: Scenario): boolean {
  return peers.some(({ place }) => place !== undefined && place.length > 1);
}

export function groupsHaveOneSpeaker(scenario: Scenario): Check {
  const groupOf = new Map(scenario.peers.map(({ name, place }) => [name, place?.[0]]));
  return {
    name: 'L1 a group has one speaker',
    over({ hasEnded, peers }: WorldView): string | undefined {
      if (!hasEnded) return undefined;
      const running = peers.filter(({ core }) => core !== undefined);
      for (const a of running) {
        for (const b of running) {
          if (a === b || groupOf.get(a.id)?.group !== groupOf.get(b.id)?.group) continue;
          const differ = hear(a, b) && hear(b, a) ? differing(a, b) : undefined;
          if (differ !== undefined) return differ;
        }
        const members = new Set<string>(groupOf.get(a.id)?.members);
        const stranger = ownersOf(a).find(([, owner]) => !members.has(owner));
        if (stranger !== undefined && members.size > 0)
          return `${a.id} takes ${stranger[1]} of another group for the owner`;
      }
      return undefined;
    },
  };
}

function differing(a: PeerView, b: PeerView): string | undefined {
  const others = new Map(ownersOf(b));
  const first = ownersOf(a).find(([job, owner]) => (others.get(job) ?? owner) !== owner);
  if (first === undefined) return undefined;
  const [job, owner] = first;
  return `${a.id} takes ${owner} for the owner, and ${b.id} takes ${others.get(job)}`;
}

function ownersOf(peer: PeerView): (readonly [job: string, owner: string])[] {
  const jobs = peer.core?.status(peer.localMs).jobs ?? [];
  // One that nobody has the data of any more has no owner who could tell the others.
  const ended = jobs.filter(({ isActive }) => !isActive);
  return ended.map(({ header, owner }) => [header.job, owner] as const);
}

function hear(a: PeerView, b: PeerView): boolean {
  const peers = a.core?.status(a.localMs).peers ?? [];
  return peers.some(({ face, state }) => face.peer === b.id && state === 'ok');
}
