// Opens everything a peer is made of, in order, and closes it in the reverse one: home, identity, key, disk,
// slots, network. daemon.ts connects them; nothing here decides anything.
import { readFile } from 'node:fs/promises';
import { availableParallelism, hostname, totalmem } from 'node:os';
import { dirname } from 'node:path';
import type { Duplex } from 'node:stream';
import { setTimeout as delay } from 'node:timers/promises';
import { type Logger, levels, pino } from 'pino';
import type { PeerId } from '../stealing/ids.ts';
import type { PeerFace } from '../stealing/input.ts';
import type { BlobRef, JobHeader } from '../stealing/job.ts';
import type { Message } from '../stealing/messages.ts';
import type { Contact } from './answers/views.ts';
import { controlSocketPath } from './control/socket.ts';
import { MeshError } from './errors.ts';
import { type RecoveredJob, Recovery } from './jobs/ledger-record.ts';
import { Attached } from './jobs/attached.ts';
import { isSameKernel, kernelIds } from './jobs/kernel-id.ts';
import { LastSpec } from './jobs/last-spec.ts';
import { SharedBlobs } from './jobs/shared-blobs.ts';
import { JobLoader } from './jobs/loader.ts';
import type { Keep } from './jobs/retention.ts';
import { LogFile } from './logs/log-file.ts';
import { Admission } from './net/admission.ts';
import { DEFAULT_PORT, parseEndpoint } from './net/address.ts';
import type { CallingCard } from './net/greeter.ts';
import type { HostOptions } from './net/host-options.ts';
import { MeshHost } from './net/host.ts';
import { loadIdentity } from './net/identity.ts';
import { BlobStore } from './store/blobs.ts';
import { replaceFile } from './store/durable-file.ts';
import { type Home, openHome } from './store/home.ts';
import { Journal } from './store/journal.ts';
import type { Store } from './store/store.ts';
import { memoryBytesOf } from './memory-budget.ts';
import type { Throttle } from './threads/pace.ts';
import { type SlotDeath, SlotPool, type SlotRows } from './threads/pool.ts';

export interface DaemonOptions {
  readonly home: string;
  /** For people; default: the machine's name. */
  readonly name?: string;
  /** Default: one per core. */
  readonly slots?: number;
  /** For candles and what slots compute of them; default: a quarter of the machine's, 4 GiB at most. */
  readonly memoryBytes?: number;
  /** IP or IP:PORT; default: the tailnet address, if there is one, and loopback. */
  readonly listen?: string;
  readonly port?: number;
  /** Ranges beside the tailnet and loopback from which peers may come. */
  readonly allowNets?: readonly string[];
  readonly peers: readonly string[];
  /** How long an embedded peer waits for the first of `peers`, ms. */
  readonly waitMs?: number;
  /** This process is a peer only until its job ends. */
  readonly embedded?: boolean;
  /** For demonstrations: slots pretend to be slower; nobody but the slot knows. */
  readonly throttle?: Throttle;
  /** false: nobody is fed, everything is stolen (for measurements). */
  readonly seeding?: boolean;
  /** How long and how much of what has ended; default: 30 days, 20 GB. */
  readonly keep?: Keep;
  readonly version: string;
  /** Other kernel ids than those of this machine, for tests. */
  readonly kernels?: readonly string[];
}

/** What happens in the rooms, for the daemon to tell the core. */
export interface RoomEvents {
  onRows(rows: SlotRows): void;
  onDry(): void;
  onSlotDied(death: SlotDeath): void;
  onLoadFailed(jobNumber: number, reason: string): void;
  onPeer(face: PeerFace): void;
  onPeerGone(peer: PeerId, refused: boolean): void;
  onMessage(from: PeerId, incarnation: number, message: Message, attachment?: Uint8Array): void;
  onAsk(stream: Duplex): void;
  onBlobSent(to: PeerId, ref: BlobRef, sentBytes: number): void;
  holders(header: JobHeader): readonly PeerId[];
}

export interface Rooms {
  readonly face: PeerFace;
  readonly recovered: readonly RecoveredJob[];
  readonly socketPath: string;
  readonly log: Logger;
  readonly logFolder: string;
  readonly store: Store;
  readonly blobs: BlobStore;
  readonly pool: SlotPool;
  readonly host: MeshHost;
  readonly admission: Admission;
  readonly loader: JobLoader;
  /** What rows of the job may be found by; its file must be on this disk. */
  readonly specs: LastSpec;
  contact(peer: string): Contact | undefined;
  key(): { readonly key: string; readonly fingerprint: string };
  join(addr: string, waitMs: number, card?: CallingCard): Promise<PeerFace>;
  /** Dials the peers that were named; an embedded peer waits for the first. */
  reachPeers(options: DaemonOptions): Promise<void>;
  putBlob: BlobStore['write'];
  /** A spec that rode with an offer; found at once by whoever loads that job. */
  keepAttached(bytes: Uint8Array): void;
  close(): Promise<void>;
}

/** ms between two tries of an address that was named and did not answer. */
const NAMED_PEER_RETRY_MS = 2_000;
/** ms that an embedded peer gives the members it knows before it starts alone. */
const MEMBERS_PATIENCE_MS = 1_500;

export async function openRooms(options: DaemonOptions, events: RoomEvents): Promise<Rooms> {
  const home = await openHome(options.home);
  try {
    return await openInside(home, options, events);
  } catch (error) {
    await home.release();
    throw error;
  }
}

async function openInside(home: Home, options: DaemonOptions, events: RoomEvents): Promise<Rooms> {
  const log = openLog(home.log);
  const identity = await loadIdentity(home.identity);
  const admission = await Admission.open(home.directory);
  const disk = await openDisk(home, log);
  const face = await ownFace(home, options);
  const pool = openSlots(face.slots, options, events);
  const firstPeer = new Gate();
  /** Where peers were when they were here last: lost ones are shown too. */
  const met = new Map<string, Contact>();
  const host = await startHost(options, {
    privateKey: identity.privateKey,
    face,
    version: options.version,
    membersFile: home.members,
    admission,
    ...(options.allowNets === undefined ? {} : { allowNets: options.allowNets }),
    blobs: {
      size: (sha256) => disk.blobs.size(sha256),
      read: (sha256, offset, length) => disk.blobs.readRange(sha256, offset, length),
    },
    onPeer: ({ port, version, path, ...peerFace }) => {
      const { peer, addr } = peerFace;
      met.set(peer, { addr, port, version, path, sinceMs: Date.now() });
      if (!isSameKernel(face.kernels, peerFace.kernels)) warnOfKernel(log, face.kernels, peerFace);
      events.onPeer(peerFace);
      firstPeer.open();
    },
    onPeerGone: (peer, refused) => events.onPeerGone(peer, refused),
    onAsk: (stream) => events.onAsk(stream),
    onBlobSent: (to, ref, sentBytes) => events.onBlobSent(to, ref, sentBytes),
    onMessage: (from, incarnation, message, attachment) =>
      events.onMessage(from, incarnation, message, attachment),
    log,
  }).catch(async (error: unknown) => {
    await Promise.all([pool.close(), disk.store.close()]);
    throw error;
  });
  const { store, blobs } = disk;
  const attached = new Attached(blobs);
  const specs = new LastSpec(blobs);
  return {
    face: { peer: identity.id, addr: host.self.addr, ...face },
    recovered: disk.recovered,
    socketPath: controlSocketPath(home.directory),
    log,
    logFolder: dirname(home.log),
    store,
    blobs,
    pool,
    host,
    admission,
    loader: openLoader(
      { options, kernels: face.kernels, host, blobs, specs, pool, attached },
      events,
    ),
    specs,
    contact: (peer) => contactOf(host, options.version, peer) ?? met.get(peer),
    key: () => ({ key: admission.key.line, fingerprint: admission.key.fingerprint }),
    join: (addr, waitMs, card) => joinWithin(host, addr, { waitMs, card }),
    reachPeers: (wish) => reachPeers(host, firstPeer, wish),
    putBlob: (sha256, body) => blobs.write(sha256, body),
    keepAttached: (bytes) => attached.keep(bytes),
    close: async () => {
      await pool.close();
      await host.close();
      await store.close();
      await home.release();
    },
  };
}

/** An embedded peer lives for one job and dials everybody itself: any port will do when the usual is taken. */
async function startHost(
  options: DaemonOptions,
  rest: Omit<HostOptions, 'listen'>,
): Promise<MeshHost> {
  const listen = listenWish(options);
  try {
    return await MeshHost.start({ ...rest, listen });
  } catch (error) {
    const isTaken = error instanceof MeshError && error.code === 'ADDRESS_IN_USE';
    const mayMove = options.embedded === true && options.port === undefined;
    if (!isTaken || !mayMove) throw error;
    return MeshHost.start({ ...rest, listen: { ...listen, port: 0 } });
  }
}

function openLog(path: string): Logger {
  const level = process.env['MESH_LOG_LEVEL'] ?? 'info';
  return pino(
    { base: null, level: level in levels.values ? level : 'info' },
    new LogFile(dirname(path)),
  );
}

async function openDisk(
  home: Home,
  log: Logger,
): Promise<{ store: Store; blobs: BlobStore; recovered: RecoveredJob[] }> {
  const blobs = await BlobStore.open(home.blobs);
  const recovery = new Recovery();
  const store = await Journal.open(home.journal, {
    visit: ({ key, payload }) => recovery.add(key, payload),
  });
  const { unreadable } = recovery;
  if (unreadable > 0) log.warn({ records: unreadable }, 'records that this version cannot read');
  const { damaged } = store.usage();
  if (damaged.length > 0) log.error({ damaged }, 'the journal is damaged; other disks have copies');
  return { store, blobs, recovered: recovery.jobs() };
}

function openSlots(slots: number, options: DaemonOptions, events: RoomEvents): SlotPool {
  return SlotPool.start({
    slots,
    memoryBytes: memoryBytesOf(options),
    ...(options.throttle === undefined ? {} : { throttle: options.throttle }),
    onRows: (rows) => events.onRows(rows),
    onDry: () => events.onDry(),
    onSlotDied: (death) => events.onSlotDied(death),
    onLoadFailed: (jobNumber, reason) => events.onLoadFailed(jobNumber, reason),
  });
}

async function ownFace(home: Home, options: DaemonOptions) {
  return {
    name: options.name ?? machineName(),
    slots: options.slots ?? availableParallelism(),
    incarnation: await nextIncarnation(home.incarnation),
    kernels: options.kernels ?? kernelIds(),
  };
}

function warnOfKernel(log: Logger, here: readonly string[], met: PeerFace): void {
  const { peer, name, kernels } = met;
  const fields = { peer, name, here, there: kernels };
  log.warn(fields, 'a peer computes with another kernel: jobs run only where it is the same');
}

interface LoaderRooms {
  readonly kernels: readonly string[];
  readonly host: MeshHost;
  readonly blobs: BlobStore;
  readonly specs: LastSpec;
  readonly pool: SlotPool;
  readonly attached: Attached;
  readonly options: DaemonOptions;
}

function openLoader(rooms: LoaderRooms, events: RoomEvents): JobLoader {
  const { options, kernels, host, blobs, pool, attached, specs } = rooms;
  const shared = new SharedBlobs(blobs);
  return new JobLoader({
    kernels,
    memoryBytes: memoryBytesOf(options),
    blobs: {
      has: (sha256) => attached.has(sha256),
      read: (sha256) => blobs.read(sha256),
      readShared: (sha256) => shared.readShared(sha256),
    },
    holders: (header) => events.holders(header),
    fetchBlob: async (blob, from, signal) => {
      const sink = await blobs.download(blob.sha256);
      await host.fetchBlob(blob, from, sink, signal);
      if (!(await blobs.finish(blob.sha256))) throw new Error('a peer sent another blob');
    },
    readSpec: (sha256, bytes) => specs.read(sha256, bytes),
    machineBytes: totalmem(),
    loadSlots: (job) => pool.load(job),
  });
}

/** Rises with every start, whatever the wall clock does. */
async function nextIncarnation(path: string): Promise<number> {
  const text = await readFile(path, 'utf8').catch(() => '0');
  const last = Number.parseInt(text, 10);
  const incarnation = Math.max(Number.isSafeInteger(last) ? last + 1 : 1, Date.now());
  await replaceFile(path, `${incarnation}\n`);
  return incarnation;
}

function listenWish({ listen, port }: DaemonOptions): { ip?: string; port: number } {
  const wished = port ?? DEFAULT_PORT;
  if (listen === undefined) return { port: wished };
  const endpoint = parseEndpoint(listen);
  if (endpoint === undefined) {
    throw new MeshError('USAGE', `--listen must be IP or IP:PORT, not "${listen.slice(0, 60)}"`);
  }
  // A port of its own in --listen wins over the default, --port over both.
  const hasPort = /(\]|^[^:]*):\d+$/.test(listen);
  return { ip: endpoint.ip, port: port ?? (hasPort ? endpoint.port : DEFAULT_PORT) };
}

function contactOf(host: MeshHost, version: string, peer: string): Contact | undefined {
  const { id, addr, port } = host.self;
  if (peer === id) return { addr, port, version, path: 'direct', sinceMs: performance.timeOrigin };
  const known = host.peers().find((candidate) => candidate.peer === peer);
  if (known === undefined) return undefined;
  return {
    addr: known.addr,
    port: known.port,
    version: known.version,
    path: known.path,
    sinceMs: Date.parse(known.since),
  };
}

async function joinWithin(
  host: MeshHost,
  addr: string,
  { waitMs, card }: { waitMs: number; card: CallingCard | undefined },
): Promise<PeerFace> {
  const giveUpMs = performance.now() + waitMs;
  for (;;) {
    const leftMs = Math.max(1, Math.ceil(giveUpMs - performance.now()));
    try {
      return await host.join(addr, { signal: AbortSignal.timeout(leftMs), card });
    } catch (error) {
      if (!isSilence(error) || performance.now() + NAMED_PEER_RETRY_MS >= giveUpMs) {
        throw isTimeout(error) ? silent(addr, error) : error;
      }
      await delay(NAMED_PEER_RETRY_MS / 4);
    }
  }
}

/** Nobody answered: another try may find the machine awake. */
function isSilence(error: unknown): boolean {
  return isTimeout(error) || (error instanceof MeshError && error.code === 'UNREACHABLE');
}

function isTimeout(error: unknown): boolean {
  return error instanceof Error && (error.name === 'TimeoutError' || error.name === 'AbortError');
}

function silent(addr: string, cause: unknown): MeshError {
  return new MeshError('UNREACHABLE', `${addr} did not answer in time`, {
    hint: 'on that machine: mesh status (or: mesh join)',
    cause,
  });
}

async function reachPeers(host: MeshHost, firstPeer: Gate, wish: DaemonOptions): Promise<void> {
  for (const addr of wish.peers) void keepDialling(host, addr);
  if (wish.embedded !== true) return;
  const patienceMs = wish.peers.length > 0 ? (wish.waitMs ?? 15_000) : MEMBERS_PATIENCE_MS;
  if (wish.peers.length === 0 && host.members().length === 0) return;
  await Promise.race([firstPeer.opened, delay(patienceMs, undefined, { ref: false })]);
}

/** A machine that was named may be asleep: it is dialled until it answers, or says no. */
async function keepDialling(host: MeshHost, addr: string): Promise<void> {
  for (;;) {
    try {
      await host.join(addr, { signal: AbortSignal.timeout(NAMED_PEER_RETRY_MS * 2) });
      return;
    } catch (error) {
      if (!isSilence(error)) return;
    }
    await delay(NAMED_PEER_RETRY_MS, undefined, { ref: false });
  }
}

/** Opens once. */
class Gate {
  readonly opened: Promise<void>;
  open: () => void = () => {};

  constructor() {
    this.opened = new Promise((resolve) => {
      this.open = resolve;
    });
  }
}

/** The name a machine has when nobody gave it one. */
function machineName(): string {
  return hostname().split('.')[0]?.toLowerCase() || 'peer';
}
