// mesh service: the node that starts with the machine. Installing replaces a node that runs in the background
// already; uninstalling leaves nothing behind, and the node's own data untouched.
import { cp, mkdir, realpath, rm } from 'node:fs/promises';
import { homedir, userInfo } from 'node:os';
import { dirname, join, sep } from 'node:path';
import { ControlClient } from '../control/client.ts';
import { checkLeftovers } from '../doctor/leftovers.ts';
import { lookAtSystem } from '../doctor/system.ts';
import { MeshError } from '../errors.ts';
import type { Service } from '../service/service-files.ts';
import { type ServiceManager, serviceManager } from '../service/service-manager.ts';
import { type Context, refuseVia } from './context.ts';
import { joinArguments, type JoinFlags, readJoinFlags } from './join-options.ts';
import { stop } from './leave.ts';
import { parseChoice } from './options.ts';
import { printJson } from './output/json.ts';
import { withEnvironment } from './settings.ts';
import { waitUntil } from './wait.ts';

const ACTIONS = ['install', 'uninstall', 'start', 'stop', 'restart', 'status'] as const;

export type ServiceFlags = JoinFlags;

/** From the start of the service to its control socket: Node, libp2p and the journal of a busy home. */
const START_MS_MAX = 20_000;

export async function service(
  context: Context,
  action: string,
  flags: ServiceFlags,
): Promise<number> {
  refuseVia(context, 'service');
  const wanted = parseChoice(action, 'mesh service', ACTIONS);
  const manager = serviceManager({
    platform: process.platform,
    uid: userInfo().uid,
    userHome: homedir(),
    say: (command) => {
      if (context.verbose) context.err.line(`  ${command}`);
    },
  });
  switch (wanted) {
    case 'install':
      return install(context, manager, flags);
    case 'uninstall':
      return uninstall(context, manager);
    case 'status':
      return status(context, manager);
    case 'start':
    case 'stop':
    case 'restart':
      return change(context, manager, wanted);
  }
}

async function install(
  context: Context,
  manager: ServiceManager,
  flags: ServiceFlags,
): Promise<number> {
  await warnOfLeftovers(context);
  const service = await serviceOf(context, flags);
  // One node per home: the service's takes the place of the one that join started.
  await stop({ ...context, quiet: true, json: false });
  await manager.install(service);
  await untilItAnswers(context.home);
  if (context.json) printJson(context.out, { v: 1, ...(await manager.state()) });
  else if (!context.quiet) {
    const { file } = await manager.state();
    const linger =
      process.platform === 'linux' ? '    before the first login: loginctl enable-linger' : '';
    context.out.line(`the node runs now and after every login (${file})`);
    context.out.line(
      `  see it: mesh status    its log: mesh logs -f    undo: mesh service uninstall${linger}`,
    );
  }
  return 0;
}

/** Never silently: they take the cores that this machine is meant to give. */
async function warnOfLeftovers(context: Context): Promise<void> {
  const findings = await checkLeftovers(lookAtSystem());
  if (context.quiet || context.json) return;
  for (const { level, text, fix } of findings) {
    if (level === 'ok') continue;
    context.err.line(context.err.paint('yellow', text));
    context.err.line(`  to remove it: ${fix}`);
  }
}

async function serviceOf(context: Context, flags: ServiceFlags): Promise<Service> {
  const program = process.argv[1];
  if (program === undefined) throw new MeshError('INTERNAL', 'cannot tell how mesh was started');
  const { home } = context;
  await mkdir(home, { recursive: true, mode: 0o700 });
  return {
    home,
    node: process.execPath,
    program: await keptProgram(await realpath(program), home),
    words: joinArguments(readJoinFlags(withEnvironment(flags))),
    isPolite: flags.polite ?? false,
  };
}

/** npx runs programs from a cache that it empties as it likes: the service gets a copy of its own. */
async function keptProgram(program: string, home: string): Promise<string> {
  if (!program.includes(`${sep}_npx${sep}`)) return program;
  const packageFolder = dirname(dirname(program));
  const kept = join(home, 'lib');
  await rm(kept, { recursive: true, force: true });
  await cp(packageFolder, kept, { recursive: true });
  return join(kept, program.slice(packageFolder.length + 1));
}

async function untilItAnswers(home: string): Promise<void> {
  const isUp = async (): Promise<boolean> => (await ControlClient.find(home)) !== undefined;
  if (await waitUntil(isUp, START_MS_MAX)) return;
  throw new MeshError('UNREACHABLE', 'the service is installed and its node does not answer', {
    hint: `tail ${join(home, 'logs', 'node.log')}`,
  });
}

async function uninstall(context: Context, manager: ServiceManager): Promise<number> {
  const { isInstalled } = await manager.state();
  await manager.uninstall(context.home);
  if (context.json) printJson(context.out, { v: 1, ...(await manager.state()) });
  else if (!context.quiet) {
    context.out.line(isInstalled ? 'the service is gone' : 'no service was installed');
    context.out.line(
      `  its data is still in ${context.home}: rm -rf '${context.home}' removes key, jobs and results`,
    );
    context.out.line(
      '  is the machine sold? On another one: mesh peers --forget NAME, then mesh key rotate',
    );
  }
  return 0;
}

async function change(
  context: Context,
  manager: ServiceManager,
  action: 'start' | 'stop' | 'restart',
): Promise<number> {
  const { isInstalled } = await manager.state();
  if (!isInstalled) {
    throw new MeshError('USAGE', 'no service is installed', { hint: 'mesh service install' });
  }
  await manager[action]();
  if (action !== 'stop') await untilItAnswers(context.home);
  if (context.json) printJson(context.out, { v: 1, ...(await manager.state()) });
  else if (!context.quiet) context.out.line(action === 'stop' ? 'stopped' : 'the node runs');
  return 0;
}

async function status(context: Context, manager: ServiceManager): Promise<number> {
  const state = await manager.state();
  if (context.json) printJson(context.out, { v: 1, ...state });
  else if (!context.quiet) {
    const words = state.isInstalled
      ? `installed (${state.file}), ${state.isRunning ? 'running' : 'not running'}`
      : 'not installed; try: mesh service install';
    context.out.line(words);
  }
  return 0;
}
