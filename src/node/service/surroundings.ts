// Battery and user, as the system tells: pmset and ioreg on a Mac, /sys and loginctl on Linux. What cannot be read is
// undefined, and then nobody rests because of it.
import { execFile } from 'node:child_process';
import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { Battery } from './keep-sparing.ts';
import type { Surroundings } from './politeness.ts';

const RUN_MS_MAX = 3_000;
const SUPPLIES = '/sys/class/power_supply';

export async function lookAround(
  platform: NodeJS.Platform,
  supplies: string = SUPPLIES,
): Promise<Surroundings> {
  const isMac = platform === 'darwin';
  const [{ isOnBattery }, idleMs] = await Promise.all([
    lookAtBattery(platform, supplies),
    isMac ? macIdle() : linuxIdle(),
  ]);
  return { isOnBattery, idleMs };
}

const UNKNOWN: Battery = { isOnBattery: undefined, batteryPercent: undefined };

export function lookAtBattery(
  platform: NodeJS.Platform,
  supplies: string = SUPPLIES,
): Promise<Battery> {
  return platform === 'darwin' ? macBattery() : linuxBattery(supplies);
}

/** "Now drawing from 'Battery Power'", and below it " -InternalBattery-0 (id=1)	82%; discharging; ...". */
async function macBattery(): Promise<Battery> {
  const text = await run('pmset', ['-g', 'batt']);
  const source = /Now drawing from '(\w+) Power'/.exec(text)?.[1];
  if (source === undefined) return UNKNOWN;
  const percent = /InternalBattery.*?(\d{1,3})%/.exec(text)?.[1];
  return {
    isOnBattery: source === 'Battery',
    batteryPercent: percent === undefined ? undefined : Number(percent),
  };
}

/** Nanoseconds since the last event of keyboard or mouse. */
async function macIdle(): Promise<number | undefined> {
  const digits = /"HIDIdleTime" = (\d+)/.exec(await run('ioreg', ['-c', 'IOHIDSystem']))?.[1];
  return digits === undefined ? undefined : Number(digits) / 1e6;
}

/** On battery when there is one and no other supply is online. */
async function linuxBattery(folder: string): Promise<Battery> {
  const names = await readdir(folder).catch(() => []);
  const read = (name: string, file: string): Promise<string> =>
    readFile(join(folder, name, file), 'utf8').catch(() => '');
  const percents: number[] = [];
  let isOnMains = false;
  for (const name of names) {
    // A mouse has a battery as well, and says that it is a device's.
    if ((await read(name, 'scope')).trim() === 'Device') continue;
    if ((await read(name, 'type')).trim() === 'Battery') {
      percents.push(Number.parseInt(await read(name, 'capacity'), 10));
    } else if ((await read(name, 'online')).trim() === '1') isOnMains = true;
  }
  const known = percents.filter((percent) => percent >= 0 && percent <= 100);
  const batteryPercent =
    known.length > 0 ? known.reduce((sum, percent) => sum + percent, 0) / known.length : undefined;
  if (isOnMains) return { isOnBattery: false, batteryPercent };
  return { isOnBattery: percents.length > 0 ? true : undefined, batteryPercent };
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
