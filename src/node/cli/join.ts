// mesh join: makes this machine a peer. Starts the node in the background and returns when it is of use, or says
// why it is not; on a machine whose node runs already it only adds the peers that were named.
import { type ChildProcess, spawn } from 'node:child_process';
import { chmod, mkdir, open } from 'node:fs/promises';
import { join as joinPath } from 'node:path';
import { ControlClient } from '../control/client.ts';
import type { ControlHandlers } from '../control/handlers.ts';
import { MeshError } from '../errors.ts';
import { PEER_ENVIRONMENT, PEER_FLAGS } from '../peer-flags.ts';
import { type Context, refuseVia, warnOfSkew } from './context.ts';
import { type JoinFlags, joinArguments, type JoinOptions, readJoinFlags } from './join-options.ts';
import { printJson } from './output/json.ts';
import { renderJoined } from './output/peer-screens.ts';
import { withSettings } from './settings.ts';
import { clearStartError, readStartError } from './start-error.ts';
import { waitUntil } from './wait.ts';

/** From spawn to the control socket: loading libp2p, reading the journal of a busy home. */
const START_MS_MAX = 20_000;
/** A killed node's socket takes calls until the last of its threads is gone, well under this. */
const DYING_MS_MAX = 2000;
/** A node that was told to stop closes its files; after that it may be left to itself. */
const STOP_MS_MAX = 5000;

export async function join(context: Context, flags: JoinFlags): Promise<number> {
  refuseVia(context, 'join');
  const options = readJoinFlags(await withSettings(context.home, flags));
  if (flags.foreground === true) {
    const { runForeground } = await import('./foreground.ts');
    return runForeground(context, options);
  }
  const running = await findRunning(context.home);
  if (running === undefined) await startInBackground(context, options);
  else {
    await reachPeers(running, options, options.waitMs);
    warnOfSkew(context, running);
    noteIgnoredFlags(context, readJoinFlags(flags));
  }
  await report(context, running !== undefined);
  return 0;
}

/** The node that answers in `home`; undefined when there is none, or none any more. */
async function findRunning(home: string): Promise<ControlClient | undefined> {
  const node = await ControlClient.find(home);
  try {
    await node?.status();
    return node;
  } catch (error) {
    // It said nothing for seconds: stopped, not dying, and only a person knows why.
    const isCutOff = error instanceof MeshError && error.cause !== undefined;
    const isGone = async (): Promise<boolean> => (await ControlClient.find(home)) === undefined;
    if ((isCutOff && (await waitUntil(isGone, DYING_MS_MAX))) || (await isGone())) return undefined;
    throw error;
  }
}

async function report(context: Context, ranBefore: boolean): Promise<void> {
  if (context.quiet && !context.json) return;
  const peer = await ControlClient.connect(context.home);
  const status = await peer.status();
  const peers = await peer.peers();
  if (context.json) {
    printJson(context.out, { ...status, peers: peers.peers, ranBefore });
    return;
  }
  if (ranBefore) context.out.line(`a node runs here already (pid ${status.self.pid})`);
  context.out.line(renderJoined(status, peers, context.out.paint).join('\n'));
}

function noteIgnoredFlags(context: Context, options: JoinOptions): void {
  const given = joinArguments({ ...options, peers: [] }).map((flag) => flag.split('=')[0] ?? '');
  const kept = [...new Set(given)].filter((flag) => flag !== '--wait');
  if (kept.length === 0 || context.quiet) return;
  const flags = kept.join(', ');
  context.err.line(
    `the running node keeps its own ${flags}; to change: mesh leave, then mesh join`,
  );
}

/** Waits until one of `peers` has admitted this node; throws the most telling of their answers. */
export async function reachPeers(
  node: Pick<ControlHandlers, 'connect' | 'redeem'>,
  { peers, invite }: { readonly peers: readonly string[]; readonly invite?: string },
  waitMs: number,
): Promise<void> {
  if (invite !== undefined) {
    await node.redeem(invite, waitMs, peers[0]);
    return;
  }
  if (peers.length === 0) return;
  try {
    await Promise.any(peers.map((addr) => node.connect(addr, waitMs)));
  } catch (error) {
    const reasons: unknown[] = error instanceof AggregateError ? error.errors : [error];
    throw mostTelling(reasons);
  }
}

/** A refusal came from somebody; silence may just be a machine that sleeps. */
function mostTelling(reasons: readonly unknown[]): unknown {
  const byCode = (code: string): unknown =>
    reasons.find((reason) => reason instanceof MeshError && reason.code === code);
  return byCode('REFUSED') ?? byCode('VERSION') ?? reasons[0];
}

async function startInBackground(context: Context, options: JoinOptions): Promise<void> {
  const { home } = context;
  await makeHome(home);
  await clearStartError(home);
  const child = await spawnNode(home, options);
  try {
    const node = await waitForSocket(home, child, options.waitMs + START_MS_MAX);
    await reachPeers(node, options, options.waitMs).catch((error: unknown) => {
      if (options.keepTrying !== true || !isSilence(error)) throw error;
      if (!context.quiet) context.err.line(`${error.message}; the node goes on trying`);
    });
  } catch (error) {
    // A command that failed leaves things as they were: no half-joined node stays behind.
    await endNode(home, child);
    throw (await readStartError(home)) ?? error;
  }
  child.unref();
}

/** Nobody said no: the machine may sleep, or be on its way. */
function isSilence(error: unknown): error is MeshError {
  return error instanceof MeshError && error.code === 'UNREACHABLE';
}

async function makeHome(home: string): Promise<void> {
  try {
    await mkdir(joinPath(home, 'logs'), { recursive: true, mode: 0o700 });
    await chmod(home, 0o700);
  } catch (cause) {
    throw new MeshError('INTERNAL', `cannot write to ${home}`, { hint: '--home DIRECTORY', cause });
  }
}

function logPath(home: string): string {
  return joinPath(home, 'logs', 'node.log');
}

async function spawnNode(home: string, options: JoinOptions): Promise<ChildProcess> {
  const program = process.argv[1];
  if (program === undefined) throw new MeshError('INTERNAL', 'cannot tell how mesh was started');
  const log = await open(logPath(home), 'a', 0o600);
  try {
    const words = [
      'join',
      '--foreground',
      `--home=${home}`,
      ...joinArguments(withoutInvited(options)),
    ];
    const child = spawn(process.execPath, [...PEER_FLAGS, ...process.execArgv, program, ...words], {
      // Its working directory must not keep somebody's disk from being unmounted.
      cwd: home,
      env: { ...process.env, ...PEER_ENVIRONMENT },
      detached: true,
      stdio: ['ignore', log.fd, log.fd],
    });
    child.on('error', () => {});
    return child;
  } finally {
    await log.close();
  }
}

/** With an invite the named peer is dialled by it, and not by the node on its own. */
function withoutInvited(options: JoinOptions): JoinOptions {
  return options.invite === undefined ? options : { ...options, peers: [] };
}

async function waitForSocket(
  home: string,
  child: ChildProcess,
  waitMs: number,
): Promise<ControlClient> {
  let node: ControlClient | undefined;
  const settled = await waitUntil(async () => {
    node = await ControlClient.find(home);
    return node !== undefined || hasEnded(child);
  }, waitMs);
  if (node !== undefined) return node;
  const what = settled
    ? `the node ended at its start (${child.signalCode ?? child.exitCode ?? 'not started'})`
    : 'the node does not answer';
  throw new MeshError('INTERNAL', what, { hint: `tail ${logPath(home)}` });
}

function hasEnded(child: ChildProcess): boolean {
  return child.exitCode !== null || child.signalCode !== null || child.pid === undefined;
}

/** A node that ends by itself is left to it: it still has to write down why. */
async function endNode(home: string, child: ChildProcess): Promise<void> {
  const node = await ControlClient.find(home);
  await node?.stop().catch(() => {});
  if (await waitUntil(() => hasEnded(child), STOP_MS_MAX)) return;
  child.kill('SIGTERM');
  if (!(await waitUntil(() => hasEnded(child), STOP_MS_MAX))) child.kill('SIGKILL');
}
