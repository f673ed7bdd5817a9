// Dials every known member for ever: at once when it vanishes or when somebody says that it is there, then after
// half a second, then twice as long each time up to half a minute. Random parts keep twenty peers that all lost
// the same one from knocking together.
import type { PeerId } from '../../stealing/ids.ts';

/** Milliseconds. Shorter finds a restarted peer sooner, longer spares a network with many machines switched off. */
const FIRST_DELAY_MS = 500;
const LAST_DELAY_MS = 30_000;

interface Attempts {
  delayMs: number;
  timer: NodeJS.Timeout | undefined;
  isDialling: boolean;
}

export class Redial {
  readonly #dial: (peer: PeerId) => Promise<void>;
  readonly #attempts = new Map<PeerId, Attempts>();
  #isStopped = false;

  /** `dial` resolves when the peer is connected (or nothing remains to do), and rejects otherwise. */
  constructor(dial: (peer: PeerId) => Promise<void>) {
    this.#dial = dial;
  }

  /** Dial now; `patient` begins with the longest delay if that fails: the peer said goodbye. */
  now(peer: PeerId, patient = false): void {
    const attempts = this.#of(peer);
    attempts.delayMs = patient ? LAST_DELAY_MS : FIRST_DELAY_MS;
    if (attempts.isDialling) return;
    clearTimeout(attempts.timer);
    void this.#attempt(peer, attempts);
  }

  /** It is connected, or shall be left alone. */
  stop(peer: PeerId): void {
    const attempts = this.#attempts.get(peer);
    clearTimeout(attempts?.timer);
    this.#attempts.delete(peer);
  }

  stopAll(): void {
    this.#isStopped = true;
    for (const peer of this.#attempts.keys()) this.stop(peer);
  }

  #of(peer: PeerId): Attempts {
    let attempts = this.#attempts.get(peer);
    if (attempts === undefined) {
      attempts = { delayMs: FIRST_DELAY_MS, timer: undefined, isDialling: false };
      this.#attempts.set(peer, attempts);
    }
    return attempts;
  }

  async #attempt(peer: PeerId, attempts: Attempts): Promise<void> {
    attempts.timer = undefined;
    if (this.#isStopped) return;
    attempts.isDialling = true;
    const isDone = await this.#dial(peer).then(
      () => true,
      () => false,
    );
    attempts.isDialling = false;
    // Stopped meanwhile: these attempts are no longer the peer's.
    if (this.#attempts.get(peer) !== attempts) return;
    if (isDone) this.stop(peer);
    else this.#plan(peer, attempts);
  }

  #plan(peer: PeerId, attempts: Attempts): void {
    if (this.#isStopped) return;
    const waitMs = attempts.delayMs * (0.5 + Math.random() / 2);
    attempts.delayMs = Math.min(attempts.delayMs * 2, LAST_DELAY_MS);
    attempts.timer = setTimeout(() => void this.#attempt(peer, attempts), waitMs);
  }
}
