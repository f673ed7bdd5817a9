// Keys that stand in one object twice.
import { describe, expect, it } from 'vitest';
import { repeatedKeys } from '../../../src/node/jobfile/repeated-keys.ts';
import { prepare } from './fixture.ts';

describe('repeated keys', () => {
  it.each([
    ['{"a":1,"b":2}', []],
    ['{"a":1,"a":2}', [['a', 1, 7]]],
    ['{"a":1,"\\u0061":2}', [['a', 1, 7]]],
    ['{"a":{"a":1},"b":[{"a":1},{"a":2}]}', []],
    ['{"a":"a","b":"b"}', []],
    ['["a","a",{"b":["b","b"]}]', []],
    ['{"a\\"":1,"b":"{\\"a\\\\","a\\"":[]}', [['a"', 1, 22]]],
    [
      '{"x":{"a":[],"a":{}},"x":0}',
      [
        ['a', 6, 13],
        ['x', 1, 21],
      ],
    ],
    [
      '{"__proto__":1,"__proto__":2}',
      [
        ['__proto__', undefined, 1],
        ['__proto__', 1, 15],
      ],
    ],
    ['{"\\u005f_proto__":1}', [['__proto__', undefined, 1]]],
  ] as const)('%s', (text, found) => {
    expect(JSON.parse(text)).toBeDefined();
    expect(repeatedKeys(text).map(({ key, first, again }) => [key, first, again])).toEqual(found);
  });

  it.each([
    '"strategies": [{ "indicators": { "__proto__": "sma(3)" } }]',
    '"vars": { "__proto__": [1] }',
    '"__proto__": {}',
  ])('called __proto__ are one too, wherever they stand: %s', async (part) => {
    const result = await prepare(`{ "version": 1, "data": "candles.csv", ${part} }`);
    expect(result.ok ? [] : result.problems.map(({ message }) => message)).toEqual([
      'no key may be called __proto__',
    ]);
  });

  it('are a problem of the job file that names both places', async () => {
    const text = '{ "version": 1,\n  "data": "candles.csv",\n  "strategies": [], "data": "b.csv" }';
    const result = await prepare(text);
    expect(
      result.ok ? [] : result.problems.map(({ line, col, message }) => [line, col, message]),
    ).toEqual([[3, 21, 'key "data" stands here twice; the first is at 2:3']]);
  });
});
