// Bad input of every kind, a little of it; `npm run fuzz` makes millions. A finding prints its bytes.
import { expect, test } from 'vitest';
import { fuzz } from '../fuzz/campaign.ts';
import { DECODERS } from '../fuzz/decoders.ts';

const CASES = 11_200;

test('the decoders get a hundred thousand bad inputs in all', () => {
  expect(CASES * DECODERS.length).toBeGreaterThan(100_000);
});

test.each(DECODERS)('$name says no to bad input, in its own words', (decoder) => {
  for (const good of decoder.good) decoder.take(good);
  expect(fuzz(decoder, CASES, 1).findings).toEqual([]);
});
