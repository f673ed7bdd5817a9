// A machine that falls asleep in the middle of a job is a lost peer. While there is work, and mains power, a small program of
// the system's holds off the idle sleep: caffeinate on a Mac, by default; systemd-inhibit on Linux, when asked. A lid that
// closes still sleeps: nothing that a user may do prevents that.
import { type ChildProcess, spawn } from 'node:child_process';
import { lookRegularly } from './look-regularly.ts';

/** ms between two looks. The shortest idle sleep that a Mac can be set to is a minute. */
const LOOK_MS = 10_000;

export interface Wakefulness {
  /** Whether a job runs that this peer has a part in. */
  isBusy(): Promise<boolean>;
  /** Undefined: nobody knows, or there is no battery. */
  isOnBattery(): Promise<boolean | undefined>;
  /** On battery too. */
  readonly always: boolean;
  readonly platform: NodeJS.Platform;
}

/** What holds off the sleep for as long as it runs; it ends with this process. Undefined: nothing does here. */
export function wakeCommand(
  platform: NodeJS.Platform,
  always: boolean,
  pid: number,
): readonly string[] | undefined {
  if (platform === 'darwin') return ['caffeinate', '-i', '-w', String(pid)];
  if (platform !== 'linux' || !always) return undefined;
  const why = ['--what=idle:sleep', '--who=mesh', '--why=a job runs'];
  return ['systemd-inhibit', ...why, 'tail', `--pid=${pid}`, '-f', '/dev/null'];
}

/** Returns how to stop, which lets the machine sleep again. */
export function keepAwake(facts: Wakefulness, lookMs: number = LOOK_MS): () => void {
  const command = wakeCommand(facts.platform, facts.always, process.pid);
  if (command === undefined) return () => {};
  let holder: ChildProcess | undefined;
  let isStopped = false;
  const letSleep = (): void => {
    holder?.kill();
    holder = undefined;
  };
  const hold = (): ChildProcess => {
    const child = start(command);
    // One that was let go ends a moment later, when the next may hold already.
    const ended = (): void => {
      if (holder === child) holder = undefined;
    };
    child.once('error', ended);
    child.once('exit', ended);
    return child;
  };
  const stopLooking = lookRegularly(async () => {
    const isBusy = await facts.isBusy();
    const isWanted = isBusy && (facts.always || (await facts.isOnBattery()) !== true);
    if (isStopped) return;
    if (isWanted) holder ??= hold();
    else letSleep();
  }, lookMs);
  return () => {
    isStopped = true;
    stopLooking();
    letSleep();
  };
}

function start([program = '', ...words]: readonly string[]): ChildProcess {
  const child = spawn(program, words, { stdio: 'ignore' });
  child.unref();
  return child;
}
