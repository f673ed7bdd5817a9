// Waiting for another process to reach a state that nobody will announce.
import { setTimeout as delay } from 'node:timers/promises';

/** Between two looks: shorter than a person notices, long enough to cost nothing. */
const LOOK_MS = 25;

/** What `promise` settled to, or undefined when `waitMs` have passed first. */
export async function settledWithin<T>(
  promise: Promise<T>,
  waitMs: number,
): Promise<T | undefined> {
  const over = new AbortController();
  const late = delay(waitMs, undefined, { signal: over.signal }).catch(() => undefined);
  try {
    return await Promise.race([promise, late]);
  } finally {
    over.abort();
  }
}

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
