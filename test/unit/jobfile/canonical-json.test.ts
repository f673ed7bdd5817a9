// One value, one text: whatever the order in which its keys were written.
import { assert, jsonValue, property } from 'fast-check';
import { expect, test } from 'vitest';
import { canonicalJson } from '../../../src/node/jobfile/canonical-json.ts';

test('keys are sorted at every depth, absent fields left out, lists left in order', () => {
  const value = { b: [{ y: 1, x: null }, 'a"b', 0.1], a: undefined, A: true, ä: {}, empty: [] };
  expect(canonicalJson(value)).toBe(
    '{"A":true,"b":[{"x":null,"y":1},"a\\"b",0.1],"empty":[],"ä":{}}',
  );
});

test('it says the value, and the same for the keys in any other order', () => {
  assert(
    property(jsonValue(), (value) => {
      const text = canonicalJson(value);
      expect(JSON.parse(text)).toEqual(JSON.parse(JSON.stringify(value)));
      expect(canonicalJson(reversed(value))).toBe(text);
    }),
  );
});

function reversed(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(reversed);
  if (typeof value !== 'object' || value === null) return value;
  return Object.fromEntries(
    Object.entries(value)
      .toReversed()
      .map(([key, field]) => [key, reversed(field)]),
  );
}
