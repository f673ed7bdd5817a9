// exp, log and pow against values computed with 300 bits and rounded once.
import { assert, double, property } from 'fast-check';
import { describe, expect, it } from 'vitest';
import { exp, log, pow } from '../../../src/kernel/math.ts';

const LOG: readonly [number, number][] = [
  [0.5, -Math.LN2],
  [1, 0],
  [2, Math.LN2],
  [3, 1.0986122886681098],
  [0.1, -2.3025850929940455],
  [1e-300, -690.7755278982137],
  [1e300, 690.7755278982137],
  [5e-324, -744.4400719213812],
  [1.0000000000000002, 2.2204460492503128e-16],
  [0.9999999999999999, -1.1102230246251565e-16],
  [1234.5678, 7.118476228297786],
  [7.38905609893065, 2],
];
const EXP: readonly [number, number][] = [
  [1, Math.E],
  [-1, 0.36787944117144233],
  [0.5, 1.6487212707001282],
  [700.5, 1.6721859620674984e304],
  [-700.25, 7.678723813110872e-305],
  [-740, 4.2e-322],
  [1e-20, 1],
  [0.1, 1.1051709180756477],
  [10, 22026.465794806718],
  [-0.3333333333333333, 0.7165313105737893],
  [709.7, 1.6549840276802644e308],
];
const POW: readonly [number, number, number][] = [
  [2, 0.5, Math.SQRT2],
  [1.1, 365.25, 1314250812077401],
  [3.7, 0.2, 1.2990933056386602],
  [0.3, 12.5, 2.9108222368310285e-7],
  [1.0001, 1e6, 2.6747109931126854e43],
  [10, -300, 1e-300],
  [1.5, 0.2001, 1.084515743635552],
  [123456.789, 0.0833, 2.6553587085932553],
  [2, -1074, 5e-324],
  [0.999, -1e5, 2.82603412513705e43],
];

describe('the kernel’s own exp, log and pow', () => {
  it.each(LOG)('log(%d) is rounded right', (x, expected) => expect(log(x)).toBe(expected));
  it.each(EXP)('exp(%d) is rounded right', (x, expected) => expect(exp(x)).toBe(expected));
  it.each(POW)('pow(%d, %d) is rounded right', (x, y, expected) =>
    expect(pow(x, y)).toBe(expected),
  );

  it('answers the limits as the language’s own functions do', () => {
    for (const x of [0, Infinity, NaN, -1, -Infinity]) expect(log(x)).toBe(Math.log(x));
    for (const x of [0, Infinity, -Infinity, NaN, 710, -746]) expect(exp(x)).toBe(Math.exp(x));
    for (const x of [0, 0.5, 1, 2, Infinity, NaN])
      for (const y of [0, 1, -1, 0.5, Infinity, -Infinity, NaN]) {
        // One to an infinite power is 1 here, as in C.
        expect(pow(x, y)).toBe(x === 1 && Math.abs(y) === Infinity ? 1 : x ** y);
      }
    expect(pow(-2, 2)).toBe(NaN);
  });

  it('stays within one unit in the last place of this engine’s functions', () => {
    const positive = double({ min: 1e-300, max: 1e300, noNaN: true });
    assert(property(positive, (x) => isNear(log(x), Math.log(x))));
    assert(
      property(double({ min: -740, max: 709, noNaN: true }), (x) => isNear(exp(x), Math.exp(x))),
    );
    const base = double({ min: 0.01, max: 100, noNaN: true });
    assert(
      property(base, double({ min: -50, max: 50, noNaN: true }), (x, y) =>
        isNear(pow(x, y), x ** y),
      ),
    );
  });
});

function isNear(mine: number, theirs: number): boolean {
  return mine === theirs || Math.abs(mine - theirs) <= Math.abs(theirs) * 2.3e-16 + 5e-324;
}
