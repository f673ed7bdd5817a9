// `filter` of a job file: which tasks may be among the best. Conditions on the columns of a row, read by the same code
// as `mesh results --where`.
import { BACKTEST_COLUMNS } from '../../kernel/engine/metrics.ts';
import { nearest } from '../../kernel/language/suggest.ts';
import { parseFilters } from '../../kernel/row-filter.ts';
import type { Finding } from './place.ts';

const COLUMNS: readonly string[] = BACKTEST_COLUMNS;

export function filterFindings(filter: readonly string[]): Finding[] {
  return filter.flatMap((text, at) => {
    const path = ['filter', at];
    try {
      const unknown = parseFilters(text).find(({ column }) => !COLUMNS.includes(column));
      if (unknown === undefined) return [];
      const near = nearest(unknown.column, COLUMNS);
      const hint = near === undefined ? `one of ${COLUMNS.join(' ')}` : `did you mean "${near}"?`;
      return [{ path, message: `the results have no column "${unknown.column}"`, hint }];
    } catch {
      const hint = 'such as "trades >= 30" or "maxDrawdown < 30%"';
      return [{ path, message: 'must compare a column of the results with a number', hint }];
    }
  });
}
