// The short form of scripts/check-bits.ts: digests that every processor and every version of Node must give. Where
// one changes on purpose, so does the kernel's version in src/kernel/golden.ts.
import { expect, it } from 'vitest';
import { functionDigests, jobDigests } from '../../../scripts/bits-digest.ts';

it('the kernel’s own functions give the bits that they give everywhere', () => {
  expect(shortOf(functionDigests(100_000))).toEqual({
    exp: 'ad2f336c7fb8c7e3',
    'exp near 0': 'fef169373f9b2759',
    log: '7425c82488313b9c',
    'log near 1': 'd0ced26fdf60fda6',
    pow: '45807c6ad3079cbf',
    'pow of growth': '10be09369ef4f2a4',
    random: 'a5d109d21aed9be3',
    'normal cdf': '209c20e24873a639',
    'normal quantile': '260bdbc24855110b',
  });
});

it('a whole job gives them by every engine', async () => {
  expect(shortOf(await jobDigests())).toEqual({
    golden: '6965e983789b93ae',
    'job, fast': 'fd06304a285aa10d',
    'job, twin': 'fd06304a285aa10d',
    'job, reference': 'fd06304a285aa10d',
  });
});

function shortOf(digests: Record<string, string>): Record<string, string> {
  return Object.fromEntries(Object.entries(digests).map(([name, hex]) => [name, hex.slice(0, 16)]));
}
