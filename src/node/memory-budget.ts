// How much memory slots may use for candles and what they compute of them.
import { totalmem } from 'node:os';

/** Of the machine's memory, for candles and what slots compute of them, unless --memory says otherwise. More keeps a
 * wider grid warm; less leaves room for the user's other programs. */
const MEMORY_PART = 1 / 4;
/** What 32 bits address. */
const MEMORY_BYTES_MAX = 4 * 2 ** 30;

/** What was asked for, or the machine's part. */
export function memoryBytesOf({
  memoryBytes,
}: {
  readonly memoryBytes?: number | undefined;
}): number {
  return memoryBytes ?? Math.min(totalmem() * MEMORY_PART, MEMORY_BYTES_MAX);
}
