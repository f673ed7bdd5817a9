// A polite node looks around every few seconds and drains while it should rest: it finishes what it has begun, gives
// its queue to the others and takes nothing, and comes back by itself. What a person drained stays drained.
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
  let isLooking = false;
  const act = async (): Promise<void> => {
    if (isLooking) return;
    isLooking = true;
    try {
      const reason = politeness.decide(await look(), performance.now());
      const shouldRest = reason !== undefined;
      if (shouldRest === isResting) return;
      await node.drain(shouldRest);
      isResting = shouldRest;
    } finally {
      isLooking = false;
    }
  };
  const timer = setInterval(() => void act(), lookMs);
  void act();
  return () => clearInterval(timer);
}
