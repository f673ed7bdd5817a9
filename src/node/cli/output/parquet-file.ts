// Results as Parquet, for pandas, DuckDB and the like: task, a column per metric, the strategy's name, and a column
// per variable of the grid. Loaded only for a file that ends in .parquet.
import { parquetWriteBuffer } from 'hyparquet-writer';
import type { ResultsView } from '../../control/api.ts';

export function parquetOf({ columns, rows, labels }: ResultsView): Uint8Array {
  const metrics = columns.slice(1).map((name, nth) => ({
    name,
    data: rows.map((row) => row[nth + 1] ?? null),
    type: 'DOUBLE' as const,
    nullable: true,
  }));
  const task = { name: 'task', data: rows.map((row) => row[0] ?? 0), type: 'INT32' as const };
  const columnData = [task, ...metrics, ...labelColumns(labels)];
  return new Uint8Array(parquetWriteBuffer({ columnData }));
}

/** Numbers stay numbers; a variable that is a word somewhere is one everywhere. */
function labelColumns(labels: ResultsView['labels']) {
  if (labels === undefined) return [];
  const variables = new Set(labels.flatMap(({ params }) => Object.keys(params)));
  const name = {
    name: 'strategy',
    data: labels.map((label) => label.name),
    type: 'STRING' as const,
  };
  return [
    name,
    ...[...variables].map((variable) => {
      const values = labels.map(({ params }) => params[variable] ?? null);
      const isNumeric = values.every((value) => typeof value !== 'string');
      return {
        name: `var_${variable}`,
        data: isNumeric ? values : values.map((value) => (value === null ? null : String(value))),
        type: isNumeric ? ('DOUBLE' as const) : ('STRING' as const),
        nullable: true,
      };
    }),
  ];
}
