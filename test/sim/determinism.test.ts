// Same seed, same run: without it no failure can be replayed.
import { expect, test } from 'vitest';
import { judge } from '../../src/stealing/simulate/judge.ts';
import { drawScenario } from '../../src/stealing/simulate/nemesis.ts';
import { REAL } from './scenarios.ts';

test('a seed gives the same run twice, bit for bit', () => {
  for (const seed of [1, 2, 3, 14, 22]) {
    const first = judge(drawScenario(seed), REAL);
    const second = judge(drawScenario(seed), REAL);
    expect(second.traceHash).toBe(first.traceHash);
    expect(second.events).toBe(first.events);
  }
});

test('another seed is another run', () => {
  const scenario = drawScenario(3);
  expect(judge({ ...scenario, seed: 4 }, REAL).traceHash).not.toBe(judge(scenario, REAL).traceHash);
});

test('a reader of the trace changes nothing', () => {
  const lines: string[] = [];
  const read = judge(drawScenario(5), { ...REAL, reader: (line) => lines.push(line) });
  expect(read.traceHash).toBe(judge(drawScenario(5), REAL).traceHash);
  expect(lines.some((line) => line.includes('submits job-1'))).toBe(true);
});
