// A daemon without its command line tool, asked over its socket: a small server that answers as Tailscale's does.
import { once } from 'node:events';
import { mkdtemp, rm } from 'node:fs/promises';
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { TailscaleLocalApi } from '../../../src/node/net/tailscale-local-api.ts';
import { TailscaleTool } from '../../../src/node/net/tailscale-tool.ts';
import { Tailscale } from '../../../src/node/net/tailscale.ts';

const STATUS = {
  BackendState: 'Running',
  Self: { UserID: 1 },
  User: { 1: { LoginName: 'me@example.com' } },
  Peer: {},
};
const WHOIS = { Node: { StableID: 'n1' }, UserProfile: { LoginName: 'me@example.com' } };

let directory: string;
let socket: string;
let server: Server | undefined;

beforeEach(async () => {
  directory = await mkdtemp(join(tmpdir(), 'mesh-localapi-'));
  socket = join(directory, 'tailscaled.sock');
});

afterEach(async () => {
  server?.closeAllConnections();
  server?.close();
  server = undefined;
  await rm(directory, { recursive: true });
});

async function serve(
  answer: (request: IncomingMessage, response: ServerResponse) => void,
): Promise<Tailscale> {
  server = createServer(answer).listen(socket);
  await once(server, 'listening');
  const noTool = new TailscaleTool('', []);
  const none = join(directory, 'none.sock');
  return new Tailscale([noTool, new TailscaleLocalApi([none, socket])]);
}

/** As tailscaled: only for its own name, and never from a page. */
function answerLikeTheDaemon(request: IncomingMessage, response: ServerResponse): void {
  const { host, referer, origin } = request.headers;
  if (host !== 'local-tailscaled.sock' || referer !== undefined || origin !== undefined) {
    response.writeHead(403).end();
    return;
  }
  const { pathname, searchParams } = new URL(request.url ?? '', 'http://x');
  const isKnown = searchParams.get('addr') === '100.118.215.73:51000';
  if (pathname === '/localapi/v0/status') response.end(JSON.stringify(STATUS));
  else if (pathname === '/localapi/v0/whois' && isKnown) response.end(JSON.stringify(WHOIS));
  else response.writeHead(404).end('no match for IP:port');
}

test('without the tool the daemon itself says who is behind an address, and who we are', async () => {
  const tailscale = await serve(answerLikeTheDaemon);
  expect(await tailscale.self()).toEqual({ login: 'me@example.com' });
  expect(await tailscale.whois({ ip: '100.118.215.73', port: 51_000 })).toEqual({
    login: 'me@example.com',
    tags: [],
    id: 'n1',
    isShared: false,
  });
});

test('an address that the daemon does not know is unknown', async () => {
  const tailscale = await serve(answerLikeTheDaemon);
  expect(await tailscale.whois({ ip: '100.99.0.1', port: 1 })).toBeUndefined();
});

test.each<[string, (request: IncomingMessage, response: ServerResponse) => void]>([
  ['a refusal', (_request, response) => response.writeHead(403).end(JSON.stringify(WHOIS))],
  ['no JSON', (_request, response) => response.end('<html>')],
  [
    'half of an answer',
    (_request, response) => response.writeHead(200, { 'content-length': 9 }).write('{'),
  ],
  ['a connection that closes', (request) => request.socket.destroy()],
  [
    'more than any tailnet needs',
    (_request, response) => {
      const part = Buffer.alloc(1 << 20, 32);
      for (let i = 0; i < 20; i++) response.write(part);
      response.end(JSON.stringify(WHOIS));
    },
  ],
])('%s is no answer', { timeout: 10_000 }, async (_what, answer) => {
  const tailscale = await serve(answer);
  expect(await tailscale.whois({ ip: '100.118.215.73', port: 51_000 })).toBeUndefined();
});
