// Two hosts on one network, as far as their processes can tell: a network namespace each, joined by a cable, with
// the addresses of two machines of one tailnet. Linux only, as root, with iproute2.
import { execFile } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { promisify } from 'node:util';
import { until } from './until.ts';

const run = promisify(execFile);

export const FIRST_IP = '100.77.179.14';
export const SECOND_IP = '100.118.215.73';

export interface Host {
  readonly namespace: string;
  readonly ip: string;
  /** The words of a program that moves to this host and becomes the one that follows. */
  readonly through: readonly string[];
}

export class TwoHosts {
  readonly first: Host;
  readonly second: Host;
  readonly #namespaces: readonly string[];

  private constructor(namespaces: readonly [string, string]) {
    this.#namespaces = namespaces;
    this.first = hostIn(namespaces[0], FIRST_IP);
    this.second = hostIn(namespaces[1], SECOND_IP);
  }

  /** Throws what the system said when it cannot; nothing of it stays then. */
  static async open(): Promise<TwoHosts> {
    // Unique, because other tests on this machine may have two hosts of their own.
    const tag = randomBytes(3).toString('hex');
    const [a, b] = [`mesh-a-${tag}`, `mesh-b-${tag}`] as const;
    const hosts = new TwoHosts([a, b]);
    try {
      await ip('netns', 'add', a);
      await ip('netns', 'add', b);
      await ip(
        '-n',
        a,
        'link',
        'add',
        'tail0',
        'type',
        'veth',
        'peer',
        'name',
        'tail0',
        'netns',
        b,
      );
      for (const host of [hosts.first, hosts.second]) {
        await hosts.plugIn(host);
        // As Tailscale's own interface.
        await ip('-n', host.namespace, 'link', 'set', 'tail0', 'mtu', '1280', 'up');
        await ip('-n', host.namespace, 'link', 'set', 'lo', 'up');
        await ip('netns', 'exec', host.namespace, 'true');
      }
      for (const host of [hosts.first, hosts.second]) await untilUp(host);
      return hosts;
    } catch (error) {
      await hosts.close();
      throw error;
    }
  }

  /** The host gets its address. */
  async plugIn(host: Host): Promise<void> {
    await ip('-n', host.namespace, 'addr', 'add', `${host.ip}/10`, 'dev', 'tail0');
  }

  /** The host has no address but loopback, as before Tailscale has started. */
  async unplug(host: Host): Promise<void> {
    await ip('-n', host.namespace, 'addr', 'del', `${host.ip}/10`, 'dev', 'tail0');
  }

  /** Packets leave and arrive nowhere: they are addressed to a network card that is not there. */
  async cut(): Promise<void> {
    for (const [from, to] of [
      [this.first, this.second],
      [this.second, this.first],
    ] as const) {
      const nobody = ['lladdr', '02:00:00:00:00:01', 'dev', 'tail0', 'nud', 'permanent'];
      await ip('-n', from.namespace, 'neigh', 'replace', to.ip, ...nobody);
    }
  }

  async heal(): Promise<void> {
    for (const [from, to] of [
      [this.first, this.second],
      [this.second, this.first],
    ] as const) {
      await ip('-n', from.namespace, 'neigh', 'del', to.ip, 'dev', 'tail0');
    }
  }

  /** The cable goes with the first of the namespaces. */
  async close(): Promise<void> {
    for (const namespace of this.#namespaces) await ip('netns', 'del', namespace).catch(() => {});
  }
}

/** Why there can be no two hosts here; undefined when there can. */
export async function noTwoHostsBecause(): Promise<string | undefined> {
  try {
    await (await TwoHosts.open()).close();
    return undefined;
  } catch (error) {
    const { code, stderr } = error as { code?: unknown; stderr?: string };
    return code === 'ENOENT' ? 'iproute2 is not installed' : (stderr ?? String(error)).trim();
  }
}

function hostIn(namespace: string, address: string): Host {
  return { namespace, ip: address, through: ['ip', 'netns', 'exec', namespace] };
}

/** The kernel takes up to a second to notice that a cable has two ends; until then nobody sees the address. */
async function untilUp({ namespace }: Host): Promise<void> {
  await until(`${namespace} has its cable`, async () =>
    (await ip('-n', namespace, '-o', 'link', 'show', 'tail0')).includes('state UP'),
  );
}

async function ip(...words: string[]): Promise<string> {
  return (await run('ip', words)).stdout;
}
