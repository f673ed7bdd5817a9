// Results by what they have in common: one strategy, one value of a variable, one pair of values. Pure.
import type { ResultsView } from '../../control/api.ts';
import { compareRows, type RowOrder } from '../../control/row-query.ts';
import { MeshError } from '../../errors.ts';

export interface Group {
  /** Strategy name, or `variable=value`. */
  readonly group: string;
  readonly count: number;
  /** Rows in which the metric is undefined. */
  readonly undefined: number;
  /** Of the metric; null when it is undefined in every row. */
  readonly best: number | null;
  readonly median: number | null;
  readonly worst: number | null;
  readonly bestTask: number | null;
}

interface Ranked {
  readonly task: number;
  /** NaN: undefined. */
  readonly value: number;
}

/** Best groups first; those of `params` stay together by variable, in the order of its values. */
export function groupBy(
  view: ResultsView,
  by: 'strategy' | 'params',
  order: RowOrder,
): readonly Group[] {
  const members = new Map<string, Ranked[]>();
  const place = view.columns.indexOf(order.column);
  for (const [at, row] of view.rows.entries()) {
    const label = view.labels?.[at];
    const names =
      by === 'strategy'
        ? [label?.name ?? '']
        : Object.entries(label?.params ?? {}).map(([name, value]) => `${name}=${value}`);
    const ranked = { task: row[0] ?? 0, value: row[place] ?? Number.NaN };
    for (const name of names) {
      const known = members.get(name);
      if (known === undefined) members.set(name, [ranked]);
      else known.push(ranked);
    }
  }
  const groups = [...members].map(([name, rows]) => groupOf(name, rows, order));
  return by === 'strategy'
    ? groups.toSorted((a, b) => compareRows(order, keyOf(a), keyOf(b)))
    : groups.toSorted(byVariable);
}

function groupOf(group: string, rows: readonly Ranked[], order: RowOrder): Group {
  const sorted = rows.toSorted((a, b) => compareRows(order, a, b));
  const defined = sorted.filter(({ value }) => !Number.isNaN(value));
  const valueAt = (at: number): number | null => defined[at]?.value ?? null;
  const half = (defined.length - 1) / 2;
  const low = valueAt(Math.floor(half));
  const high = valueAt(Math.ceil(half));
  return {
    group,
    count: rows.length,
    undefined: rows.length - defined.length,
    best: valueAt(0),
    median: low === null || high === null ? null : (low + high) / 2,
    worst: valueAt(defined.length - 1),
    bestTask: defined[0]?.task ?? null,
  };
}

function keyOf({ best, bestTask }: Group): Ranked {
  return { task: bestTask ?? 0, value: best ?? Number.NaN };
}

function byVariable(a: Group, b: Group): number {
  const [nameA = '', valueA = ''] = a.group.split('=');
  const [nameB = '', valueB = ''] = b.group.split('=');
  return nameA === nameB ? compareValues(valueA, valueB) : compareValues(nameA, nameB);
}

/** Numbers by size, and before words. */
function compareValues(a: string | number, b: string | number): number {
  const [left, right] = [Number(a), Number(b)];
  if (!Number.isNaN(left) && !Number.isNaN(right)) return left - right;
  if (!Number.isNaN(left) || !Number.isNaN(right)) return Number.isNaN(left) ? 1 : -1;
  if (a === b) return 0;
  return a < b ? -1 : 1;
}

export interface Heatmap {
  readonly x: string;
  readonly y: string;
  /** Whether small or large values of the metric are the good ones. */
  readonly direction: RowOrder['direction'];
  readonly xs: readonly (number | string)[];
  readonly ys: readonly (number | string)[];
  /** A row per y, a cell per x: the best over all other variables. */
  readonly cells: readonly (readonly HeatCell[])[];
}

export interface HeatCell {
  /** null: no row here, or none with a value. */
  readonly best: number | null;
  readonly task: number | null;
  readonly count: number;
}

/** Throws USAGE when no strategy of the job has both variables. */
export function heatmapOf(
  view: ResultsView,
  { x, y }: { readonly x: string; readonly y: string },
  order: RowOrder,
): Heatmap {
  const place = view.columns.indexOf(order.column);
  const members = new Map<string, Ranked[]>();
  const xs = new Set<number | string>();
  const ys = new Set<number | string>();
  const variables = new Set<string>();
  for (const [at, row] of view.rows.entries()) {
    const params = view.labels?.[at]?.params ?? {};
    for (const name of Object.keys(params)) variables.add(name);
    const [left, down] = [params[x], params[y]];
    if (left === undefined || down === undefined) continue;
    xs.add(left);
    ys.add(down);
    const key = JSON.stringify([left, down]);
    const ranked = { task: row[0] ?? 0, value: row[place] ?? Number.NaN };
    members.set(key, [...(members.get(key) ?? []), ranked]);
  }
  if (xs.size === 0) throw noSuchPair(x, y, variables);
  const columns = [...xs].toSorted(compareValues);
  const rows = [...ys].toSorted(compareValues);
  const cells = rows.map((down) =>
    columns.map((left): HeatCell => {
      const found = members.get(JSON.stringify([left, down])) ?? [];
      const { best, bestTask } = groupOf('', found, order);
      return { best, task: bestTask, count: found.length };
    }),
  );
  return { x, y, direction: order.direction, xs: columns, ys: rows, cells };
}

function noSuchPair(x: string, y: string, variables: ReadonlySet<string>): MeshError {
  const names = [...variables].slice(0, 12).join(', ');
  return new MeshError('USAGE', `no strategy of this job has both "${x}" and "${y}"`, {
    hint: names === '' ? 'this job has no variables' : `its variables are ${names}`,
  });
}
