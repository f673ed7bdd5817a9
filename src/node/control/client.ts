// The other end of the control socket: the same handlers, for whoever is not the daemon. Loads nothing but
// node:http, because `mesh peers` spends most of its time starting up.
import type { IncomingMessage, OutgoingHttpHeaders } from 'node:http';
import { createInterface } from 'node:readline';
import { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { EXIT_CODES, type ErrorCode, MeshError } from '../errors.ts';
import {
  type ApprovalView,
  type BrokenEvent,
  type CancelView,
  type ConnectView,
  type ForgetView,
  type InviteView,
  type ErrorBody,
  type JobEvent,
  type JobsView,
  type JobSummary,
  type KeyView,
  type LeaveView,
  type PeersView,
  type RekeyView,
  type ResultsView,
  type SnapshotEvent,
  type StatusView,
  type StreamEvent,
  type SubmitView,
  type TradesView,
  VERSION_HEADER,
  VIA_HEADER,
} from './api.ts';
import type { DrainView, ExplainView, StealLogView } from './placement-api.ts';
import { EventDecoder } from './event-codec.ts';
import type {
  ControlHandlers,
  ObserveOptions,
  ResultsQuery,
  SubmitRequest,
  SummaryQuery,
  WatchOptions,
} from './handlers.ts';
import { type LogLine, type LogQuery, parseLogLine } from '../logs/log-line.ts';
import type { RowFilter } from './row-query.ts';
import { controlSocketPath, probeSocket } from './socket.ts';
import type { FailuresView, RetryView } from './failure-api.ts';
import type { SegmentsView } from './segments-api.ts';

// An import from an ES module would read all exports of node:http, and one of them loads a whole second HTTP client.
const { request: httpRequest } = process.getBuiltinModule('node:http');

/** Bytes of one JSON answer: the rows of a million tasks are about 300 MB; above this, use the event stream. */
const ANSWER_BYTES_MAX = 2 ** 29;

/** ms. The node's main thread never computes, so it answers in milliseconds, on a crowded machine in tens of them.
 * More: a person waits longer for the news that its process is stopped; less: swapping looks like that. */
const ANSWER_MS_MAX = 5_000;

interface Call {
  readonly method: 'GET' | 'HEAD' | 'POST' | 'PUT';
  readonly path: string;
  readonly body?: unknown;
  readonly stream?: AsyncIterable<Uint8Array>;
  /** ms until the answer begins; 0: however long it takes to reach disks and peers, or to read a million rows. */
  readonly patienceMs?: number;
}

export class ControlClient implements ControlHandlers {
  readonly #socketPath: string;
  readonly #via: string | undefined;
  /** Version of the peer that gave the last answer; undefined before the first. */
  peerVersion: string | undefined;

  private constructor(socketPath: string, via: string | undefined) {
    this.#socketPath = socketPath;
    this.#via = via;
  }

  /** `via`: a peer of the mesh that answers instead, by name, address or id. Throws NO_NODE when no peer runs in
   * `home`. */
  static async connect(home: string, via?: string): Promise<ControlClient> {
    const client = await ControlClient.find(home, via);
    if (client === undefined) throw noNode();
    return client;
  }

  /** Undefined when no peer runs in `home`. */
  static async find(home: string, via?: string): Promise<ControlClient | undefined> {
    const socketPath = controlSocketPath(home);
    const isLive = (await probeSocket(socketPath)) === 'live';
    return isLive ? new ControlClient(socketPath, via) : undefined;
  }

  status(): Promise<StatusView> {
    return this.#json({ method: 'GET', path: '/v1/status' });
  }

  peers(): Promise<PeersView> {
    return this.#json({ method: 'GET', path: '/v1/peers' });
  }

  jobs(): Promise<JobsView> {
    return this.#json({ method: 'GET', path: '/v1/jobs' });
  }

  key(): Promise<KeyView> {
    return this.#json({ method: 'GET', path: '/v1/key' });
  }

  async hasBlob(sha256: string): Promise<boolean> {
    const response = await this.#send({ method: 'HEAD', path: `/v1/blobs/${sha256}` });
    response.resume();
    return response.statusCode === 200;
  }

  async putBlob(sha256: string, body: AsyncIterable<Uint8Array>): Promise<void> {
    await this.#json({ method: 'PUT', path: `/v1/blobs/${sha256}`, stream: body, patienceMs: 0 });
  }

  submit(request: SubmitRequest): Promise<SubmitView> {
    return this.#json({ method: 'POST', path: '/v1/jobs', body: request, patienceMs: 0 });
  }

  summary(job: string, { top, sort, where }: SummaryQuery): Promise<JobSummary> {
    const path = `${jobPath(job)}/summary${query({ top, sort, where: filterText(where) })}`;
    return this.#json({ method: 'GET', path, patienceMs: 0 });
  }

  results(job: string, { where, ...rest }: ResultsQuery): Promise<ResultsView> {
    const search = query({ ...rest, where: filterText(where) });
    return this.#json({ method: 'GET', path: `${jobPath(job)}/results${search}`, patienceMs: 0 });
  }

  async *logs(wanted: LogQuery, signal?: AbortSignal): AsyncGenerator<LogLine> {
    const path = `/v1/logs${query({ ...wanted })}`;
    const response = await this.#send({ method: 'GET', path, patienceMs: 0 });
    if (response.statusCode !== 200) throw await readError(response);
    const stop = (): void => void response.destroy();
    signal?.addEventListener('abort', stop, { once: true });
    try {
      for await (const text of createInterface({ input: response, crlfDelay: Infinity })) {
        const line = parseLogLine(text);
        if (line !== undefined) yield line;
      }
    } catch (error) {
      if (signal?.aborted !== true) throw error;
    } finally {
      signal?.removeEventListener('abort', stop);
      response.destroy();
    }
  }

  trades(job: string, task: number): Promise<TradesView> {
    const path = `${jobPath(job)}/tasks/${task}/trades`;
    return this.#json({ method: 'GET', path, patienceMs: 0 });
  }

  explain(job: string, task: number): Promise<ExplainView> {
    return this.#json({ method: 'GET', path: `${jobPath(job)}/tasks/${task}/explain` });
  }

  steals(): Promise<StealLogView> {
    return this.#json({ method: 'GET', path: '/v1/steals' });
  }

  drain(isWanted: boolean): Promise<DrainView> {
    return this.#json({ method: 'POST', path: '/v1/drain', body: { isWanted } });
  }

  failures(job: string): Promise<FailuresView> {
    return this.#json({ method: 'GET', path: `${jobPath(job)}/failures`, patienceMs: 0 });
  }

  retry(job: string): Promise<RetryView> {
    return this.#json({ method: 'POST', path: `${jobPath(job)}/retry`, patienceMs: 0 });
  }

  segments(job: string): Promise<SegmentsView> {
    return this.#json({ method: 'POST', path: `${jobPath(job)}/segments`, patienceMs: 0 });
  }

  cancel(job: string): Promise<CancelView> {
    return this.#json({ method: 'POST', path: `${jobPath(job)}/cancel` });
  }

  connect(addr: string, waitMs: number): Promise<ConnectView> {
    const body = { addr, waitMs };
    return this.#json({
      method: 'POST',
      path: '/v1/peers',
      body,
      patienceMs: waitMs + ANSWER_MS_MAX,
    });
  }

  redeem(invite: string, waitMs: number, addr?: string): Promise<ConnectView> {
    const patienceMs = waitMs + ANSWER_MS_MAX;
    const body = { invite, waitMs, addr };
    return this.#json({ method: 'POST', path: '/v1/peers/redeem', body, patienceMs });
  }

  forget(peer: string): Promise<ForgetView> {
    return this.#json({ method: 'POST', path: '/v1/peers/forget', body: { peer } });
  }

  invite(validMs: number): Promise<InviteView> {
    return this.#json({ method: 'POST', path: '/v1/invites', body: { validMs } });
  }

  approve(code: string): Promise<ApprovalView> {
    return this.#json({ method: 'POST', path: '/v1/approvals', body: { code } });
  }

  rotateKey(): Promise<RekeyView> {
    return this.#json({ method: 'POST', path: '/v1/key/rotate', body: {} });
  }

  requireKey(): Promise<RekeyView> {
    return this.#json({ method: 'POST', path: '/v1/key/require', body: {} });
  }

  leave(options: { timeoutMs: number }): Promise<LeaveView> {
    const patienceMs = options.timeoutMs + ANSWER_MS_MAX;
    return this.#json({ method: 'POST', path: '/v1/leave', body: options, patienceMs });
  }

  async stop(): Promise<void> {
    await this.#json({ method: 'POST', path: '/v1/stop', body: {} });
  }

  async watch(
    job: string,
    options: WatchOptions,
    listener: (event: JobEvent) => void,
  ): Promise<() => void> {
    return this.#stream(
      `${jobPath(job)}/events${query({ ...options, where: filterText(options.where) })}`,
      (event) => {
        if (event.kind !== 'snapshot') listener(event);
      },
    );
  }

  observe(
    options: ObserveOptions,
    listener: (event: SnapshotEvent | BrokenEvent) => void,
  ): Promise<() => void> {
    return this.#stream(`/v1/events${query({ ...options })}`, (event) => {
      if (event.kind === 'snapshot' || event.kind === 'broken') listener(event);
    });
  }

  /** Returns how to stop. */
  async #stream(path: string, listener: (event: StreamEvent) => void): Promise<() => void> {
    const response = await this.#send({ method: 'GET', path });
    if (response.statusCode !== 200) throw await readError(response);
    const stopped = new AbortController();
    void follow(response, stopped.signal, listener);
    return () => {
      stopped.abort();
      response.destroy();
    };
  }

  async #json<T>(call: Call): Promise<T> {
    const response = await this.#send(call);
    if (response.statusCode !== 200) throw await readError(response);
    return JSON.parse(await readText(response)) as T;
  }

  async #send(call: Call): Promise<IncomingMessage> {
    const text = call.body === undefined ? undefined : JSON.stringify(call.body);
    const headers: OutgoingHttpHeaders =
      text === undefined
        ? {}
        : { 'content-type': 'application/json', 'content-length': Buffer.byteLength(text) };
    if (this.#via !== undefined) headers[VIA_HEADER] = encodeURIComponent(this.#via);
    const { method, path } = call;
    // Without a servername Node asks whether "localhost" is an IPv6 address: compiling that pattern takes some 5 ms.
    const options = { socketPath: this.#socketPath, method, path, headers, servername: '' };
    const request = httpRequest(options);
    const { patienceMs = ANSWER_MS_MAX } = call;
    request.setTimeout(patienceMs, () => request.destroy(noAnswer(patienceMs)));
    const answered = new Promise<IncomingMessage>((settle, reject) => {
      request.once('response', settle);
      request.on('error', (cause) => reject(sendFailed(cause)));
    });
    if (call.stream === undefined) request.end(text);
    else {
      // A refusal arrives while the body is still being sent; the answer says why, the broken pipe does not.
      pipeline(Readable.from(call.stream, { objectMode: false }), request).catch(() => {});
    }
    const response = await answered;
    // A stream of events may be silent for as long as nothing happens.
    request.setTimeout(0);
    this.peerVersion = response.headers[VERSION_HEADER]?.toString();
    return response;
  }
}

async function follow(
  response: IncomingMessage,
  stopped: AbortSignal,
  listener: (event: StreamEvent) => void,
): Promise<void> {
  const decoder = new EventDecoder();
  let ended = false;
  let reason = 'the node stopped';
  try {
    for await (const chunk of response as AsyncIterable<Uint8Array>) {
      for (const event of decoder.push(chunk)) {
        if (stopped.aborted) return;
        ended ||= event.kind === 'ended';
        listener(event);
      }
    }
  } catch (error) {
    // A stopped watcher ends here as ECONNRESET: the signal tells it apart, the error does not.
    if (stopped.aborted) return;
    reason = error instanceof Error ? error.message : reason;
  }
  if (!ended && !stopped.aborted) listener({ kind: 'broken', reason });
}

function jobPath(job: string): string {
  return `/v1/jobs/${encodeURIComponent(job)}`;
}

function filterText(where: readonly RowFilter[] | undefined): string | undefined {
  return where === undefined ? undefined : JSON.stringify(where);
}

function query(values: Readonly<Record<string, string | number | boolean | undefined>>): string {
  const search = new URLSearchParams();
  for (const [name, value] of Object.entries(values)) {
    if (value !== undefined) search.set(name, String(value));
  }
  return `?${search.toString()}`;
}

async function readText(response: IncomingMessage): Promise<string> {
  const chunks: Uint8Array[] = [];
  let bytes = 0;
  for await (const chunk of response as AsyncIterable<Uint8Array>) {
    bytes += chunk.byteLength;
    if (bytes > ANSWER_BYTES_MAX) throw new MeshError('INTERNAL', 'the answer is too long');
    chunks.push(chunk);
  }
  return Buffer.concat(chunks).toString('utf8');
}

async function readError(response: IncomingMessage): Promise<MeshError> {
  const text = await readText(response);
  try {
    const { error } = JSON.parse(text) as ErrorBody;
    const code = Object.hasOwn(EXIT_CODES, error.code) ? (error.code as ErrorCode) : 'INTERNAL';
    return new MeshError(code, error.message, error.hint === null ? {} : { hint: error.hint });
  } catch (cause) {
    return new MeshError('INTERNAL', `the node answered ${response.statusCode}`, { cause });
  }
}

function noAnswer(patienceMs: number): MeshError {
  const seconds = Math.round(patienceMs / 1000);
  return new MeshError('UNREACHABLE', `the node on this machine does not answer for ${seconds} s`, {
    hint: 'is its process stopped? kill it, then: mesh join',
  });
}

function sendFailed(cause: Error): MeshError {
  if (cause instanceof MeshError) return cause;
  const { code } = cause as NodeJS.ErrnoException;
  if (code === 'ENOENT' || code === 'ECONNREFUSED') return noNode();
  return new MeshError('UNREACHABLE', `the node stopped answering (${cause.message})`, {
    hint: 'mesh status',
    cause,
  });
}

function noNode(): MeshError {
  return new MeshError('NO_NODE', 'no mesh node runs on this machine', { hint: 'mesh join' });
}
