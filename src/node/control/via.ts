// --via PEER: a request that another peer shall answer. The local peer is the way there: it hands the bytes on over
// a stream between the two, and brings the answer back. A member may look and submit; what is a machine's own (its
// key, its end) only its own user may touch, which routes.ts says.
import { once } from 'node:events';
import {
  type IncomingMessage,
  type OutgoingHttpHeaders,
  request as httpRequest,
  type ServerResponse,
} from 'node:http';
import type { Duplex } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { VIA_HEADER } from './api.ts';

export interface Via {
  /** The id of the peer that `name` means; undefined: this very one. Throws NOT_FOUND, USAGE. */
  resolve(name: string): string | undefined;
  /** A stream to that peer's control room for as long as `work` runs. Throws UNREACHABLE, VERSION. */
  open(peer: string, work: (stream: Duplex) => Promise<void>): Promise<void>;
}

export async function forward(
  via: Via,
  peer: string,
  request: IncomingMessage,
  response: ServerResponse,
): Promise<void> {
  await via.open(peer, async (stream) => {
    const { method, url } = request;
    const headers: OutgoingHttpHeaders = { ...request.headers, host: 'mesh', connection: 'close' };
    delete headers[VIA_HEADER];
    const onward = httpRequest({ createConnection: () => stream, method, path: url, headers });
    // A refusal may come while the body is still being sent; the answer says why, the broken pipe does not.
    pipeline(request, onward).catch(() => {});
    const [answer] = (await once(onward, 'response')) as [IncomingMessage];
    response.writeHead(answer.statusCode ?? 502, answer.headers);
    response.flushHeaders();
    // Whoever watches may go at any time; that ends the stream, and is no failure.
    await pipeline(answer, response).catch(() => {});
  });
}
