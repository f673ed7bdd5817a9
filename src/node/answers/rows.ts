// A job's rows as people and scripts read them, and the one number that proves them: the SHA-256 over the
// SHA-256s of consecutive chunks of 4,096 rows in task order (packed little-endian Float64, canonical NaN).
import { createHash } from 'node:crypto';
import { setImmediate } from 'node:timers/promises';
import type { Ledger } from '../../stealing/ledger.ts';
import { IntervalSet } from '../../deque/interval-set.ts';
import { isFailedRow } from '../../stealing/ledger.ts';
import { type PackedRows, type RowQuery, selectRows } from '../control/row-query.ts';

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
    ledger.readRows(start, end, values, list.length * ledger.rowWidth);
    for (let task = start; task < end; task++) {
      const offset = list.length * ledger.rowWidth;
      if (isFailedRow(values, offset, ledger.rowWidth)) failed.push(task);
      list.push(task);
    }
  }
  return { columns, tasks: list, values, failed };
}

/** The rows that a list of the best `top` is made of, without a copy of all: a million rows are 160 MB. Yields to
 * the event loop between chunks. */
export async function bestRows(
  ledger: Ledger,
  tasks: IntervalSet,
  columns: readonly string[],
  query: RowQuery & { readonly top: number; readonly rankBy: string | undefined },
): Promise<PackedRows> {
  let best: PackedRows = { columns, tasks: [], values: new Float64Array(0) };
  for (const [start, end] of tasks.intervals()) {
    for (let from = start; from < end; from += CHUNK_ROWS) {
      const chunk = IntervalSet.from([[from, Math.min(end, from + CHUNK_ROWS)]]);
      const rows = joined(best, packRows(ledger, chunk, columns));
      best = picked(rows, selectRows(rows, query, query.rankBy));
      await setImmediate();
    }
  }
  return best;
}

function joined(a: PackedRows, b: PackedRows): PackedRows {
  const values = new Float64Array(a.values.length + b.values.length);
  values.set(a.values);
  values.set(b.values, a.values.length);
  return { columns: a.columns, tasks: [...a.tasks, ...b.tasks], values };
}

/** The rows at these places, in this order; a copy. */
export function picked(
  { columns, tasks, values }: PackedRows,
  places: readonly number[],
): PackedRows {
  const width = columns.length;
  const kept = new Float64Array(places.length * width);
  for (const [at, place] of places.entries()) {
    kept.set(values.subarray(place * width, (place + 1) * width), at * width);
  }
  return { columns, tasks: places.map((place) => tasks[place] ?? 0), values: kept };
}

/** Of a ledger that has every row. Yields to the event loop between chunks, so that heartbeats go on. */
export async function resultsSha256(ledger: Ledger): Promise<string> {
  const outer = createHash('sha256');
  const width = ledger.rowWidth;
  const values = new Float64Array(CHUNK_ROWS * width);
  for (let first = 0; first < ledger.taskCount; first += CHUNK_ROWS) {
    const rows = Math.min(CHUNK_ROWS, ledger.taskCount - first);
    const bytes = new DataView(new ArrayBuffer(rows * width * 8));
    ledger.readRows(first, first + rows, values, 0);
    for (let at = 0; at < rows * width; at++) {
      const value = values[at] as number;
      if (Number.isNaN(value)) bytes.setBigUint64(at * 8, 0x7ff8000000000000n, true);
      else bytes.setFloat64(at * 8, value, true);
    }
    outer.update(createHash('sha256').update(bytes).digest());
    await setImmediate();
  }
  return outer.digest('hex');
}
