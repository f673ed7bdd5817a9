// The peer's control socket: HTTP on a Unix socket that only the owner of the home can open (directory 0700,
// socket 0600). A socket left behind by a killed peer is taken over; one that somebody listens on is not.
import { chmod, lstat, mkdir, rm } from 'node:fs/promises';
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import { dirname } from 'node:path';
import { userInfo } from 'node:os';
import type { Duplex } from 'node:stream';
import { EXIT_CODES, type ErrorCode, MeshError } from '../errors.ts';
import { type ErrorBody, VERSION_HEADER, VIA_HEADER } from './api.ts';
import type { ControlHandlers } from './handlers.ts';
import { answer, type Door } from './routes.ts';
import { probeSocket } from './socket.ts';
import { forward, type Via } from './via.ts';

/** Every watcher and every script in a loop holds one; beyond this something leaks. */
const CONNECTIONS_MAX = 512;

/** HTTP statuses are for curl; a client of ours reads the code in the body. */
const HTTP_STATUS: Readonly<Partial<Record<ErrorCode, number>>> = {
  USAGE: 400,
  BAD_INPUT: 422,
  REFUSED: 403,
  NOT_FOUND: 404,
  TIMEOUT: 504,
  UNREACHABLE: 502,
  VERSION: 505,
  DISK: 507,
};

export interface ControlServerOptions {
  readonly socketPath: string;
  readonly handlers: ControlHandlers;
  readonly version: string;
  /** The way to other peers; without it a request for another one is refused. */
  readonly via?: Via;
  /** Told about every failure that is a bug of ours rather than the caller's mistake. */
  readonly onFault?: (error: unknown) => void;
}

export class ControlServer {
  readonly #server: Server;
  /** Never listens: members come on streams of the mesh. */
  readonly #forMembers: Server;
  readonly #socketPath: string;

  private constructor(server: Server, forMembers: Server, socketPath: string) {
    this.#server = server;
    this.#forMembers = forMembers;
    this.#socketPath = socketPath;
  }

  /** Throws ALREADY_RUNNING when another process answers on the socket. */
  static async start(options: ControlServerOptions): Promise<ControlServer> {
    const { socketPath } = options;
    await claimPath(socketPath);
    const server = createServer((request, response) => {
      void respond(options, 'home', request, response);
    });
    const forMembers = createServer((request, response) => {
      void respond(options, 'mesh', request, response);
    });
    server.maxConnections = CONNECTIONS_MAX;
    await new Promise<void>((listening, reject) => {
      server.once('error', reject);
      server.listen(socketPath, () => {
        server.off('error', reject);
        listening();
      });
    });
    await chmod(socketPath, 0o600);
    return new ControlServer(server, forMembers, socketPath);
  }

  /** Answers what a member of the mesh asks on a stream of its own. */
  answerMember(stream: Duplex): void {
    this.#forMembers.emit('connection', stream);
  }

  /** Lets answers that are under way finish, cuts event streams, removes the socket. */
  async close({ graceMs = 500 }: { graceMs?: number } = {}): Promise<void> {
    const closed = new Promise<void>((done) => {
      this.#server.close(() => done());
    });
    this.#server.closeIdleConnections();
    this.#forMembers.closeAllConnections();
    const cut = setTimeout(() => this.#server.closeAllConnections(), graceMs);
    await closed;
    clearTimeout(cut);
    await rm(this.#socketPath, { force: true });
  }
}

async function claimPath(socketPath: string): Promise<void> {
  const directory = dirname(socketPath);
  await mkdir(directory, { recursive: true, mode: 0o700 });
  // The short path for a long home lies in a directory that everybody may write to.
  const { uid } = await lstat(directory);
  if (uid !== userInfo().uid) {
    throw new MeshError('INTERNAL', `${directory} belongs to another user`);
  }
  await chmod(directory, 0o700);
  const state = await probeSocket(socketPath);
  if (state === 'live') {
    throw new MeshError('ALREADY_RUNNING', 'a mesh node runs in this home already', {
      hint: 'mesh status',
    });
  }
  if (state === 'stale') await rm(socketPath, { force: true });
}

async function respond(
  options: ControlServerOptions,
  door: Door,
  request: IncomingMessage,
  response: ServerResponse,
): Promise<void> {
  response.setHeader(VERSION_HEADER, options.version);
  response.on('error', () => response.destroy());
  try {
    const other = door === 'home' ? otherPeer(options.via, request) : undefined;
    if (other !== undefined) {
      await forward(other.via, other.peer, request, response);
      return;
    }
    const body = await answer(options.handlers, door, request, response);
    if (body !== undefined) sendJson(response, 200, body);
  } catch (error) {
    if (!(error instanceof MeshError)) options.onFault?.(error);
    if (response.headersSent) response.destroy();
    else sendError(request, response, error);
  }
}

/** Who shall answer instead of this peer. */
function otherPeer(
  via: Via | undefined,
  request: IncomingMessage,
): { via: Via; peer: string } | undefined {
  const name = request.headers[VIA_HEADER];
  if (typeof name !== 'string') return undefined;
  const text = decodeName(name);
  if (via === undefined) throw new MeshError('USAGE', `no way from here to ${text.slice(0, 60)}`);
  const peer = via.resolve(text);
  return peer === undefined ? undefined : { via, peer };
}

function decodeName(text: string): string {
  try {
    return decodeURIComponent(text);
  } catch (cause) {
    throw new MeshError('USAGE', 'bad request: the name of a peer', { cause });
  }
}

function sendError(request: IncomingMessage, response: ServerResponse, error: unknown): void {
  // What is left of a refused upload is not read: the connection ends with the answer.
  if (!request.complete) response.setHeader('connection', 'close');
  const known = error instanceof MeshError ? error : undefined;
  const code = known?.code ?? 'INTERNAL';
  const message = error instanceof Error ? error.message : 'unexpected error';
  const body: ErrorBody = {
    error: { code, message, hint: known?.hint ?? null, exit: EXIT_CODES[code] },
  };
  sendJson(response, HTTP_STATUS[code] ?? 500, body);
}

function sendJson(response: ServerResponse, status: number, body: unknown): void {
  const text = JSON.stringify(body);
  response.writeHead(status, {
    'content-type': 'application/json',
    'content-length': Buffer.byteLength(text),
  });
  response.end(text);
}
