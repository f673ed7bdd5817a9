// Results as lines and files. CSV leaves an undefined metric empty, JSON says null.
import { rename, rm, writeFile } from 'node:fs/promises';
import { extname } from 'node:path';
import type { ResultsView, RowsEvent } from '../../control/api.ts';
import { type RowFilter, selectRows } from '../../control/row-query.ts';
import { MeshError } from '../../errors.ts';

export type ResultsFormat = 'ndjson' | 'csv' | 'json' | 'parquet';

export function resultsFormat(file: string): ResultsFormat {
  switch (extname(file).toLowerCase()) {
    case '.ndjson':
      return 'ndjson';
    case '.csv':
      return 'csv';
    case '.json':
      return 'json';
    case '.parquet':
      return 'parquet';
    default:
      throw new MeshError(
        'USAGE',
        `-o ${file}: the name must end in .ndjson, .csv, .json or .parquet`,
      );
  }
}

/** The file is there whole or not at all. */
export async function writeResults(file: string, view: ResultsView): Promise<void> {
  const temporary = `${file}.${process.pid}.part`;
  try {
    const format = resultsFormat(file);
    const content =
      format === 'parquet'
        ? (await import('./parquet-file.ts')).parquetOf(view)
        : renderResultsAs(format, view);
    await writeFile(temporary, content);
    await rename(temporary, file);
  } catch (cause) {
    await rm(temporary, { force: true });
    throw new MeshError('DISK', `cannot write ${file}: ${(cause as Error).message}`, { cause });
  }
}

export function renderResultsAs(
  format: Exclude<ResultsFormat, 'parquet'>,
  view: ResultsView,
): string {
  switch (format) {
    case 'json':
      return `${JSON.stringify(view)}\n`;
    case 'ndjson':
      return resultLines(view);
    case 'csv':
      return csv(view);
  }
}

function csv({ columns, rows, labels }: ResultsView): string {
  const head = labels === undefined ? columns : [...columns, 'name', 'params'];
  const lines = rows.map((row, at) => {
    const label = labels?.[at];
    const cells = row.map((value) => (value === null ? '' : String(value)));
    if (labels !== undefined) cells.push(label?.name ?? '', paramsText(label?.params ?? {}));
    return cells.map(csvCell).join(',');
  });
  return `${[head.map(csvCell).join(','), ...lines].join('\n')}\n`;
}

function paramsText(params: Readonly<Record<string, number | string>>): string {
  return Object.entries(params)
    .map(([name, value]) => `${name}=${value}`)
    .join(' ');
}

/** RFC 4180. */
function csvCell(text: string): string {
  return /[",\r\n]/.test(text) ? `"${text.replaceAll('"', '""')}"` : text;
}

/** One JSON object per row, each with its line end. */
export function resultLines({ columns, rows, labels }: ResultsView): string {
  return rows
    .map((row, at) => {
      const metrics = Object.fromEntries(columns.slice(1).map((name, nth) => [name, row[nth + 1]]));
      return `${JSON.stringify({ type: 'result', task: row[0], ...labels?.[at], metrics })}\n`;
    })
    .join('');
}

/** The rows that `where` lets through; one that failed for good is always told. */
export function passing(event: RowsEvent, where: readonly RowFilter[] | undefined): RowsEvent {
  if (where === undefined || where.length === 0) return event;
  const { columns, values } = event;
  const width = columns.length;
  const kept = new Set(selectRows(event, { where }));
  const failed = new Set(event.failed);
  const places = event.tasks.flatMap((task, at) => (kept.has(at) || failed.has(task) ? [at] : []));
  const packed = new Float64Array(places.length * width);
  for (const [at, place] of places.entries()) {
    packed.set(values.subarray(place * width, (place + 1) * width), at * width);
  }
  const { labels } = event;
  return {
    ...event,
    tasks: places.map((place) => event.tasks[place] ?? 0),
    values: packed,
    ...(labels === undefined ? {} : { labels: places.flatMap((place) => labels[place] ?? []) }),
  };
}

/** The same for rows as they come in; a task that failed for good says so. */
export function rowLines({ columns, tasks, values, failed, labels }: RowsEvent): string {
  const width = columns.length;
  const failedTasks = new Set(failed);
  return tasks
    .map((task, at) => {
      // JSON.stringify writes NaN and the infinities as null.
      const metrics = Object.fromEntries(
        columns.map((name, nth) => [name, values[at * width + nth]]),
      );
      const label = labels?.[at];
      const body = failedTasks.has(task)
        ? {
            type: 'result',
            task,
            ...label,
            failed: true,
            errorCode: values[at * width + width - 1],
          }
        : { type: 'result', task, ...label, metrics };
      return `${JSON.stringify(body)}\n`;
    })
    .join('');
}
