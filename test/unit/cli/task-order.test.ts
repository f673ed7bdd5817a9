// Rows that come in any order leave in that of their tasks.
import * as fc from 'fast-check';
import { expect, test } from 'vitest';
import { TaskOrder } from '../../../src/node/cli/output/task-order.ts';

test('a line waits for those before it, a task without a line for nobody', () => {
  const order = new TaskOrder();
  expect(order.take([2, 1], [2], 'two\n')).toBe('');
  expect(order.take([0], [0], 'zero\n')).toBe('zero\ntwo\n');
  expect(order.take([5, 4], [5, 4], 'five\nfour\n')).toBe('');
  expect(order.rest()).toBe('four\nfive\n');
  expect(order.rest()).toBe('');
});

test('all lines come once and in order, however they were packed', () => {
  const packs = fc.integer({ min: 1, max: 40 }).chain((count) =>
    fc.tuple(
      fc.shuffledSubarray(
        Array.from({ length: count }, (_, task) => task),
        { minLength: count },
      ),
      fc.integer({ min: 1, max: 7 }),
    ),
  );
  fc.assert(
    fc.property(packs, ([tasks, size]) => {
      const order = new TaskOrder();
      let text = '';
      for (let at = 0; at < tasks.length; at += size) {
        const part = tasks.slice(at, at + size);
        text += order.take(part, part, part.map((task) => `${task}\n`).join(''));
      }
      expect(text).toBe(tasks.map((_, task) => `${task}\n`).join(''));
    }),
  );
});
