// Waiting for what another process does: a condition looked at often, with a name for when it never comes.
import { setTimeout as delay } from 'node:timers/promises';

/** ms between two looks: a heartbeat is 250 ms. */
const LOOK_MS = 15;
/** ms. A machine that is busy with other tests needs several seconds to start three processes. */
const PATIENCE_MS = 60_000;

/** Resolves with the first answer that is neither false nor undefined; throws when none comes. */
export async function until<T>(
  what: string,
  look: () => Promise<T | false | undefined> | T | false | undefined,
): Promise<T> {
  const giveUpMs = performance.now() + PATIENCE_MS;
  for (;;) {
    const answer = await look();
    if (answer !== false && answer !== undefined) return answer;
    if (performance.now() > giveUpMs) throw new Error(`waited in vain until ${what}`);
    await delay(LOOK_MS);
  }
}
