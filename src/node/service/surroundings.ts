// Battery and user, as the system tells: pmset and ioreg on a Mac, /sys and loginctl on Linux. What cannot be read is
// undefined, and then nobody rests because of it.
import { execFile } from 'node:child_process';
import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { Surroundings } from './politeness.ts';

const RUN_MS_MAX = 3_000;
const SUPPLIES = '/sys/class/power_supply';

export async function lookAround(
  platform: NodeJS.Platform,
  supplies: string = SUPPLIES,
): Promise<Surroundings> {
  const isMac = platform === 'darwin';
  const [isOnBattery, idleMs] = await Promise.all([
    isMac ? macBattery() : linuxBattery(supplies),
    isMac ? macIdle() : linuxIdle(),
  ]);
  return { isOnBattery, idleMs };
}

/** "Now drawing from 'Battery Power'". */
async function macBattery(): Promise<boolean | undefined> {
  const source = /Now drawing from '(\w+) Power'/.exec(await run('pmset', ['-g', 'batt']))?.[1];
  return source === undefined ? undefined : source === 'Battery';
}

/** Nanoseconds since the last event of keyboard or mouse. */
async function macIdle(): Promise<number | undefined> {
  const digits = /"HIDIdleTime" = (\d+)/.exec(await run('ioreg', ['-c', 'IOHIDSystem']))?.[1];
  return digits === undefined ? undefined : Number(digits) / 1e6;
}

/** On battery when there is one and no other supply is online. */
async function linuxBattery(folder: string): Promise<boolean | undefined> {
  const names = await readdir(folder).catch(() => []);
  const read = (name: string, file: string): Promise<string> =>
    readFile(join(folder, name, file), 'utf8').catch(() => '');
  let hasBattery = false;
  for (const name of names) {
    if ((await read(name, 'type')).trim() === 'Battery') hasBattery = true;
    else if ((await read(name, 'online')).trim() === '1') return false;
  }
  return hasBattery ? true : undefined;
}

/** Of the seat's session; a machine without one has nobody at it. */
async function linuxIdle(): Promise<number | undefined> {
  const text = await run('loginctl', [
    'show-seat',
    'seat0',
    '-p',
    'IdleHint',
    '-p',
    'IdleSinceHint',
  ]);
  const since = Number(/IdleSinceHint=(\d+)/.exec(text)?.[1] ?? Number.NaN);
  if (text.includes('IdleHint=no')) return 0;
  return Number.isFinite(since) && since > 0 ? Date.now() - since / 1000 : undefined;
}

/** '' when it is not there, fails or hangs. */
function run(program: string, words: readonly string[]): Promise<string> {
  return new Promise((resolve) => {
    execFile(program, words, { timeout: RUN_MS_MAX, killSignal: 'SIGKILL' }, (error, stdout) =>
      resolve(error === null ? stdout : ''),
    );
  });
}
