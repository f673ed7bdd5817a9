// How long what comes to a peer waits for its main thread.
import type { PeerId } from '../ids.ts';
import type { Step } from './watch.ts';

/** ms of a peer's main thread per message: libp2p in Node takes 0.1 to 0.2. */
const SERVICE_MS = 0.1;

export class ServiceQueues {
  readonly #busyUntilMs = new Map<PeerId, number>();

  /** ms of service before the message of this step has its turn; 0 for a step without one, and for heartbeats. */
  waitMs({ atMs, peer, input }: Step): number {
    if (input.kind !== 'messageReceived') return 0;
    const { message } = input;
    const { kind } = message.kind === 'beyond' ? message.message : message;
    if (kind === 'heartbeat') return 0;
    const waitMs = Math.max(0, (this.#busyUntilMs.get(peer) ?? 0) - atMs);
    this.#busyUntilMs.set(peer, atMs + waitMs + SERVICE_MS);
    return waitMs;
  }
}
