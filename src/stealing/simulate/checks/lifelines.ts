// L5: on an idle mesh every peer waits at every other one (up to 32 peers everybody is a neighbour, and in a mesh of
// groups everybody of the same): for each connection there was a lifeline, after it opened.
import type { Scenario } from '../scenario.ts';
import type { Check, Step, WorldView } from '../watch.ts';

/** Whether every message that is sent over a connection which stays arrives. */
export function nothingIsLostOnTheWay({ faults, peers }: Scenario): boolean {
  return peers.length <= 32 && faults.every(({ fault }) => fault.kind !== 'noise');
}

export function lifelinesAreArmed(scenario: Scenario): Check {
  const groupOf = new Map<string, string>(
    scenario.peers.map(({ name, place }) => [name, place?.[0]?.group ?? 'all']),
  );
  const connected = new Set<string>();
  const armed = new Set<string>();
  return {
    name: 'L5 an idle peer waits at every neighbour',
    stepped({ peer, incarnation, input }: Step): undefined {
      if (input.kind === 'peerConnected') {
        const at = `${peer}/${incarnation}`;
        const key = `${input.face.peer}/${input.face.incarnation} at ${at}`;
        connected.add(key);
        armed.delete(key);
      } else if (input.kind === 'peerDisconnected') {
        const at = `${peer}/${incarnation}`;
        for (const key of connected) {
          if (key.startsWith(`${input.peer}/`) && key.endsWith(` at ${at}`)) connected.delete(key);
        }
      } else if (input.kind === 'messageReceived' && input.message.kind === 'lifelineArmed') {
        armed.add(`${input.from}/${input.incarnation} at ${peer}/${incarnation}`);
      }
    },
    over(world: WorldView): string | undefined {
      if (!world.hasEnded) return undefined;
      const running = world.peers.filter(({ core }) => core !== undefined);
      const isBusy = running.some((peer) =>
        peer.core?.status(peer.localMs).jobs.some(({ isActive }) => isActive),
      );
      if (isBusy) return undefined;
      // A slot may still be at a task that somebody else has finished: its peer is not idle.
      const idle = running.filter(({ core, localMs }) => {
        const own = core?.status(localMs).peers[0];
        return own !== undefined && own.busySlots < own.face.slots;
      });
      for (const from of idle) {
        for (const to of running) {
          if (groupOf.get(from.id) !== groupOf.get(to.id)) continue;
          const key = `${from.id}/${from.incarnation} at ${to.id}/${to.incarnation}`;
          if (connected.has(key) && !armed.has(key)) return `${from.id} does not wait at ${to.id}`;
        }
      }
      return undefined;
    },
  };
}
