// Which rows, in which order: the one meaning of --sort, --where and --top, for screens, files and the summary's
// top list. Pure, so that the daemon and a test sort alike.
import { parseFilters, passes, type RowFilter } from '../../kernel/row-filter.ts';
import { MeshError } from '../errors.ts';

export type { RowFilter };

export interface RowOrder {
  readonly column: string;
  readonly direction: 'asc' | 'desc';
}

/** Best first means smallest first for these. */
const LESS_IS_BETTER: ReadonlySet<string> = new Set([
  'task',
  'maxDrawdown',
  'volatility',
  'fees',
  'ambiguousExits',
  'forcedExits',
]);

/** Reads `trades>30`, or several of those joined by `and`, `,` or `&&`. */
export function parseWhere(text: string): readonly RowFilter[] {
  try {
    return parseFilters(text);
  } catch (cause) {
    throw new MeshError('USAGE', (cause as Error).message, {
      hint: "--where 'trades>30 and maxDrawdown<0.3'",
      cause,
    });
  }
}

/** Reads `sharpe`, `sharpe:asc` or `sharpe:desc`; without a direction the best come first. */
export function parseSort(text: string, columns: readonly string[]): RowOrder {
  const [column = '', direction] = text.split(':');
  if (!columns.includes(column)) throw unknownColumn(column, columns);
  if (direction === undefined) {
    return { column, direction: LESS_IS_BETTER.has(column) ? 'asc' : 'desc' };
  }
  if (direction !== 'asc' && direction !== 'desc') {
    throw new MeshError('USAGE', `a sort direction is asc or desc, not "${direction}"`);
  }
  return { column, direction };
}

/** Throws USAGE when a filter names a column that the job does not have. */
function checkFilters(filters: readonly RowFilter[], columns: readonly string[]): void {
  for (const { column } of filters) {
    if (!columns.includes(column)) throw unknownColumn(column, columns);
  }
}

function unknownColumn(column: string, columns: readonly string[]): MeshError {
  return new MeshError('USAGE', `the results have no column "${column.slice(0, 40)}"`, {
    hint: `one of ${columns.join(' ')}`,
  });
}

/** For toSorted: undefined values last whatever the direction, ties by task so that every peer says the same. */
export function compareRows(
  order: RowOrder,
  a: { readonly task: number; readonly value: number },
  b: { readonly task: number; readonly value: number },
): number {
  const aMissing = Number.isNaN(a.value);
  const bMissing = Number.isNaN(b.value);
  if (aMissing || bMissing) return Number(aMissing) - Number(bMissing) || a.task - b.task;
  // Infinity minus Infinity is NaN, hence the test for equality first.
  if (a.value === b.value) return a.task - b.task;
  const rising = a.value < b.value ? -1 : 1;
  return order.direction === 'asc' ? rising : -rising;
}

/** All counted rows of a job in task order, packed. */
export interface PackedRows {
  /** Names of a row's values, without `task`. */
  readonly columns: readonly string[];
  readonly tasks: readonly number[];
  /** Row-major, tasks.length x columns.length. */
  readonly values: Float64Array;
}

export interface RowQuery {
  readonly top?: number;
  readonly sort?: string;
  readonly where?: readonly RowFilter[];
}

/**
 * Places in `rows.tasks` of the rows that `query` asks for, in its order. `rankBy` is the job's own ranking, used
 * when `top` is asked for without `sort`; absent or not among the columns: task order.
 */
export function selectRows(rows: PackedRows, query: RowQuery, rankBy?: string): readonly number[] {
  const width = rows.columns.length;
  const known = ['task', ...rows.columns];
  const filters = query.where ?? [];
  checkFilters(filters, known);
  const columnAt = new Map(rows.columns.map((column, at) => [column, at]));
  const valueAt = (place: number, column: string): number =>
    column === 'task'
      ? (rows.tasks[place] ?? NaN)
      : (rows.values[place * width + (columnAt.get(column) ?? NaN)] ?? NaN);

  const places: number[] = [];
  for (let place = 0; place < rows.tasks.length; place++) {
    if (passes(filters, (column) => valueAt(place, column))) places.push(place);
  }
  const order = chooseOrder(query, rankBy, known);
  const sorted =
    order === undefined
      ? places
      : sortPlaces(places, order, query.top, (place) => ({
          place,
          task: rows.tasks[place] ?? 0,
          value: valueAt(place, order.column),
        }));
  return query.top === undefined ? sorted : sorted.slice(0, query.top);
}

function chooseOrder(
  query: RowQuery,
  rankBy: string | undefined,
  columns: readonly string[],
): RowOrder | undefined {
  if (query.sort !== undefined) return parseSort(query.sort, columns);
  if (query.top === undefined || rankBy === undefined) return undefined;
  const [column = ''] = rankBy.split(':');
  return columns.includes(column) ? parseSort(rankBy, columns) : undefined;
}

interface Ranked {
  readonly place: number;
  readonly task: number;
  readonly value: number;
}

/** Up to here a short list that is kept sorted is quicker than sorting all rows. */
const SHORT_TOP = 100;

function sortPlaces(
  places: readonly number[],
  order: RowOrder,
  top: number | undefined,
  rankedOf: (place: number) => Ranked,
): readonly number[] {
  const compare = (a: Ranked, b: Ranked): number => compareRows(order, a, b);
  if (top === undefined || top > SHORT_TOP) {
    return places
      .map(rankedOf)
      .toSorted(compare)
      .map(({ place }) => place);
  }
  const best: Ranked[] = [];
  for (const place of places) {
    const ranked = rankedOf(place);
    const last = best.at(-1);
    if (best.length >= top && (last === undefined || compare(ranked, last) >= 0)) continue;
    let at = best.length;
    while (at > 0 && compare(ranked, best[at - 1] as Ranked) < 0) at--;
    best.splice(at, 0, ranked);
    if (best.length > top) best.pop();
  }
  return best.map(({ place }) => place);
}
