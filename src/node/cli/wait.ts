// Waiting for another process to reach a state that nobody will announce.
import { setTimeout as delay } from 'node:timers/promises';

/** Between two looks: shorter than a person notices, long enough to cost nothing. */
const LOOK_MS = 25;

/** True as soon as `condition` holds, false when `waitMs` have passed. */
export async function waitUntil(
  condition: () => boolean | Promise<boolean>,
  waitMs: number,
): Promise<boolean> {
  const deadline = performance.now() + waitMs;
  while (!(await condition())) {
    if (performance.now() >= deadline) return false;
    await delay(LOOK_MS);
  }
  return true;
}
