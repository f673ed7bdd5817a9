// Values going in (flags) and out (numbers, files).
import { mkdtemp, readdir, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { joinArguments, readJoinFlags } from '../../../src/node/cli/join-options.ts';
import {
  parseChoice,
  parseDuration,
  parseNumber,
  parseWhole,
} from '../../../src/node/cli/options.ts';
import {
  formatAgo,
  formatCount,
  formatDuration,
  formatMetric,
  formatRate,
  peerAddress,
} from '../../../src/node/cli/output/format.ts';
import {
  renderResultsAs,
  rowLines,
  writeResults,
} from '../../../src/node/cli/output/results-file.ts';
import { translateRay } from '../../../src/node/cli/ray.ts';
import {
  clearStartError,
  readStartError,
  writeStartError,
} from '../../../src/node/cli/start-error.ts';
import { MeshError } from '../../../src/node/errors.ts';

describe('flags', () => {
  test.each([
    ['90s', 90_000],
    ['10m', 600_000],
    ['1h30m', 5_400_000],
    ['250ms', 250],
    ['1.5s', 1500],
    ['15', 15_000],
    ['0', 0],
  ])('the duration %s is %d ms', (text, expected) => {
    expect(parseDuration(text, '--wait')).toBe(expected);
  });

  test.each(['', 'x', '-1s', '1d', '1s2', '99999h', '1e3s'])('"%s" is no duration', (text) => {
    expect(() => parseDuration(text, '--wait')).toThrow('--wait must be');
  });

  test('numbers', () => {
    expect(parseWhole('1_000', '--top', { min: 0, max: 5000 })).toBe(1000);
    expect(parseNumber('-0.004', '--fee')).toBe(-0.004);
    for (const text of ['1.5', '-1', '', '6000', '0x10']) {
      expect(() => parseWhole(text, '--top', { min: 0, max: 5000 })).toThrow('--top must be');
    }
    for (const text of ['', ' ', 'x', 'Infinity']) {
      expect(() => parseNumber(text, '--fee')).toThrow('--fee must be');
    }
    expect(() => parseChoice('maybe', '--embed', ['auto', 'never'])).toThrow('auto, never');
  });

  test('of join reach the background process unchanged', () => {
    const flags = {
      peer: ['100.77.179.14', '[fd7a::1]:7421'],
      name: 'mini-1',
      slots: '8',
      listen: '127.0.0.1:7000',
      port: '0',
      wait: '1m30s',
      throttle: '0.25@800ms',
    };
    const options = readJoinFlags(flags);
    expect(options).toEqual({
      peers: flags.peer,
      name: 'mini-1',
      slots: 8,
      listen: '127.0.0.1:7000',
      port: 0,
      waitMs: 90_000,
      throttle: { share: 0.25, afterMs: 800 },
    });
    expect(joinArguments(options)).toEqual([
      '--name=mini-1',
      '--slots=8',
      '--listen=127.0.0.1:7000',
      '--port=0',
      '--throttle=0.25@800ms',
      '--wait=90000ms',
      '--peer=100.77.179.14',
      '--peer=[fd7a::1]:7421',
    ]);
    expect(readJoinFlags({ wait: '15s' })).toEqual({ peers: [], waitMs: 15_000 });
    expect(joinArguments(readJoinFlags({ wait: '15s', work: false, polite: true }))).toEqual([
      '--wait=15000ms',
      '--polite',
      '--no-work',
    ]);
  });

  test.each([
    [{ listen: '0.0.0.0' }, 'one address, not all'],
    [{ listen: '[::]:7420' }, 'one address, not all'],
    [{ listen: 'studio' }, '--listen must be'],
    [{ name: 'a b' }, '--name must be'],
    [{ name: 'x'.repeat(64) }, '--name must be'],
    [{ slots: '0' }, '--slots must be'],
    [{ port: '65536' }, '--port must be'],
    [{ peer: ['a b'] }, '--peer must be'],
    [{ peer: Array.from({ length: 65 }, () => 'a') }, 'at most 64'],
  ])('join refuses %o', (flags, message) => {
    expect(() => readJoinFlags({ wait: '15s', ...flags })).toThrow(message);
  });
});

describe('numbers on screens', () => {
  test('counts, rates, durations', () => {
    expect([0, 999, 1000, 1_234_567].map(formatCount)).toEqual(['0', '999', '1,000', '1,234,567']);
    expect([0, 0.25, 37.2, 1204].map(formatRate)).toEqual(['0', '0.3', '37.2', '1,204']);
    expect([320, 9960, 18_000, 544_000, 3_700_000, 200_000_000].map(formatDuration)).toEqual([
      '0.3 s',
      '10 s',
      '18 s',
      '9m 04s',
      '1h 01m',
      '2 days',
    ]);
    expect(formatAgo('nonsense', 0)).toBe('-');
  });

  test.each([
    ['totalReturn', 1.4, '+140%'],
    ['totalReturn', -0.051, '−5.1%'],
    ['maxDrawdown', 0.123, '−12%'],
    ['maxDrawdown', 0, '0%'],
    ['winRate', 0.55, '55%'],
    ['sharpe', 2.312, '2.31'],
    ['sharpe', -1, '−1'],
    ['trades', 1210, '1,210'],
    ['finalEquity', 12_345.6, '12,346'],
    ['sharpe', null, '-'],
    ['sharpe', Number.NaN, '-'],
  ])('%s of %d is %s', (name, value, expected) => {
    expect(formatMetric(name, value)).toBe(expected);
  });

  test('an address names the port only when --peer would assume another', () => {
    expect(peerAddress('100.1.2.3', 7420)).toBe('100.1.2.3');
    expect(peerAddress('fd7a::1', 7421)).toBe('[fd7a::1]:7421');
  });
});

describe('results', () => {
  const view = {
    v: 1,
    job: 'j-1',
    columns: ['task', 'sharpe'],
    rows: [
      [0, 1.5],
      [1, null],
    ],
    labels: [
      { name: 'a,b', params: { n: 7, kind: 'x"y' } },
      { name: 'c', params: {} },
    ],
  } as const;

  test('as CSV leave an undefined metric empty and quote what needs it', () => {
    expect(renderResultsAs('csv', view)).toBe(
      'task,sharpe,name,params\n0,1.5,"a,b","n=7 kind=x""y"\n1,,c,\n',
    );
  });

  test('as NDJSON are one object a row', () => {
    expect(
      renderResultsAs('ndjson', view)
        .trimEnd()
        .split('\n')
        .map((line) => JSON.parse(line) as unknown),
    ).toEqual([
      { type: 'result', task: 0, ...view.labels[0], metrics: { sharpe: 1.5 } },
      { type: 'result', task: 1, ...view.labels[1], metrics: { sharpe: null } },
    ]);
  });

  test('as they stream say which task failed', () => {
    const lines = rowLines({
      kind: 'rows',
      columns: ['sharpe', 'trades'],
      tasks: [4, 9],
      values: Float64Array.of(1, 2, Number.NaN, 3),
      failed: [9],
    });
    expect(lines).toBe(
      '{"type":"result","task":4,"metrics":{"sharpe":1,"trades":2}}\n' +
        '{"type":"result","task":9,"failed":true,"errorCode":3}\n',
    );
  });

  test('are written whole, and a place that cannot be written to is named', async () => {
    const directory = await mkdtemp(join(tmpdir(), 'mesh-results-'));
    const file = join(directory, 'out.json');
    await writeResults(file, view);
    expect(JSON.parse(await readFile(file, 'utf8'))).toEqual(view);
    expect(await readdir(directory)).toEqual(['out.json']);
    await expect(writeResults(join(directory, 'no', 'out.csv'), view)).rejects.toThrow(
      'cannot write',
    );
    await expect(writeResults(join(directory, 'out.xls'), view)).rejects.toThrow('must end in');
    await rm(directory, { recursive: true });
  });
});

test('the words of Ray are answered with those of mesh', () => {
  expect(translateRay(['--head', '--port=6379', '--num-cpus', '12']).message).toBe(
    'mesh has no head node: every machine runs the same command.\n' +
      'here:          mesh join --slots 12\n' +
      'on the others: mesh join --peer THIS_MACHINE',
  );
  expect(translateRay(['--address=100.77.179.14:6379']).message).toContain(
    'mesh join --peer 100.77.179.14',
  );
  expect(translateRay(['--address=$(rm -rf)']).message).toContain('ANY_OTHER_MACHINE');
});

test('a start error survives the way through its file', async () => {
  const home = await mkdtemp(join(tmpdir(), 'mesh-start-error-'));
  expect(await readStartError(home)).toBeUndefined();
  await writeStartError(home, new MeshError('REFUSED', 'another key', { hint: 'mesh key show' }));
  expect(await readStartError(home)).toMatchObject({
    code: 'REFUSED',
    exitCode: 7,
    message: 'another key',
    hint: 'mesh key show',
  });
  await writeStartError(home, new TypeError('boom'));
  expect(await readStartError(home)).toMatchObject({ code: 'INTERNAL', message: 'boom' });
  await clearStartError(home);
  expect(await readStartError(home)).toBeUndefined();
  await rm(home, { recursive: true });
});
