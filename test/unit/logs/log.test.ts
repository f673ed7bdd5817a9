// The node's log: written, turned over before it is too long, read whole and while it grows.
import { mkdtemp, readdir, readFile, rm, stat, writeFile, appendFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { renderLogLine } from '../../../src/node/cli/output/log-screen.ts';
import { noPaint } from '../../../src/node/cli/output/terminal.ts';
import { LogFile, logFile } from '../../../src/node/logs/log-file.ts';
import {
  isWanted,
  levelName,
  type LogLine,
  type LogQuery,
  parseLevel,
  parseLogLine,
} from '../../../src/node/logs/log-line.ts';
import { readLog } from '../../../src/node/logs/read-log.ts';

let folder: string;

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'mesh-log-'));
});

afterEach(() => rm(folder, { recursive: true, force: true }));

function about(more: object): LogLine {
  return { level: 40, time: 5, msg: 'x', ...more };
}

function line(at: number, more: object = {}): string {
  return `${JSON.stringify({ level: 30, time: at, msg: `line ${at} ä`, ...more })}\n`;
}

async function read(query: LogQuery = {}): Promise<readonly number[]> {
  const times: number[] = [];
  for await (const { time } of readLog(folder, query)) times.push(time);
  return times;
}

describe('a log', () => {
  test('is turned over before it is too long; the oldest file goes', async () => {
    const bytes = Buffer.byteLength(line(100));
    const log = new LogFile(folder, 2 * bytes);
    for (let at = 100; at < 113; at++) log.write(line(at));
    log.close();
    expect((await readdir(folder)).toSorted()).toEqual([
      'node.1.ndjson',
      'node.2.ndjson',
      'node.3.ndjson',
      'node.4.ndjson',
      'node.ndjson',
    ]);
    expect(await readFile(logFile(folder, 0), 'utf8')).toBe(line(112));
    expect(await read()).toEqual([104, 105, 106, 107, 108, 109, 110, 111, 112]);
    expect((await stat(logFile(folder, 0))).mode & 0o777).toBe(0o600);
  });

  test('goes on where the life before it ended', async () => {
    const bytes = Buffer.byteLength(line(100));
    for (const at of [100, 101, 102]) {
      const log = new LogFile(folder, 2 * bytes);
      log.write(line(at));
      log.close();
    }
    expect(await readFile(logFile(folder, 1), 'utf8')).toBe(line(100) + line(101));
  });

  test('that cannot be written loses its lines and nothing else', async () => {
    const log = new LogFile(join(folder, 'not-there'));
    expect(() => log.write(line(1))).not.toThrow();
  });
});

describe('reading', () => {
  test('skips what is no line of the log, half a line at the end among it', async () => {
    await writeFile(logFile(folder, 0), `${line(1)}not json\n{"level":30}\nnull\n${line(2)}{"lev`);
    expect(await read()).toEqual([1, 2]);
  });

  test('keeps the last ones that are wanted', async () => {
    await writeFile(logFile(folder, 1), line(1) + line(2));
    await writeFile(logFile(folder, 0), line(3) + line(4, { level: 40 }) + line(5));
    expect(await read({ last: 2 })).toEqual([4, 5]);
    expect(await read({ sinceMs: 2, level: 'warn' })).toEqual([4]);
    expect(await read({ last: 0 })).toEqual([]);
  });

  test('goes on with what comes, through a file that is turned over, until nobody listens', async () => {
    await writeFile(logFile(folder, 0), line(1));
    const gone = new AbortController();
    const seen: number[] = [];
    const reading = (async () => {
      for await (const { time } of readLog(folder, { follow: true }, gone.signal)) seen.push(time);
    })();
    await expect.poll(() => seen).toEqual([1]);
    const log = new LogFile(folder, Buffer.byteLength(line(1)));
    await appendFile(logFile(folder, 0), '{"level":30,"ti');
    await appendFile(logFile(folder, 0), 'me":2,"msg":"in two parts"}\n');
    await expect.poll(() => seen).toEqual([1, 2]);
    log.write(line(3));
    await expect.poll(() => seen).toEqual([1, 2, 3]);
    log.close();
    gone.abort();
    await reading;
  });
});

describe('a line', () => {
  test.each([
    [{ job: 'abc123' }, { job: 'j-abc' }, true],
    [{ job: 'j-abc123' }, { job: 'abc' }, true],
    [{ job: 'xabc' }, { job: 'abc' }, false],
    [{}, { job: 'abc' }, false],
    [{ task: 7 }, { task: 7 }, true],
    [
      {
        intervals: [
          [0, 3],
          [7, 9],
        ],
      },
      { task: 8 },
      true,
    ],
    [
      {
        intervals: [
          [0, 3],
          [7, 9],
        ],
      },
      { task: 9 },
      false,
    ],
    [{ intervals: 'x', task: '7' }, { task: 7 }, false],
    [{}, { level: 'error' }, false],
    [{}, { level: 'warn' }, true],
  ] as const)('with %o asked for %o: %s', (more, query, expected) => {
    expect(isWanted(about(more), query)).toBe(expected);
  });

  test('has a level that people can name', () => {
    expect([10, 30, 35, 60, 1].map(levelName)).toEqual(['trace', 'info', 'info', 'fatal', 'trace']);
    expect(parseLevel('warn')).toBe('warn');
    expect(() => parseLevel('loud')).toThrow('--level must be one of');
    expect(parseLogLine('[]')).toBeUndefined();
  });

  test('is drawn with its fields, and lets none of them move the cursor', () => {
    const text = renderLogLine(about({ msg: 'peer\x1b[2J gone', n: [1] }), 'air', 120, noPaint);
    expect(text).toMatch(/^\d\d:\d\d:\d\d {2}warn {3}air {2}peer\?\[2J gone {2}n=\[1\]$/);
    expect(renderLogLine(about({ msg: 'y'.repeat(200) }), undefined, 40, noPaint)).toHaveLength(40);
  });
});
