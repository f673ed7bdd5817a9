// Candles from a Parquet file, in a thread of its own: the library that reads it believes what the file says of itself, and
// on a damaged one it may go on for ever or ask for all memory there is. A thread can be ended.
import { extname } from 'node:path';
import { Worker } from 'node:worker_threads';
import { type CandleResult, candleFailure } from './candle-rows.ts';

export interface ParquetTask {
  readonly file: string;
  readonly bytes: Uint8Array;
}

/** ms for any file, and for every MiB of it. A sound one takes some 100 ms per MiB on the machine of 2026. */
const BASE_MS = 20_000;
const MS_PER_MIB = 2_000;
/** MiB of objects: a million rows on their way to candles take some 500. */
const HEAP_MIB = 4_096;

export async function parseCandleParquet(
  file: string,
  bytes: Uint8Array,
  deadlineMs: number = BASE_MS + MS_PER_MIB * (bytes.byteLength / 2 ** 20),
): Promise<CandleResult> {
  const { promise, resolve } = Promise.withResolvers<CandleResult>();
  const task: ParquetTask = { file, bytes };
  const worker = new Worker(entryBesideThisFile(), {
    workerData: task,
    resourceLimits: { maxOldGenerationSizeMb: HEAP_MIB },
  });
  const refuse = (why: string): void =>
    resolve(candleFailure(file, `the Parquet file is damaged or of an unknown kind: ${why}`));
  const timer = setTimeout(() => refuse('it cannot be read to its end'), deadlineMs);
  worker.once('message', (result: CandleResult) => resolve(result));
  worker.once('error', (error: unknown) =>
    refuse(error instanceof Error ? error.message.slice(0, 200) : 'its reader ended'),
  );
  worker.once('exit', () => refuse('its reader ended'));
  const result = await promise;
  clearTimeout(timer);
  await worker.terminate();
  return result;
}

/** Sources in a clone, a bundle in the package. */
function entryBesideThisFile(): URL {
  return new URL(`./parquet-thread${extname(import.meta.filename)}`, import.meta.url);
}
