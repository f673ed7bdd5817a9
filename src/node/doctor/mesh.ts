// The mesh as this machine's node sees it: who can be reached and how, versions, names, clocks. A peer's clock is
// asked for through the mesh; half of the round trip is taken off.
import { connect } from 'node:net';
import type { PeersView, PeerView, StatusView } from '../control/api.ts';
import { ControlClient } from '../control/client.ts';
import { failure, type Finding, ok, warning } from './finding.ts';

/** ms. Beyond this "3 s ago" on a screen is wrong; nothing else depends on two clocks. */
const CLOCK_MS_MAX = 2_000;
/** ms. The main thread never computes, so a node that takes this long is starved or swapping. */
const ANSWER_MS_WARN = 250;
/** Asked one by one; a mesh has a handful of peers, and a hundred would make a person wait. */
const CLOCKS_ASKED_MAX = 16;
const CLOCK_PATIENCE_MS = 3_000;
const DIAL_MS = 1_500;

export interface MeshReport {
  readonly status: StatusView;
  readonly peers: PeersView;
  readonly answerMs: number;
  /** Clock of a peer minus ours, ms. */
  readonly clocks: ReadonlyMap<string, number>;
  /** What dialling a peer that is not in good health ends with. */
  readonly dials: ReadonlyMap<string, string>;
}

export async function lookAtMesh(home: string): Promise<MeshReport | undefined> {
  const node = await ControlClient.find(home);
  if (node === undefined) return undefined;
  const beforeMs = performance.now();
  const status = await node.status();
  const answerMs = performance.now() - beforeMs;
  const peers = await node.peers();
  const others = peers.peers.filter(({ id }) => id !== peers.self);
  const live = others.filter(({ state }) => state === 'ok').slice(0, CLOCKS_ASKED_MAX);
  const ill = others.filter(({ state }) => state === 'suspect' || state === 'lost');
  const clocks = await Promise.all(
    live.map(async ({ id }) => [id, await clockOf(home, id)] as const),
  );
  const dials = await Promise.all(ill.map(async (peer) => [peer.id, await dial(peer)] as const));
  return {
    status,
    peers,
    answerMs,
    clocks: new Map(clocks.flatMap(([id, ms]) => (ms === undefined ? [] : [[id, ms]]))),
    dials: new Map(dials),
  };
}

async function clockOf(home: string, peer: string): Promise<number | undefined> {
  try {
    const far = await ControlClient.connect(home, peer);
    const beforeMs = Date.now();
    const late = new Promise<void>((resolve) => {
      setTimeout(resolve, CLOCK_PATIENCE_MS).unref();
    });
    const view = await Promise.race([far.peers(), late]);
    return view === undefined ? undefined : Date.parse(view.at) - (beforeMs + Date.now()) / 2;
  } catch {
    // An older peer, or one that is going: its clock is the smallest of its worries.
    return undefined;
  }
}

/** 'open', or the code of what went wrong. */
export function dial({ addr, port }: Pick<PeerView, 'addr' | 'port'>): Promise<string> {
  return new Promise((resolve) => {
    const socket = connect({ host: addr, port, timeout: DIAL_MS });
    const end = (word: string): void => {
      socket.destroy();
      resolve(word);
    };
    socket.once('connect', () => end('open'));
    socket.once('timeout', () => end('ETIMEDOUT'));
    socket.once('error', (error: NodeJS.ErrnoException) => end(error.code ?? error.message));
  });
}

export function checkMesh(report: MeshReport, platform: NodeJS.Platform): readonly Finding[] {
  const { status, peers, answerMs } = report;
  const ms = `${Math.max(1, Math.round(answerMs))} ms`;
  const kind = status.embedded ? 'a submit is the node' : `node running (pid ${status.self.pid})`;
  const others = peers.peers.filter(({ id }) => id !== peers.self);
  return [
    answerMs > ANSWER_MS_WARN
      ? warning(
          'node',
          `${kind}, answers only after ${ms}`,
          'is the machine out of memory? mesh status',
        )
      : ok('node', `${kind}, answers in ${ms}`),
    ...diskOf(status),
    ...reachable(report, others, platform),
    ...versions(status, others),
    ...kernels(peers),
    ...names(peers),
    ...relays(others),
    ...clockFindings(report, others),
  ];
}

function diskOf({ disk, self }: StatusView): readonly Finding[] {
  return disk.state === 'ok'
    ? []
    : [
        failure(
          'node-disk',
          `the node says that its disk is ${disk.state}`,
          `df -h '${self.home}'`,
        ),
      ];
}

function reachable(
  { dials }: MeshReport,
  others: readonly PeerView[],
  platform: NodeJS.Platform,
): readonly Finding[] {
  if (others.length === 0) {
    return [ok('peers', 'this machine is alone; on the others: mesh join --peer THIS_MACHINE')];
  }
  const ill = others.filter(({ id }) => dials.has(id));
  const good = others.length - ill.length;
  const head = `${good} of ${others.length} ${others.length === 1 ? 'peer' : 'peers'} reachable`;
  return [
    ill.length === 0 ? ok('peers', head) : warning('peers', head, 'mesh peers'),
    ...ill.map((peer) => {
      const place = `${peer.name} (${peer.addr}:${peer.port})`;
      return unreachable({ ...peer, place }, dials.get(peer.id) ?? '', platform);
    }),
  ];
}

/** `word`: what dialling it ended with. */
export function unreachable(
  { name, addr, place }: Pick<PeerView, 'name' | 'addr'> & { readonly place: string },
  word: string,
  platform: NodeJS.Platform,
): Finding {
  if (word === 'EHOSTUNREACH' && platform === 'darwin' && isLocalNetwork(addr)) {
    return failure(
      'local-network',
      `${place}: EHOSTUNREACH; macOS keeps background programs off the local network`,
      `use its Tailscale address (100.x): mesh join --peer ${name}; or allow it in System Settings, Privacy, Local Network`,
    );
  }
  switch (word) {
    case 'open':
      return warning(
        'peer',
        `${place} is up and does not talk to this peer`,
        'mesh doctor, on that machine',
      );
    case 'ECONNREFUSED':
      return warning(
        'peer',
        `${place} is up, mesh does not run there`,
        'mesh join, on that machine',
      );
    case 'ENOTFOUND':
    case 'EAI_AGAIN':
      return warning('peer', `no machine is called ${addr}`, 'its address (100.x) instead');
    default:
      return warning(
        'peer',
        `${place} does not answer (${word}): asleep, off or cut off`,
        'wake it, or forget it',
      );
  }
}

/** RFC 1918 and link-local addresses, to which the macOS rule applies; tailnet addresses are exempt. */
export function isLocalNetwork(addr: string): boolean {
  return /^(10\.|192\.168\.|172\.(1[6-9]|2\d|3[01])\.|169\.254\.|fe80:|f[cd])/i.test(addr);
}

function versions(status: StatusView, others: readonly PeerView[]): readonly Finding[] {
  const own = status.self.version;
  const odd = others.filter(
    ({ version, state }) => state !== 'lost' && version !== '' && version !== own,
  );
  if (odd.length === 0) return others.length === 0 ? [] : [ok('versions', `all run mesh ${own}`)];
  return odd.map((peer) =>
    warning(
      'versions',
      `${peer.name} runs mesh ${peer.version}, this is ${own}`,
      `npm i -g strategy-mesh && mesh leave && mesh join, on the older one`,
    ),
  );
}

/** Rows must not depend on who made them: a peer that computes other ones takes no part in the others' jobs. */
function kernels({ peers, self }: PeersView): readonly Finding[] {
  const own = peers.find(({ id }) => id === self)?.kernels ?? [];
  const odd = peers.filter(
    ({ state, kernels: said }) => state !== 'lost' && said.some((id) => !own.includes(id)),
  );
  return odd.map((peer) =>
    warning(
      'kernels',
      `${peer.name} computes with ${peer.kernels.join(', ')}, this with ${own.join(', ')}: neither runs jobs of the other`,
      'install the same version of mesh on both; when they have it, please report both lines',
    ),
  );
}

/** Screens tell two machines of one name apart by the end of their ids. */
function names({ peers, self }: PeersView): readonly Finding[] {
  const twins = peers.filter(
    ({ id, name, state }) => state !== 'lost' && name.endsWith(`-${id.slice(-4)}`),
  );
  const [first] = twins;
  if (first === undefined || twins.length < 2) return [];
  const bare = first.name.slice(0, -5);
  const mine = twins.some(({ id }) => id === self);
  return [
    warning(
      'names',
      `${twins.length} machines are called ${bare}`,
      `mesh leave && mesh join --name OTHER${mine ? '' : ', on one of them'}`,
    ),
  ];
}

function relays(others: readonly PeerView[]): readonly Finding[] {
  return others
    .filter(({ path, state }) => path === 'relay' && state !== 'lost')
    .map((peer) =>
      warning(
        'relay',
        `${peer.name} is reached through a relay (${Math.round(peer.rttMs)} ms a round trip)`,
        `tailscale ping ${peer.name}`,
      ),
    );
}

function clockFindings({ clocks }: MeshReport, others: readonly PeerView[]): readonly Finding[] {
  const known = others.flatMap(({ id, name }) => {
    const ms = clocks.get(id);
    return ms === undefined ? [] : [{ name, ms }];
  });
  if (known.length === 0) return [];
  const wrong = known.filter(({ ms }) => Math.abs(ms) > CLOCK_MS_MAX);
  const most = Math.max(...known.map(({ ms }) => Math.abs(ms)));
  if (wrong.length === 0)
    return [ok('clocks', `clocks within ${Math.max(1, Math.round(most))} ms`)];
  return wrong.map(({ name, ms }) =>
    warning(
      'clocks',
      `the clock of ${name} is ${spanOf(Math.abs(ms))} ${ms > 0 ? 'ahead' : 'behind'}: times on screens are off (nothing else is)`,
      'sudo sntp -sS time.apple.com (macOS), timedatectl set-ntp true (Linux)',
    ),
  );
}

function spanOf(ms: number): string {
  const hours = ms / 3_600_000;
  if (hours >= 48) return `${(hours / 24).toFixed(1)} days`;
  return hours >= 2 ? `${hours.toFixed(1)} h` : `${(ms / 1000).toFixed(1)} s`;
}
