// -w of the lists: the same look again and again, until Ctrl-C or until nobody reads.
import { setTimeout as delay } from 'node:timers/promises';
import { type Context, listFormat } from './context.ts';
import { parseDuration } from './options.ts';

const EVERY_DEFAULT = '1s';
/** ms. Oftener than this nobody can read. */
const EVERY_MS_MIN = 100;

/** `flag`: true when it stands without a value. ms. */
export function readInterval(flag: string | boolean): number {
  const text = flag === true ? EVERY_DEFAULT : String(flag);
  return Math.max(EVERY_MS_MIN, parseDuration(text, '--watch'));
}

/** On a terminal each look is drawn over the last one; elsewhere it is printed after it. */
export async function lookAgain(
  context: Context,
  everyMs: number,
  look: () => Promise<void>,
): Promise<number> {
  const stopped = new AbortController();
  const stop = (): void => stopped.abort();
  process.once('SIGINT', stop);
  process.stdout.once('error', stop);
  try {
    while (!stopped.signal.aborted) {
      if (listFormat(context) === 'table') context.out.write('\x1b[H\x1b[2J');
      await look();
      await delay(everyMs, undefined, { signal: stopped.signal }).catch(() => {});
    }
    return 0;
  } finally {
    process.off('SIGINT', stop);
    process.stdout.off('error', stop);
  }
}
