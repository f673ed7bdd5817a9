// Groups of results as a table, and two variables against each other as text blocks: the darker, the better.
import { formatMetric, formatCount, printable } from './format.ts';
import type { Group, HeatCell, Heatmap } from './groups.ts';
import { type Column, cutToWidth, renderTable } from './table.ts';

/** From worst to best; an empty pair is a dot. */
const SHADES = ['░░', '▒▒', '▓▓', '██'] as const;
const NOTHING = '· ';

export function renderGroups(
  groups: readonly Group[],
  { by, metric }: { readonly by: 'strategy' | 'params'; readonly metric: string },
  width: number,
): string[] {
  if (groups.length === 0) {
    return [by === 'params' ? 'the strategies of this job have no variables' : 'no rows'];
  }
  const title = metric.toUpperCase();
  const columns: Column[] = [
    { title: 'COUNT', align: 'right' },
    { title: `BEST ${title}`, align: 'right' },
    { title: 'MEDIAN', align: 'right' },
    { title: 'WORST', align: 'right' },
    { title: 'BEST TASK', align: 'right' },
    { title: by === 'strategy' ? 'STRATEGY' : 'VARIABLE', align: 'left' },
  ];
  const rows = groups.map((group) => [
    formatCount(group.count),
    formatMetric(metric, group.best),
    formatMetric(metric, group.median),
    formatMetric(metric, group.worst),
    group.bestTask === null ? '-' : `s${group.bestTask}`,
    printable(group.group),
  ]);
  return renderTable(columns, rows, width);
}

export function renderHeatmap(map: Heatmap, metric: string, width: number): string[] {
  const isRising = map.direction === 'desc';
  const values = map.cells.flat().flatMap(({ best }) => (best === null ? [] : [best]));
  const low = extreme(values, Math.min);
  const high = extreme(values, Math.max);
  const [worst, finest] = isRising ? [low, high] : [high, low];
  const best = bestCell(map);
  const labels = map.ys.map((value) => printable(String(value)));
  const margin = Math.max(printable(map.y).length, ...labels.map((label) => label.length)) + 1;
  const rows = map.cells.map((row, at) => {
    const blocks = row.map((cell) => shade(cell, worst, finest)).join('');
    return `${(labels[at] ?? '').padStart(margin)} ${blocks}`;
  });
  const first = printable(String(map.xs[0] ?? ''));
  const last = printable(String(map.xs.at(-1) ?? ''));
  const gap = Math.max(1, map.xs.length * 2 - first.length - last.length);
  const axis = `${first}${' '.repeat(gap)}${last}`;
  const range =
    values.length === 0
      ? 'no pair has a value'
      : `${SHADES[0]} ${formatMetric(metric, worst)}  ${SHADES.at(-1)} ${formatMetric(metric, finest)}`;
  const lines = [
    `best ${metric} over all other variables   ${range}`,
    printable(map.y).padStart(margin),
    ...rows,
    `${' '.repeat(margin)} ${axis}  ${printable(map.x)}`,
    ...(best === undefined ? [] : [`best: ${best}`]),
  ];
  return lines.map((line) => cutToWidth(line, width));
}

function extreme(values: readonly number[], pick: (a: number, b: number) => number): number {
  return values.reduce((a, b) => pick(a, b), values[0] ?? 0);
}

function shade({ best }: HeatCell, worst: number, finest: number): string {
  if (best === null) return NOTHING;
  const height = worst === finest ? 1 : (best - worst) / (finest - worst);
  return SHADES[Math.min(SHADES.length - 1, Math.floor(height * SHADES.length))] ?? NOTHING;
}

/** Which pair it is, by the order in which the cells were ranked: the first of equals. */
function bestCell({ x, y, xs, ys, cells, direction }: Heatmap): string | undefined {
  let found: { readonly text: string; readonly value: number } | undefined;
  for (const [down, row] of cells.entries()) {
    for (const [left, { best, task }] of row.entries()) {
      if (best === null) continue;
      const isBetter =
        found === undefined || (direction === 'desc' ? best > found.value : best < found.value);
      if (!isBetter) continue;
      found = { text: `${x}=${xs[left]} ${y}=${ys[down]} (s${task})`, value: best };
    }
  }
  return found === undefined ? undefined : printable(found.text);
}
