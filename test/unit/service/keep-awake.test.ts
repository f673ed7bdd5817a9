// When a machine is kept from falling asleep, with a program of the same name in place of the system's.
import { chmod, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { delimiter, join } from 'node:path';
import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import { keepAwake, wakeCommand } from '../../../src/node/service/keep-awake.ts';

let folder: string;
let log: string;
const path = process.env['PATH'];

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'mesh-awake-'));
  log = join(folder, 'log');
  await writeFile(log, '');
  const script = `#!/bin/sh\ntrap 'echo asleep >> ${log}; exit' TERM\necho "awake $*" >> ${log}\nwhile :; do sleep 0.02; done\n`;
  await writeFile(join(folder, 'caffeinate'), script);
  await chmod(join(folder, 'caffeinate'), 0o755);
  process.env['PATH'] = `${folder}${delimiter}${path}`;
});

afterEach(async () => {
  process.env['PATH'] = path;
  await rm(folder, { recursive: true });
});

async function logged(lines: readonly string[]): Promise<void> {
  const text = lines.map((line) => `${line}\n`).join('');
  await vi.waitFor(async () => expect(await readFile(log, 'utf8')).toBe(text), 5_000);
}

const AWAKE = `awake -i -w ${process.pid}`;

test('a Mac stays awake while a job runs on mains, and may sleep when it has ended or the cable is out', async () => {
  let [busy, battery] = [false, false];
  const facts = {
    isBusy: () => Promise.resolve(busy),
    isOnBattery: () => Promise.resolve(battery),
    platform: 'darwin' as const,
  };
  const stop = keepAwake({ ...facts, always: false }, 5);
  busy = true;
  await logged([AWAKE]);
  battery = true;
  await logged([AWAKE, 'asleep']);
  battery = false;
  await logged([AWAKE, 'asleep', AWAKE]);
  busy = false;
  await logged([AWAKE, 'asleep', AWAKE, 'asleep']);
  busy = true;
  await logged([AWAKE, 'asleep', AWAKE, 'asleep', AWAKE]);
  stop();
  await logged([AWAKE, 'asleep', AWAKE, 'asleep', AWAKE, 'asleep']);
});

test('what ends late takes nothing from what began after it, and a stop in the middle of a look starts nothing', async () => {
  // The first holder takes a while to end; by then the second has begun.
  const slow = `#!/bin/sh\ntrap 'sleep 0.2; echo asleep >> ${log}; exit' TERM\necho "awake $*" >> ${log}\nwhile :; do sleep 0.02; done\n`;
  await writeFile(join(folder, 'caffeinate'), slow);
  let [busy, looks] = [true, 0];
  let answer = Promise.resolve();
  const stop = keepAwake(
    {
      isBusy: async () => {
        looks++;
        await answer;
        return busy;
      },
      isOnBattery: () => Promise.resolve(false),
      platform: 'darwin',
      always: false,
    },
    5,
  );
  await logged([AWAKE]);
  busy = false;
  const seen = looks;
  await vi.waitFor(() => expect(looks).toBeGreaterThan(seen + 1));
  busy = true;
  await logged([AWAKE, AWAKE, 'asleep']);
  const { promise, resolve } = Promise.withResolvers<void>();
  answer = promise;
  const before = looks;
  await vi.waitFor(() => expect(looks).toBeGreaterThan(before));
  stop();
  resolve();
  await logged([AWAKE, AWAKE, 'asleep', 'asleep']);
});

test('with --awake a battery does not matter', async () => {
  const stop = keepAwake(
    {
      isBusy: () => Promise.resolve(true),
      isOnBattery: () => Promise.resolve(true),
      platform: 'darwin',
      always: true,
    },
    5,
  );
  await logged([AWAKE]);
  stop();
  await logged([AWAKE, 'asleep']);
});

test('Linux is kept awake only when asked, and where nothing can there is nothing to do', () => {
  expect(wakeCommand('linux', false, 7)).toBeUndefined();
  expect(wakeCommand('linux', true, 7)?.slice(0, 2)).toEqual([
    'systemd-inhibit',
    '--what=idle:sleep',
  ]);
  expect(wakeCommand('win32', true, 7)).toBeUndefined();
});
