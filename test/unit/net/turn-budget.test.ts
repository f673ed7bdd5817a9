// Time that one peer's messages may take, on a clock of the test.
import { expect, test } from 'vitest';
import { TurnBudget } from '../../../src/node/net/turn-budget.ts';

test('a peer that takes little is never made to wait', () => {
  const budget = new TurnBudget();
  for (let ms = 0; ms < 10_000; ms += 10) expect(budget.spend(ms, ms + 3)).toBe(0);
});

test('a peer that takes 400 ms of a second waits for the next one, and begins it anew', () => {
  const budget = new TurnBudget();
  for (let ms = 0; ms < 399; ms++) expect(budget.spend(ms, ms + 1)).toBe(0);
  expect(budget.spend(399, 400)).toBe(600);
  expect(budget.spend(1_000, 1_001)).toBe(0);
});

test('one long message is not cut short, and waits for nothing that has passed', () => {
  const budget = new TurnBudget();
  expect(budget.spend(0, 5_000)).toBe(0);
  expect(budget.spend(5_000, 5_100)).toBe(0);
});
