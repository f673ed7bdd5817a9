// Rows for people: the best of a job without a copy of all of them.
import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { IntervalSet } from '../../../src/deque/interval-set.ts';
import { bestRows, packRows } from '../../../src/node/answers/rows.ts';
import { selectRows } from '../../../src/node/control/row-query.ts';
import { peerId } from '../../../src/stealing/ids.ts';
import { Ledger } from '../../../src/stealing/ledger.ts';

const COLUMNS = ['sharpe', 'trades'];
/** More than two chunks of 4,096. */
const TASKS = 9_000;

/** Few different values, so that most are ties, and some that are undefined. */
function ledgerOf(seed: number): Ledger {
  const ledger = new Ledger(TASKS, COLUMNS.length);
  const values = new Float64Array(TASKS * COLUMNS.length);
  for (let at = 0; at < values.length; at++) {
    const value = (Math.imul(at + seed, 0x9e3779b1) >>> 20) % 41;
    values[at] = value === 40 ? Number.NaN : value - 20;
  }
  ledger.add({ kind: 'rows', maker: peerId('m'), intervals: [[0, TASKS]], values });
  return ledger;
}

describe('the best rows of a job', () => {
  it('are the first of all its rows in order', async () => {
    const query = fc.record({
      top: fc.integer({ min: 0, max: 300 }),
      sort: fc.constantFrom('sharpe', 'sharpe:asc', 'task', 'trades:desc', undefined),
      rankBy: fc.constantFrom('sharpe', 'sharpe:asc', 'loops', undefined),
      isFiltered: fc.boolean(),
      seed: fc.nat(),
    });
    await fc.assert(
      fc.asyncProperty(query, async ({ top, sort, rankBy, isFiltered, seed }) => {
        const ledger = ledgerOf(seed);
        const tasks = IntervalSet.from([
          [1, 4_000],
          [4_090, 4_099],
          [5_000, TASKS],
        ]);
        const where = isFiltered ? [{ column: 'trades', comparison: '>' as const, value: 3 }] : [];
        const asked = { top, where, ...(sort === undefined ? {} : { sort }) };
        const all = packRows(ledger, tasks, COLUMNS);
        // The list of all, sorted whole.
        const whole = selectRows(all, { ...asked, top: TASKS }, rankBy).slice(0, top);
        const best = await bestRows(ledger, tasks, COLUMNS, { ...asked, rankBy });
        const places = selectRows(best, asked, rankBy);
        expect(places.map((place) => best.tasks[place])).toEqual(
          whole.map((place) => all.tasks[place]),
        );
        for (const [at, place] of places.entries()) {
          const row = best.values.subarray(place * 2, place * 2 + 2);
          expect(row).toEqual(all.values.subarray(whole[at]! * 2, whole[at]! * 2 + 2));
        }
      }),
      { numRuns: 40 },
    );
  });
});
