// A job's rows as people and scripts read them, and the one number that proves them: the SHA-256 over the
// SHA-256s of consecutive chunks of 4,096 rows in task order (packed little-endian Float64, canonical NaN).
import { createHash } from 'node:crypto';
import { setImmediate } from 'node:timers/promises';
import type { Ledger } from '../../stealing/ledger.ts';
import type { IntervalSet } from '../../deque/interval-set.ts';
import { isFailedRow } from '../../stealing/ledger.ts';
import type { PackedRows } from '../control/row-query.ts';

/** Rows per inner hash. */
const CHUNK_ROWS = 4_096;

/** `tasks` must be present in the ledger. The caller owns the copy. */
export function packRows(
  ledger: Ledger,
  tasks: IntervalSet,
  columns: readonly string[],
): PackedRows & { readonly tasks: number[]; readonly failed: number[] } {
  const list: number[] = [];
  const failed: number[] = [];
  const values = new Float64Array(tasks.count * ledger.rowWidth);
  for (const [start, end] of tasks.intervals()) {
    for (let task = start; task < end; task++) {
      const offset = list.length * ledger.rowWidth;
      ledger.readRow(task, values, offset);
      if (isFailedRow(values, offset, ledger.rowWidth)) failed.push(task);
      list.push(task);
    }
  }
  return { columns, tasks: list, values, failed };
}

/** Of a ledger that has every row. Yields to the event loop between chunks, so that heartbeats go on. */
export async function resultsSha256(ledger: Ledger): Promise<string> {
  const outer = createHash('sha256');
  const width = ledger.rowWidth;
  for (let first = 0; first < ledger.taskCount; first += CHUNK_ROWS) {
    const rows = Math.min(CHUNK_ROWS, ledger.taskCount - first);
    const bytes = new DataView(new ArrayBuffer(rows * width * 8));
    const row = new Float64Array(width);
    for (let i = 0; i < rows; i++) {
      ledger.readRow(first + i, row, 0);
      for (let k = 0; k < width; k++) {
        const value = row[k] ?? Number.NaN;
        const at = (i * width + k) * 8;
        if (Number.isNaN(value)) bytes.setBigUint64(at, 0x7ff8000000000000n, true);
        else bytes.setFloat64(at, value, true);
      }
    }
    outer.update(createHash('sha256').update(bytes).digest());
    await setImmediate();
  }
  return outer.digest('hex');
}
