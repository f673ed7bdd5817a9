// Data on its way from a peer: shown while it travels, gone when it arrived or was given up.
import { expect, test } from 'vitest';
import { Copies } from '../../../src/node/answers/copies.ts';

const btc = { sha256: 'b'.repeat(64), bytes: 100 };
const eth = { sha256: 'e'.repeat(64), bytes: 200 };

test('a copy is under way until its last byte has left', () => {
  const copies = new Copies();
  copies.note('air', btc, { sentBytes: 40, nowMs: 0 });
  copies.note('mini', btc, { sentBytes: 10, nowMs: 0 });
  copies.note('air', eth, { sentBytes: 10, nowMs: 0 });
  expect(copies.underWay([btc], 0)).toEqual([
    { to: 'air', ...btc, sentBytes: 40 },
    { to: 'mini', ...btc, sentBytes: 10 },
  ]);
  copies.note('air', btc, { sentBytes: 100, nowMs: 1 });
  expect(copies.underWay([btc, eth], 1).map(({ to, bytes }) => [to, bytes])).toEqual([
    ['mini', 100],
    ['air', 200],
  ]);
});

test('a copy that stands still is forgotten', () => {
  const copies = new Copies();
  copies.note('air', btc, { sentBytes: 40, nowMs: 0 });
  expect(copies.underWay([btc], 10_000)).toHaveLength(1);
  expect(copies.underWay([btc], 10_001)).toEqual([]);
});
