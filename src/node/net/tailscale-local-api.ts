// Tailscale's LocalAPI: HTTP on the socket of its daemon. Tailscale calls it unstable, so it is asked only where the
// command line tool does not answer: a daemon without the tool, as containers and appliances have it. The Mac apps have
// no such socket, and bring their tool along; their loopback port is left alone, because when the app is not running any
// user of the machine may answer there. Rules as in Tailscale's own server: a Host header of its name, no Referer, no
// Origin.
import { request } from 'node:http';
import { type Endpoint, formatEndpoint } from './address.ts';
import { ANSWER_BYTES_MAX, ASK_MS_MAX, type TailscaleSource } from './tailscale-tool.ts';

const HOST = 'local-tailscaled.sock';

/** Both in directories of root: on Linux, and of the open-source daemon on a Mac. */
const SOCKETS = ['/var/run/tailscale/tailscaled.sock', '/var/run/tailscaled.socket'];

export class TailscaleLocalApi implements TailscaleSource {
  readonly #sockets: readonly string[];

  constructor(sockets: readonly string[] = SOCKETS) {
    this.#sockets = sockets;
  }

  status(): Promise<string | undefined> {
    return this.#get('/localapi/v0/status');
  }

  whois(endpoint: Endpoint): Promise<string | undefined> {
    return this.#get(`/localapi/v0/whois?addr=${encodeURIComponent(formatEndpoint(endpoint))}`);
  }

  async #get(path: string): Promise<string | undefined> {
    for (const socketPath of this.#sockets) {
      const answer = await bodyOf(socketPath, path);
      if (answer !== undefined) return answer;
    }
    return undefined;
  }
}

/** Undefined unless the answer is a good one. */
function bodyOf(socketPath: string, path: string): Promise<string | undefined> {
  return new Promise((resolve) => {
    const signal = AbortSignal.timeout(ASK_MS_MAX);
    const asked = request({ socketPath, path, signal, headers: { Host: HOST } });
    asked.on('error', () => resolve(undefined));
    asked.on('response', (answer) => {
      const parts: Buffer[] = [];
      let bytes = 0;
      answer.on('error', () => resolve(undefined));
      answer.on('data', (part: Buffer) => {
        bytes += part.length;
        if (bytes > ANSWER_BYTES_MAX) asked.destroy(new Error('the answer is too long'));
        else parts.push(part);
      });
      answer.on('end', () =>
        resolve(answer.statusCode === 200 ? Buffer.concat(parts).toString() : undefined),
      );
    });
    asked.end();
  });
}
