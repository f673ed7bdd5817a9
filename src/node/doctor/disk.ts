// The disk under the home: how much room there is, and how long it takes until a record is really on it. Every
// counted row waits for such a flush.
import { open, rm, statfs } from 'node:fs/promises';
import { join } from 'node:path';
import { failure, type Finding, ok, warning } from './finding.ts';

/** Bytes free below which a dataset and its results may not fit, and below which nothing does. */
const FREE_BYTES_WARN = 2e9;
const FREE_BYTES_MIN = 100e6;
/** ms. A Mac's internal SSD takes 5-20, a network disk hundreds. */
const FLUSH_MS_WARN = 60;
const FLUSHES = 5;
const RECORD_BYTES = 4096;

export async function checkDisk(home: string): Promise<readonly Finding[]> {
  try {
    const { bavail, bsize } = await statfs(home);
    return [freeSpace(bavail * bsize, home), flushTime(await measureFlushMs(home))];
  } catch (error) {
    const { code, message } = error as NodeJS.ErrnoException;
    if (code === 'ENOENT') return [];
    return [failure('disk', `cannot write to ${home}: ${message}`, '--home DIRECTORY')];
  }
}

export function freeSpace(bytes: number, home: string): Finding {
  const text = `${(bytes / 1e9).toFixed(1)} GB free under ${home}`;
  if (bytes < FREE_BYTES_MIN)
    return failure('disk-space', text, `free some space: df -h '${home}'`);
  if (bytes < FREE_BYTES_WARN) return warning('disk-space', text, `df -h '${home}'`);
  return ok('disk-space', text);
}

export function flushTime(ms: number): Finding {
  const text = `a record is on disk after ${ms.toFixed(1)} ms`;
  return ms > FLUSH_MS_WARN
    ? warning('disk-flush', `${text}: results are counted late`, 'mesh join --home ON_A_LOCAL_DISK')
    : ok('disk-flush', text);
}

/** Median of a few. */
async function measureFlushMs(home: string): Promise<number> {
  const path = join(home, `.doctor-${process.pid}`);
  const file = await open(path, 'w', 0o600);
  const times: number[] = [];
  try {
    for (let round = 0; round < FLUSHES; round++) {
      const beforeMs = performance.now();
      await file.write(new Uint8Array(RECORD_BYTES));
      await file.sync();
      times.push(performance.now() - beforeMs);
    }
  } finally {
    await file.close();
    await rm(path, { force: true });
  }
  return times.toSorted((a, b) => a - b)[Math.floor(FLUSHES / 2)] ?? Number.NaN;
}
