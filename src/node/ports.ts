// What the control answers need of a running peer, drawn from its daemon: the one place where a command becomes
// a fact, and a fact's outcome an answer.
import { createHash } from 'node:crypto';
import { diskView } from './answers/disk-view.ts';
import type { PeerPorts } from './answers/peer-ports.ts';
import { peersView } from './answers/views.ts';
import type { ConnectView, DiskView, LeaveView } from './control/api.ts';
import type { SubmitRequest } from './control/handlers.ts';
import { resolvePeerView } from './control/selector.ts';
import type { Via } from './control/via.ts';
import type { Daemon, DaemonOptions } from './daemon.ts';
import { MeshError } from './errors.ts';
import { readLog } from './logs/read-log.ts';
import { DEFAULT_KEEP } from './jobs/retention.ts';
import { doorsOf } from './doors.ts';
import { newJobId } from './jobs/job-id.ts';
import { kernelIdOf } from './jobs/kernel-id.ts';
import { IntervalSet } from '../deque/interval-set.ts';
import { MESSAGE_INTERVALS_MAX } from '../stealing/message-parts.ts';
import { type JobId, jobId, type PeerId, peerId } from '../stealing/ids.ts';
import type { PeerFace } from '../stealing/input.ts';
import type { JobHeader, RowBatch } from '../stealing/job.ts';

/** ms between the answer to `stop` or `leave` and the end of the process: the answer has to be out. */
const ANSWER_FIRST_MS = 50;

export function peerPorts(daemon: Daemon, options: DaemonOptions): PeerPorts {
  const { rooms } = daemon;
  return {
    identity: {
      id: rooms.face.peer,
      name: rooms.face.name,
      // The tailnet address may come up later.
      get addr() {
        return rooms.host.self.addr;
      },
      port: rooms.host.self.port,
      version: options.version,
      home: options.home,
    },
    embedded: options.embedded ?? false,
    startedMs: Date.now(),
    coreStatus: () => daemon.core.status(performance.now()),
    disk: () => disk(daemon, options),
    book: (job) => daemon.core.book(job),
    books: () => daemon.core.books(),
    contact: (peer) => rooms.contact(peer),
    submit: (request) => submit(daemon, request),
    runner: (book) => daemon.loader.runner(book.header),
    knownRunner: (job) => daemon.loader.knownRunner(job),
    spec: (header) => rooms.specs.of(header),
    requestRows: (job) => daemon.tell({ kind: 'rowsRequested', job }),
    explain: (job, task) => daemon.core.explain(job, task, performance.now()),
    steals: () => {
      const epochMs = Date.now() - performance.now();
      return daemon.core.steals().map((entry) => ({ ...entry, atMs: epochMs + entry.atMs }));
    },
    drain: (isWanted) => daemon.tell({ kind: 'drainRequested', isWanted }),
    retry: (job) => daemon.tell({ kind: 'retryRequested', job }),
    cancel: (job) => daemon.tell({ kind: 'cancelRequested', job }),
    hasBlob: (sha256) => rooms.blobs.has(sha256),
    putBlob: (sha256, body) => rooms.putBlob(sha256, body),
    connect: (addr, waitMs) => connect(daemon, addr, waitMs),
    key: () => Promise.resolve({ v: 1, ...rooms.key() }),
    doors: doorsOf(daemon, (face) => connected(daemon, face)),
    logs: (query, signal) => readLog(rooms.logFolder, query, signal),
    leave: (timeoutMs) => leave(daemon, timeoutMs),
    stop: () => {
      closeSoon(daemon);
      return Promise.resolve();
    },
  };
}

async function disk({ rooms }: Daemon, options: DaemonOptions): Promise<DiskView> {
  const blobs = await rooms.blobs.list();
  const { bytes, ...usage } = rooms.store.usage();
  return diskView(options.home, {
    ...usage,
    journalBytes: bytes,
    blobBytes: blobs.reduce((sum, blob) => sum + blob.bytes, 0),
    keep: options.keep ?? DEFAULT_KEEP,
  });
}

/** The way of a request to another peer. */
export function viaOf(daemon: Daemon): Via {
  return {
    resolve(name) {
      const status = daemon.core.status(performance.now());
      const { self, peers } = peersView(status, (peer) => daemon.rooms.contact(peer), Date.now());
      const { id } = resolvePeerView(name, peers);
      return id === self ? undefined : id;
    },
    async open(peer, work) {
      try {
        await daemon.rooms.host.ask(peerId(peer), work);
      } catch (cause) {
        if (cause instanceof MeshError) throw cause;
        const isOld = cause instanceof Error && cause.name === 'UnsupportedProtocolError';
        throw isOld
          ? new MeshError('VERSION', 'that peer runs a mesh that answers no others', { cause })
          : new MeshError('UNREACHABLE', `that peer does not answer (${messageOf(cause)})`, {
              hint: 'mesh peers',
              cause,
            });
      }
    },
  };
}

function messageOf(cause: unknown): string {
  return cause instanceof Error ? cause.message : String(cause);
}

async function submit(
  daemon: Daemon,
  request: SubmitRequest,
): Promise<{ job: JobId; copies: number }> {
  const job = newJobId();
  const { spec, datasets, kernel } = request;
  const kernelId = kernelIdOf(kernel, daemon.rooms.face.kernels ?? []);
  if (kernelId === undefined) {
    throw new MeshError('BAD_INPUT', `this node has no kernel called ${kernel}`);
  }
  const specBytes = request.specText === undefined ? undefined : Buffer.from(request.specText);
  if (
    specBytes !== undefined &&
    createHash('sha256').update(specBytes).digest('hex') !== spec.sha256
  ) {
    throw new MeshError('BAD_INPUT', 'the bytes of the spec are not those that its SHA-256 names');
  }
  // The disk writes it while it is compiled.
  const written =
    specBytes === undefined ? undefined : daemon.rooms.blobs.keep(spec.sha256, specBytes);
  written?.catch(() => {});
  const compiled = daemon.loader.runner({ job, spec, datasets }, specBytes);
  const runner = await compiled.catch((cause: unknown) => {
    if (cause instanceof MeshError) throw cause;
    const message = cause instanceof Error ? cause.message : String(cause);
    throw new MeshError('BAD_INPUT', `the job cannot be compiled: ${message}`, { cause });
  });
  const plain: JobHeader = {
    job,
    name: request.name,
    submitter: daemon.rooms.face.peer,
    submittedAt: new Date().toISOString(),
    taskCount: runner.taskCount,
    rowWidth: runner.columns.length,
    kernel: kernelId,
    rateKey: rateKeyOf(kernel, datasets),
    spec,
    datasets,
    priority: request.priority,
    weight: request.weight,
    audit: request.audit === 'none' ? undefined : (request.audit ?? 'sample'),
    onlyPeers: peersNamed(daemon, request.onlyPeers),
    notPeers: peersNamed(daemon, request.notPeers),
    memoryBytes: request.memoryBytes,
    taskTimeoutMs: request.taskTimeoutMs,
    about: request.about === undefined ? undefined : jobId(request.about),
  };
  const found = request.fresh === true ? [] : await knownRowsOf(daemon, plain);
  await written;
  // Every offer of the job names them, and in so many pieces that a message is full the others run again.
  const known = found.slice(0, MESSAGE_INTERVALS_MAX);
  const cached = known.flatMap(({ intervals }) => intervals);
  const header =
    known.length === 0 ? plain : { ...plain, cached: IntervalSet.from(cached).intervals() };
  return { job, copies: await daemon.submit(header, known, specBytes) };
}

/** A job is not refused because old rows could not be read. */
async function knownRowsOf(daemon: Daemon, header: JobHeader): Promise<readonly RowBatch[]> {
  try {
    return await daemon.knownRows.find(header);
  } catch (error) {
    daemon.rooms.log.warn({ err: error, job: header.job }, 'rows of earlier jobs cannot be read');
    return [];
  }
}

/** People name peers; a job names them by id, for names may change. Throws NOT_FOUND. */
function peersNamed(
  daemon: Daemon,
  names: readonly string[] | undefined,
): readonly PeerId[] | undefined {
  if (names === undefined || names.length === 0) return undefined;
  const status = daemon.core.status(performance.now());
  const { peers } = peersView(status, (peer) => daemon.rooms.contact(peer), Date.now());
  return names.map((name) => peerId(resolvePeerView(name, peers).id));
}

/** Jobs of one kernel over the same candles run at one rate. */
function rateKeyOf(kernel: string, datasets: SubmitRequest['datasets']): string {
  return [kernel, ...datasets.map(({ sha256 }) => sha256.slice(0, 16))].join(' ').slice(0, 200);
}

async function connect(daemon: Daemon, addr: string, waitMs: number): Promise<ConnectView> {
  return connected(daemon, await daemon.rooms.join(addr, waitMs));
}

function connected(daemon: Daemon, face: PeerFace): ConnectView {
  const known = daemon.core.status(performance.now()).peers;
  const rttMs = known.find((peer) => peer.face.peer === face.peer)?.rttMs ?? 0;
  const { name, slots } = face;
  return { v: 1, peer: { id: face.peer, name, addr: face.addr, slots, rttMs } };
}

async function leave(daemon: Daemon, timeoutMs: number): Promise<LeaveView> {
  const before = daemon.core.status(performance.now());
  await daemon.leave(timeoutMs);
  const after = daemon.core.status(performance.now());
  const gave = (after.peers[0]?.gave ?? 0) - (before.peers[0]?.gave ?? 0);
  const heirs = after.peers.filter((peer) => !peer.isSelf && peer.state === 'ok');
  closeSoon(daemon);
  return { v: 1, handedOver: gave, heirs: heirs.map((peer) => peer.face.name) };
}

function closeSoon(daemon: Daemon): void {
  setTimeout(() => void daemon.close(), ANSWER_FIRST_MS);
}
