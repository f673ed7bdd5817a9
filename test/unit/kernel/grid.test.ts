// Which index is which combination: grids with conditions, samples, and sizes that nobody could write out.
import { array, assert, constantFrom, integer, property, record } from 'fast-check';
import { describe, expect, it } from 'vitest';
import { compileBacktest } from '../../../src/kernel/backtest.ts';
import { Grid, prunedPoints } from '../../../src/kernel/grid.ts';
import { parseCondition } from '../../../src/kernel/language/parse.ts';
import type { VariableSpec } from '../../../src/kernel/spec.ts';
import { TaskList } from '../../../src/kernel/task-list.ts';
import { syntheticCandles } from '../../../src/node/jobfile/synthetic.ts';
import { LONG, specOf } from './fixture.ts';

const upTo = (name: string, count: number): VariableSpec => ({ name, from: 1, step: 1, count });
const conditions = (...texts: string[]) => texts.map((text) => parseCondition(text));

describe('a grid with conditions', () => {
  it('numbers only the combinations that are left, in the grid’s order', () => {
    const grid = new Grid(
      [upTo('fast', 3), upTo('slow', 3), upTo('n', 2)],
      conditions('$fast < $slow'),
    );
    expect(pointsOf(grid)).toEqual(['1,2,1', '1,2,2', '1,3,1', '1,3,2', '2,3,1', '2,3,2']);
  });

  it('gives the values that its writer meant, the first time and later', () => {
    const tenths: VariableSpec = { name: 'x', from: 0.1, step: 0.1, count: 3 };
    const long: VariableSpec = { name: 'y', from: 0, step: 0.001, count: 300 };
    const grid = new Grid([tenths, long]);
    for (let round = 0; round < 2; round++) {
      for (let index = 0; index < grid.count; index++) {
        const wanted = [(Math.floor(index / 300) + 1) / 10, (index % 300) / 1000];
        expect([...grid.valuesAt(index)]).toEqual(wanted);
      }
    }
  });

  it('counts coupled variables as one, where the first of them stands', () => {
    const grid = new Grid([upTo('a', 2), upTo('n', 2), upTo('b', 2)], conditions('$a + $b <= 3'));
    expect(pointsOf(grid)).toEqual(['1,1,1', '1,2,1', '1,1,2', '1,2,2', '2,1,1', '2,2,1']);
  });

  it('holds each combination that satisfies all conditions once, and no other', () => {
    const condition = record({
      left: constantFrom('a', 'b', 'c', 'd'),
      op: constantFrom('<', '<=', '>', '>=', '=='),
      right: constantFrom('$a', '$b * 2', '$c - 1', '2'),
    }).map(({ left, op, right }) => `$${left} ${op} ${right}`);
    const sizes = array(integer({ min: 1, max: 4 }), { minLength: 4, maxLength: 4 });
    assert(
      property(sizes, array(condition, { maxLength: 4 }), (counts, texts) => {
        const variables = counts.map((count, i) => upTo('abcd'[i] as string, count));
        const left = pointsOf(new Grid(variables)).filter((point) => {
          const [a = 0, b = 0, c = 0, d = 0] = point.split(',').map(Number);
          return texts.every((text) => holdsPlainly(text, { a, b, c, d }));
        });
        const grid = new Grid(variables, conditions(...texts));
        expect(grid.count).toBe(left.length);
        expect(pointsOf(grid).toSorted()).toEqual(left.toSorted());
      }),
      { numRuns: 300 },
    );
  });

  it('expands the coupled variables only: the rest may be as wide as it likes', () => {
    const variables = [upTo('fast', 100), upTo('slow', 200), upTo('x', 1000), upTo('y', 500)];
    const where = conditions('$fast < $slow');
    expect(prunedPoints(variables, where)).toBe(20_000);
    const grid = new Grid(variables, where);
    expect(grid.count).toBe((100 * 199 - (100 * 99) / 2) * 500_000);
    expect([...grid.valuesAt(grid.count - 1)]).toEqual([100, 200, 1000, 500]);
  });

  it('refuses to try conditions on more combinations than the bound', () => {
    const variables = [upTo('fast', 10_000), upTo('slow', 10_000)];
    expect(() => new Grid(variables, conditions('$fast < $slow'))).toThrow('couples variables');
  });
});

describe('a sample', () => {
  it('holds so many different points, in order, the same for one seed', () => {
    const shape = record({
      counts: array(integer({ min: 0, max: 50 }), { minLength: 1, maxLength: 6 }),
      count: integer({ min: 1, max: 100 }),
      seed: integer({ min: 0, max: 4_294_967_295 }),
    });
    assert(
      property(shape, ({ counts, count, seed }) => {
        const total = counts.reduce((sum, each) => sum + each, 0);
        const list = new TaskList(counts, { count, seed });
        expect(list.count).toBe(Math.min(count, total));
        const starts = counts.map((_, at) => counts.slice(0, at).reduce((a, b) => a + b, 0));
        const picked = Array.from({ length: list.count }, (_, task) => list.locate(task));
        const points = picked.map(({ block, index }) => (starts[block] ?? NaN) + index);
        expect(points).toEqual([...new Set(points)].toSorted((a, b) => a - b));
        for (const { block, index } of picked) expect(index).toBeLessThan(counts[block] ?? 0);
        const perBlock = counts.map((_, at) => picked.filter(({ block }) => block === at).length);
        expect(list.tasksPerBlock()).toEqual(perBlock);
      }),
    );
  });

  it('differs from seed to seed and reaches every point', () => {
    const seen = new Set<number>();
    for (let seed = 0; seed < 200; seed++) {
      const list = new TaskList([20], { count: 4, seed });
      for (let task = 0; task < 4; task++) seen.add(list.locate(task).index);
    }
    expect(seen.size).toBe(20);
  });

  it('finds its tasks in a grid that no list could hold', () => {
    const list = new TaskList([3, 9e15], { count: 16_777_215, seed: 5 });
    const last = list.locate(16_777_214);
    expect(last.block).toBe(1);
    expect(last.index).toBeGreaterThan(9e15 * (1 - 1 / 16_777_214));
    expect(last.index).toBeLessThan(9e15);
  });

  it('states work for the tasks that run', () => {
    const vars = [upTo('n', 1000)];
    const heavy = { vars, long: { enter: ['close > $n', 'close < 9', 'open > 9'], exit: [] } };
    const spec = { ...specOf([heavy, LONG, heavy]), sample: { count: 50, seed: 1 } };
    const market = syntheticCandles({ seed: 1, bars: 2000, stepMs: 60_000, startMs: 0 });
    const { workRuns, taskCount } = compileBacktest(spec, market);
    expect(taskCount).toBe(50);
    expect(workRuns.reduce((sum, { tasks }) => sum + tasks, 0)).toBe(50);
    expect(workRuns.every(({ tasks }) => tasks > 0)).toBe(true);
  });
});

function pointsOf(grid: Grid): string[] {
  return Array.from({ length: grid.count }, (_, index) => grid.valuesAt(index).join());
}

function holdsPlainly(text: string, values: Readonly<Record<string, number>>): boolean {
  const [left = '', op, right = '', sign, by] = text.split(' ');
  const valueOf = (word: string): number => values[word.slice(1)] ?? Number(word);
  const factor = Number(by ?? 0);
  let other = valueOf(right);
  if (sign === '*') other *= factor;
  if (sign === '-') other -= factor;
  if (op === '<') return valueOf(left) < other;
  if (op === '<=') return valueOf(left) <= other;
  if (op === '>') return valueOf(left) > other;
  if (op === '>=') return valueOf(left) >= other;
  return valueOf(left) === other;
}
