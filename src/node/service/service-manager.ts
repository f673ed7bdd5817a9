// Hands the service's files to launchd or systemd and asks these what became of it. Every command that is run is
// told to `say`, so that a person can see, and repeat, what was done.
import { execFile } from 'node:child_process';
import { access, chmod, mkdir, rm, rmdir, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { MeshError } from '../errors.ts';
import {
  launchdPlist,
  type Service,
  SERVICE_LABEL,
  systemdUnit,
  UNIT_NAME,
  wrapperPath,
  wrapperScript,
} from './service-files.ts';

interface ServiceState {
  readonly isInstalled: boolean;
  readonly isRunning: boolean;
  /** The file that launchd or systemd reads. */
  readonly file: string;
}

export interface ServiceManager {
  install(service: Service): Promise<void>;
  /** Nothing of it is left. */
  uninstall(home: string): Promise<void>;
  start(): Promise<void>;
  stop(): Promise<void>;
  restart(): Promise<void>;
  state(): Promise<ServiceState>;
}

export interface ManagerWish {
  readonly platform: NodeJS.Platform;
  readonly uid: number;
  readonly userHome: string;
  readonly say: (command: string) => void;
}

/** ms. Both answer in tens of them; bootout waits for the node to end. */
const RUN_MS_MAX = 45_000;

/** Throws USAGE on a system that has neither. */
export function serviceManager(wish: ManagerWish): ServiceManager {
  if (wish.platform === 'darwin') return launchd(wish);
  if (wish.platform === 'linux') return systemd(wish);
  throw new MeshError('USAGE', `mesh cannot be a service on ${wish.platform}`, {
    hint: 'mesh join, after every start',
  });
}

function launchd({ uid, userHome, say }: ManagerWish): ServiceManager {
  const file = join(userHome, 'Library', 'LaunchAgents', `${SERVICE_LABEL}.plist`);
  const domain = `gui/${uid}`;
  const target = `${domain}/${SERVICE_LABEL}`;
  const launchctl = (...words: string[]): Promise<string> => run(say, 'launchctl', words);
  const isLoaded = (): Promise<boolean> => answers(run(() => {}, 'launchctl', ['print', target]));
  const bootout = async (): Promise<void> => {
    if (await isLoaded()) await launchctl('bootout', target);
  };
  return {
    async install(service) {
      await putFiles(service, file, launchdPlist(service));
      await undoOnFailure(file, service.home, async () => {
        await bootout();
        await launchctl('bootstrap', domain, file);
      });
    },
    async uninstall(home) {
      await bootout();
      await takeFiles(file, home);
    },
    async start() {
      if (await isLoaded()) await launchctl('kickstart', target);
      else await launchctl('bootstrap', domain, file);
    },
    stop: bootout,
    async restart() {
      if (await isLoaded()) await launchctl('kickstart', '-k', target);
      else await launchctl('bootstrap', domain, file);
    },
    async state() {
      const isInstalled = await answers(access(file));
      const text = await run(() => {}, 'launchctl', ['print', target]).catch(() => '');
      return { isInstalled, isRunning: /^\s*pid = \d+/m.test(text), file };
    },
  };
}

function systemd({ userHome, say }: ManagerWish): ServiceManager {
  const file = join(userHome, '.config', 'systemd', 'user', UNIT_NAME);
  const systemctl = (...words: string[]): Promise<string> =>
    run(say, 'systemctl', ['--user', ...words]);
  return {
    async install(service) {
      await putFiles(service, file, systemdUnit(service));
      await undoOnFailure(file, service.home, async () => {
        await systemctl('daemon-reload');
        await systemctl('enable', UNIT_NAME);
        await systemctl('restart', UNIT_NAME);
      });
    },
    async uninstall(home) {
      if (await answers(access(file))) await systemctl('disable', '--now', UNIT_NAME);
      await takeFiles(file, home);
      await systemctl('daemon-reload').catch(() => {});
    },
    start: async () => void (await systemctl('start', UNIT_NAME)),
    stop: async () => void (await systemctl('stop', UNIT_NAME)),
    restart: async () => void (await systemctl('restart', UNIT_NAME)),
    async state() {
      const isInstalled = await answers(access(file));
      const words = ['--user', 'is-active', UNIT_NAME];
      return { isInstalled, isRunning: await answers(run(() => {}, 'systemctl', words)), file };
    },
  };
}

async function putFiles(service: Service, file: string, content: string): Promise<void> {
  const wrapper = wrapperPath(service.home);
  try {
    await mkdir(join(service.home, 'logs'), { recursive: true, mode: 0o700 });
    await mkdir(dirname(wrapper), { recursive: true, mode: 0o700 });
    await writeFile(wrapper, wrapperScript(service), { mode: 0o700 });
    await chmod(wrapper, 0o700);
    await mkdir(dirname(file), { recursive: true });
    await writeFile(file, content, { mode: 0o644 });
  } catch (cause) {
    throw new MeshError('INTERNAL', `cannot write the service: ${(cause as Error).message}`, {
      cause,
    });
  }
}

async function takeFiles(file: string, home: string): Promise<void> {
  await rm(file, { force: true });
  await rm(wrapperPath(home), { force: true });
  await rm(join(home, 'lib'), { recursive: true, force: true });
  // Only when nothing else is in it.
  await rmdir(dirname(wrapperPath(home))).catch(() => {});
}

/** A service that could not be started is not left half installed. */
async function undoOnFailure(file: string, home: string, work: () => Promise<void>): Promise<void> {
  try {
    await work();
  } catch (error) {
    await takeFiles(file, home);
    throw error;
  }
}

async function answers(work: Promise<unknown>): Promise<boolean> {
  return work.then(
    () => true,
    () => false,
  );
}

function run(
  say: (command: string) => void,
  program: string,
  words: readonly string[],
): Promise<string> {
  say([program, ...words].join(' '));
  return new Promise((resolve, reject) => {
    execFile(program, words, { timeout: RUN_MS_MAX }, (error, stdout, stderr) => {
      if (error === null) {
        resolve(stdout);
        return;
      }
      const reason = stderr.trim().split('\n')[0] || error.message;
      const hint =
        program === 'systemctl'
          ? 'is a user session of systemd running? loginctl enable-linger'
          : `${program} ${words.join(' ')}`;
      reject(new MeshError('INTERNAL', `${program} ${words.join(' ')}: ${reason}`, { hint }));
    });
  });
}
