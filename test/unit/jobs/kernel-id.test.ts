// Kernel ids: what they are made of, that they are the same on every machine, and what a peer with another one says.
import { expect, it } from 'vitest';
import { goldenRows } from '../../../src/kernel/golden.ts';
import { kernelFault, kernelIdOf, kernelIds } from '../../../src/node/jobs/kernel-id.ts';

// When this fails, rows have changed: raise KERNEL_VERSIONS and write down the new ids. When it fails on one machine
// only, that machine computes other bits than the rest, and its results must not be mixed with theirs.
it('the ids are those of every other machine', () => {
  expect(kernelIds()).toEqual(['backtest@2.1.0+6965e983789b', 'spin@1.0.0+69e4155cf9fd']);
});

it('every golden backtest trades and none is an error', () => {
  const rows = goldenRows('backtest');
  for (let at = 0; at < rows.length; at += 20) {
    expect(rows[at + 13], `trades of row ${at / 20}`).toBeGreaterThan(0);
    expect(rows[at + 19]).toBe(0);
  }
});

it('only the very same kernel runs a job, and the others say why not', () => {
  const ids = ['backtest@1.0.0+aaaaaaaaaaaa', 'spin@1.0.0+bbbbbbbbbbbb'];
  expect(kernelIdOf('spin', ids)).toBe(ids[1]);
  expect(kernelFault('backtest@1.0.0+aaaaaaaaaaaa', ids)).toBeUndefined();
  expect(kernelFault('backtest@1.0.0+cccccccccccc', ids)).toBe(
    'it was submitted under the kernel backtest@1.0.0+cccccccccccc, and this peer has ' +
      'backtest@1.0.0+aaaaaaaaaaaa: their rows may differ. Install the same version of mesh on both',
  );
  expect(kernelFault('options@2.0.0+cccccccccccc', ids)).toBe(
    'it needs the kernel options@2.0.0+cccccccccccc, and this peer has none called options',
  );
});
