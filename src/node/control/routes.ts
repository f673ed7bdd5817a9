// Method and path to handler. One table row per verb, so that the whole surface is on one screen:
//
//   GET  /v1/status  /v1/peers  /v1/jobs  /v1/key       POST /v1/jobs  /v1/peers  /v1/leave  /v1/stop
//   POST /v1/peers/{redeem,forget}  /v1/invites  /v1/approvals  /v1/key/{rotate,require}
//   GET  /v1/events  /v1/logs                                     POST /v1/jobs/:job/{cancel,retry,segments}
//   GET  /v1/jobs/:job/{summary,results,failures,events}
//   GET  /v1/jobs/:job/tasks/:task/trades               HEAD, PUT /v1/blobs/:sha256
import { once } from 'node:events';
import type { IncomingMessage, ServerResponse } from 'node:http';
import { MeshError } from '../errors.ts';
import type { StreamEvent } from './api.ts';
import { EventStream } from './event-stream.ts';
import type { ControlHandlers } from './handlers.ts';
import {
  BLOB_BYTES_MAX,
  JSON_BYTES_MAX,
  parseJson,
  readApprove,
  readConnect,
  readForget,
  readInvite,
  readDrain,
  readLeave,
  readLogQuery,
  readObserveOptions,
  readRedeem,
  readResultsQuery,
  readSubmit,
  readSummaryQuery,
  readTask,
  readWatchOptions,
} from './requests.ts';

interface Call {
  readonly handlers: ControlHandlers;
  readonly request: IncomingMessage;
  readonly response: ServerResponse;
  readonly query: URLSearchParams;
  /** What stands at the `:name` places of the path. */
  readonly at: readonly string[];
}

/** Returns the JSON of a 200, or undefined when the handler has answered by itself. */
type Handler = (call: Call) => unknown;

/** Who asks: the user of this home, on its socket, or a member of the mesh, on a stream. */
export type Door = 'home' | 'mesh';

interface Route {
  readonly doors: readonly Door[];
  readonly method: string;
  readonly path: RegExp;
  readonly handle: Handler;
}

const JOB = '/v1/jobs/([^/]{1,600})';

const ROUTES: readonly Route[] = [
  route('GET', '/v1/status', ({ handlers }) => handlers.status()),
  route('GET', '/v1/peers', ({ handlers }) => handlers.peers()),
  route('GET', '/v1/jobs', ({ handlers }) => handlers.jobs()),
  route('GET', '/v1/events', ({ handlers, response, query }) =>
    stream(response, (send) => handlers.observe(readObserveOptions(query), send)),
  ),
  route('GET', '/v1/logs', streamLogs),
  own('GET', '/v1/key', ({ handlers }) => handlers.key()),
  route('POST', '/v1/jobs', async ({ handlers, request }) =>
    handlers.submit(readSubmit(await readJson(request))),
  ),
  own('POST', '/v1/peers', async ({ handlers, request }) => {
    const { addr, waitMs } = readConnect(await readJson(request));
    return handlers.connect(addr, waitMs);
  }),
  own('POST', '/v1/peers/redeem', async ({ handlers, request }) => {
    const { invite, waitMs, addr } = readRedeem(await readJson(request));
    return handlers.redeem(invite, waitMs, addr);
  }),
  own('POST', '/v1/peers/forget', async ({ handlers, request }) =>
    handlers.forget(readForget(await readJson(request)).peer),
  ),
  own('POST', '/v1/invites', async ({ handlers, request }) =>
    handlers.invite(readInvite(await readJson(request)).validMs),
  ),
  own('POST', '/v1/approvals', async ({ handlers, request }) =>
    handlers.approve(readApprove(await readJson(request)).code),
  ),
  own('POST', '/v1/key/rotate', ({ handlers }) => handlers.rotateKey()),
  own('POST', '/v1/key/require', ({ handlers }) => handlers.requireKey()),
  own('POST', '/v1/leave', async ({ handlers, request }) =>
    handlers.leave(readLeave(await readJson(request))),
  ),
  own('POST', '/v1/stop', async ({ handlers }) => {
    await handlers.stop();
    return { v: 1 };
  }),
  route('GET', `${JOB}/summary`, ({ handlers, query, at: [job = ''] }) =>
    handlers.summary(job, readSummaryQuery(query)),
  ),
  route('GET', `${JOB}/results`, ({ handlers, query, at: [job = ''] }) =>
    handlers.results(job, readResultsQuery(query)),
  ),
  route('GET', `${JOB}/events`, ({ handlers, response, query, at: [job = ''] }) =>
    stream(response, (send) => handlers.watch(job, readWatchOptions(query), send)),
  ),
  route('GET', '/v1/steals', ({ handlers }) => handlers.steals()),
  route('POST', '/v1/drain', async ({ handlers, request }) =>
    handlers.drain(readDrain(await readJson(request)).isWanted),
  ),
  route('GET', `${JOB}/failures`, ({ handlers, at: [job = ''] }) => handlers.failures(job)),
  route('POST', `${JOB}/retry`, ({ handlers, at: [job = ''] }) => handlers.retry(job)),
  route('POST', `${JOB}/segments`, ({ handlers, at: [job = ''] }) => handlers.segments(job)),
  route('POST', `${JOB}/cancel`, ({ handlers, at: [job = ''] }) => handlers.cancel(job)),
  route('GET', `${JOB}/tasks/([0-9]{1,10})/explain`, ({ handlers, at: [job = '', task = ''] }) =>
    handlers.explain(job, readTask(task)),
  ),
  route('GET', `${JOB}/tasks/([0-9]{1,10})/trades`, ({ handlers, at: [job = '', task = ''] }) =>
    handlers.trades(job, readTask(task)),
  ),
  route('HEAD', '/v1/blobs/([0-9a-f]{64})', findBlob),
  route('PUT', '/v1/blobs/([0-9a-f]{64})', storeBlob),
];

function route(method: string, path: string, handle: Handler): Route {
  return { doors: ['home', 'mesh'], method, path: new RegExp(`^${path}$`), handle };
}

/** What is this machine's own: no other member may ask for it. */
function own(method: string, path: string, handle: Handler): Route {
  return { ...route(method, path, handle), doors: ['home'] };
}

/** The answer's JSON; undefined: the answer is out already. Throws MeshError. */
export async function answer(
  handlers: ControlHandlers,
  door: Door,
  request: IncomingMessage,
  response: ServerResponse,
): Promise<unknown> {
  const url = URL.parse(request.url ?? '', 'http://mesh');
  if (url === null) throw new MeshError('USAGE', 'bad request: not a path');
  for (const { doors, method, path, handle } of ROUTES) {
    const match = method === request.method ? path.exec(url.pathname) : null;
    if (match === null) continue;
    if (!doors.includes(door)) {
      throw new MeshError('REFUSED', 'that can only be done on the machine itself');
    }
    const at = match.slice(1).map(decodePart);
    return handle({ handlers, request, response, query: url.searchParams, at });
  }
  throw new MeshError('NOT_FOUND', `no ${request.method} ${url.pathname.slice(0, 100)} here`, {
    hint: 'mesh --version, here and in the running node: mesh status',
  });
}

function decodePart(part: string): string {
  try {
    return decodeURIComponent(part);
  } catch (cause) {
    throw new MeshError('USAGE', 'bad request: not a path', { cause });
  }
}

async function stream(
  response: ServerResponse,
  begin: (send: (event: StreamEvent) => void) => (() => void) | Promise<() => void>,
): Promise<void> {
  // The handler may speak before it returns, and its refusal must still become an HTTP status.
  const early: StreamEvent[] = [];
  let stream: EventStream | undefined;
  const stop = await begin((event) => {
    if (stream === undefined) early.push(event);
    else stream.send(event);
  });
  if (response.destroyed) {
    stop();
    return;
  }
  stream = new EventStream(response);
  response.once('close', stop);
  for (const event of early) stream.send(event);
}

/** NDJSON, as it lies on the disk. */
async function streamLogs({ handlers, response, query }: Call): Promise<void> {
  const wanted = readLogQuery(query);
  const gone = new AbortController();
  response.once('close', () => gone.abort());
  response.writeHead(200, { 'content-type': 'application/x-ndjson', 'cache-control': 'no-store' });
  response.flushHeaders();
  for await (const line of handlers.logs(wanted, gone.signal)) {
    if (gone.signal.aborted) return;
    const isSlow = !response.write(`${JSON.stringify(line)}\n`);
    if (isSlow) await Promise.race([once(response, 'drain'), once(response, 'close')]);
  }
  response.end();
}

async function findBlob({ handlers, response, at: [sha256 = ''] }: Call): Promise<void> {
  response.writeHead((await handlers.hasBlob(sha256)) ? 200 : 404).end();
}

async function storeBlob({ handlers, request, at: [sha256 = ''] }: Call): Promise<unknown> {
  if (Number(request.headers['content-length'] ?? 0) > BLOB_BYTES_MAX) throw blobTooLong();
  await handlers.putBlob(sha256, boundedBody(request));
  return { v: 1 };
}

async function* boundedBody(request: IncomingMessage): AsyncGenerator<Uint8Array> {
  let bytes = 0;
  for await (const chunk of request as AsyncIterable<Uint8Array>) {
    bytes += chunk.byteLength;
    if (bytes > BLOB_BYTES_MAX) throw blobTooLong();
    yield chunk;
  }
}

function blobTooLong(): MeshError {
  return new MeshError('BAD_INPUT', `a data file may have at most ${BLOB_BYTES_MAX} bytes`);
}

async function readJson(request: IncomingMessage): Promise<unknown> {
  const chunks: Uint8Array[] = [];
  let bytes = 0;
  for await (const chunk of request as AsyncIterable<Uint8Array>) {
    bytes += chunk.byteLength;
    if (bytes > JSON_BYTES_MAX) throw new MeshError('USAGE', 'bad request: body too long');
    chunks.push(chunk);
  }
  return parseJson(Buffer.concat(chunks).toString('utf8'));
}
