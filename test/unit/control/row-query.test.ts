// Which rows, in which order: one meaning of --sort, --where and --top.
import { describe, expect, test } from 'vitest';
import { parseSort, parseWhere, selectRows } from '../../../src/node/control/row-query.ts';

const rows = {
  columns: ['sharpe', 'maxDrawdown'],
  tasks: [0, 1, 2, 3, 7],
  values: Float64Array.of(1, 0.3, Number.NaN, 0.1, 2, 0.2, 1, 0.5, Number.POSITIVE_INFINITY, 0.9),
};

describe('--where', () => {
  test('reads conditions, thousands and per cent', () => {
    expect(parseWhere('trades>=1_000 and maxDrawdown < 30%, sharpe != -1e2')).toEqual([
      { column: 'trades', comparison: '>=', value: 1000 },
      { column: 'maxDrawdown', comparison: '<', value: 0.3 },
      { column: 'sharpe', comparison: '!=', value: -100 },
    ]);
  });

  test.each(['', 'trades', 'trades>', '>3', 'trades > x', 'a>1 or b>2', 'trades>1.2.3'])(
    'refuses "%s"',
    (text) => {
      expect(() => parseWhere(text)).toThrow('cannot read the condition');
    },
  );

  test('never lets an undefined value pass', () => {
    expect(selectRows(rows, { where: parseWhere('sharpe!=5') })).toEqual([0, 2, 3, 4]);
  });
});

describe('rows', () => {
  test('come in task order unless asked', () => {
    expect(selectRows(rows, {})).toEqual([0, 1, 2, 3, 4]);
  });

  test('come best first, ties by task, undefined last', () => {
    expect(selectRows(rows, { sort: 'sharpe' })).toEqual([4, 2, 0, 3, 1]);
    expect(selectRows(rows, { sort: 'sharpe:asc' })).toEqual([0, 3, 2, 4, 1]);
  });

  test('of a loss come smallest first', () => {
    expect(selectRows(rows, { sort: 'maxDrawdown', top: 2 })).toEqual([1, 2]);
  });

  test('of a top list follow the ranking of the job, if it has that column', () => {
    expect(selectRows(rows, { top: 1 }, 'sharpe')).toEqual([4]);
    expect(selectRows(rows, { top: 1 }, 'loops')).toEqual([0]);
  });

  test('of an unknown column are refused with the known ones', () => {
    expect(() => selectRows(rows, { sort: 'sharp' })).toThrow('no column "sharp"');
    expect(() => selectRows(rows, { where: parseWhere('x>1') })).toThrow('no column "x"');
    expect(() => parseSort('sharpe:down', rows.columns)).toThrow('asc or desc');
  });
});
