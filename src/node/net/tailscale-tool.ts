// Tailscale's command line tool, which is the stable face that it offers on every system.
import { execFile } from 'node:child_process';
import { access, constants } from 'node:fs/promises';
import { delimiter, join } from 'node:path';
import { formatEndpoint, type Endpoint } from './address.ts';

/** A background service's PATH is minimal, and the macOS app keeps its tool inside the bundle. */
const KNOWN_PLACES = [
  '/usr/bin/tailscale',
  '/usr/local/bin/tailscale',
  '/opt/homebrew/bin/tailscale',
  '/Applications/Tailscale.app/Contents/MacOS/Tailscale',
];

/** Something that can be asked about the tailnet; answers are JSON, undefined without one in time. */
export interface TailscaleSource {
  status(): Promise<string | undefined>;
  whois(endpoint: Endpoint): Promise<string | undefined>;
}

/** ms. Tailscale answers in a few, or hangs while its daemon starts. */
export const ASK_MS_MAX = 3_000;
/** Bytes of an answer: a tailnet of a thousand nodes takes about one MiB. */
export const ANSWER_BYTES_MAX = 16 << 20;

export class TailscaleTool implements TailscaleSource {
  readonly #path: string;
  readonly #places: readonly string[];

  /** `path`: as the environment variable PATH. */
  constructor(path: string = process.env['PATH'] ?? '', places: readonly string[] = KNOWN_PLACES) {
    this.#path = path;
    this.#places = places;
  }

  status(): Promise<string | undefined> {
    return this.#run(['status', '--json']);
  }

  whois(endpoint: Endpoint): Promise<string | undefined> {
    return this.#run(['whois', '--json', formatEndpoint(endpoint)]);
  }

  async #run(args: readonly string[]): Promise<string | undefined> {
    const tool = await this.#find();
    if (tool === undefined) return undefined;
    return new Promise((resolve) => {
      const options = {
        timeout: ASK_MS_MAX,
        maxBuffer: ANSWER_BYTES_MAX,
        killSignal: 'SIGKILL' as const,
      };
      execFile(tool, args, options, (error, stdout) =>
        resolve(error === null ? stdout : undefined),
      );
    });
  }

  async #find(): Promise<string | undefined> {
    const onPath = this.#path.split(delimiter).filter((place) => place !== '');
    for (const candidate of [...onPath.map((place) => join(place, 'tailscale')), ...this.#places]) {
      const isThere = await access(candidate, constants.X_OK).then(
        () => true,
        () => false,
      );
      if (isThere) return candidate;
    }
    return undefined;
  }
}
