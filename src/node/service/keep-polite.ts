// A polite node looks around every few seconds and drains while it should rest: it finishes what it has begun, gives
// its queue to the others and takes nothing, and comes back by itself. What a person drained stays drained.
import { lookRegularly } from './look-regularly.ts';
import { Politeness, type Surroundings } from './politeness.ts';

/** ms between two looks: a person who comes back waits no longer for a free machine. */
const LOOK_MS = 5_000;

export interface PoliteNode {
  drain(isWanted: boolean): unknown;
}

/** Returns how to stop. */
export function keepPolite(
  node: PoliteNode,
  look: () => Promise<Surroundings>,
  lookMs: number = LOOK_MS,
): () => void {
  const politeness = new Politeness();
  let isResting = false;
  return lookRegularly(async () => {
    const shouldRest = politeness.decide(await look(), performance.now()) !== undefined;
    if (shouldRest === isResting) return;
    await node.drain(shouldRest);
    isResting = shouldRest;
  }, lookMs);
}
