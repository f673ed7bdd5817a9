// Carries the faults of a scenario out on the machines and the network of a run.
import { unreachable } from '../../invariant.ts';
import type { Rng } from '../rng.ts';
import type { VirtualClock } from './clock.ts';
import { between, shuffled } from './draw.ts';
import type { Network } from './network.ts';
import type { VirtualPeer } from './peer.ts';
import type { Fault } from './scenario.ts';

export interface Targets {
  readonly clock: VirtualClock;
  readonly rng: Rng;
  readonly network: Network;
  readonly peers: readonly VirtualPeer[];
  note(who: string, what: string): void;
}

export function inflict(fault: Fault, targets: Targets): void {
  const { clock, rng, network, peers } = targets;
  switch (fault.kind) {
    case 'kill':
    case 'powerLoss':
      peers[fault.peer]?.die(fault.kind, fault.downMs);
      return;
    case 'powerLossOfAll':
      for (const peer of shuffled(rng, peers)) {
        peer.die('powerLoss', fault.downMs + between(rng, 0, fault.spreadMs));
      }
      return;
    case 'killSubmitterAtAnswer':
      // Happens at an event, not at a time: the world waits for the answer.
      return;
    case 'leave':
      peers[fault.peer]?.leave(fault.downMs);
      return;
    case 'drain':
      peers[fault.peer]?.drain(fault.forMs);
      return;
    case 'pause':
      peers[fault.peer]?.pause(fault.forMs);
      return;
    case 'slowDown':
      peers[fault.peer]?.slowDown(fault.factor, fault.forMs);
      return;
    case 'partition':
      partition(fault, targets);
      return;
    case 'noise':
      targets.note('network', `noise for ${fault.forMs.toFixed(0)} ms`);
      network.makeNoise({ ...fault, untilMs: clock.nowMs + fault.forMs });
      return;
    case 'diskFull':
      targets.note(peers[fault.peer]?.id ?? '', `disk full for ${fault.forMs.toFixed(0)} ms`);
      peers[fault.peer]?.disk.fillUp(fault.forMs);
      return;
    case 'diskSlow':
      targets.note(peers[fault.peer]?.id ?? '', `disk slow for ${fault.forMs.toFixed(0)} ms`);
      peers[fault.peer]?.disk.slowDown(fault.flushMs, fault.forMs);
      return;
    case 'clockJump':
      peers[fault.peer]?.jumpClock(fault.byMs);
      return;
    case 'killTogether':
      for (const peer of fault.peers) peers[peer]?.die('kill', fault.downMs);
      return;
    case 'flapping':
      for (let i = 0; i < fault.times; i++) {
        clock.after(i * fault.everyMs, () => peers[fault.peer]?.die('kill', fault.everyMs / 2));
      }
      return;
    case 'slotDeath':
      peers[fault.peer]?.killSlot(fault.slot);
      return;
    default:
      unreachable(fault);
  }
}

function partition(fault: Extract<Fault, { kind: 'partition' }>, targets: Targets): void {
  const { clock, network, peers } = targets;
  const inside = peers.filter((_, i) => fault.side.includes(i));
  const outside = peers.filter((_, i) => !fault.side.includes(i));
  const names = inside.map(({ id }) => id).join(' ');
  targets.note('network', `${names} cut off${fault.oneWay ? ', one way' : ''}`);
  const each = (change: 'block' | 'unblock'): void => {
    for (const a of inside) {
      for (const b of outside) {
        network[change](a.id, b.id);
        if (!fault.oneWay) network[change](b.id, a.id);
      }
    }
  };
  each('block');
  clock.after(fault.forMs, () => {
    targets.note('network', `${names} healed`);
    each('unblock');
  });
}
