// Hosts on one network, as far as their processes can tell: a namespace each, all plugged into the bridge of one more.
// Cables are cut by nftables: an interface that goes down would lose its address. Linux only, as root.
import { execFile } from 'node:child_process';
import { promisify } from 'node:util';

const run = promisify(execFile);

export interface Host {
  readonly namespace: string;
  readonly ip: string;
  /** The words of a program that moves to this host and becomes the one that follows. */
  readonly through: readonly string[];
}

export class Hosts {
  readonly all: readonly Host[];
  readonly #hub: string;

  private constructor(tag: string, count: number) {
    this.#hub = `mesh-hub-${tag}`;
    this.all = Array.from({ length: count }, (_, i) => {
      const namespace = `mesh-${i}-${tag}`;
      return { namespace, ip: `100.77.0.${i + 1}`, through: ['ip', 'netns', 'exec', namespace] };
    });
  }

  /** `tag` makes the names unique, so that several such networks can be side by side. */
  static async open(tag: string, count: number): Promise<Hosts> {
    const hosts = new Hosts(tag, count);
    try {
      await ip('netns', 'add', hosts.#hub);
      await ip('-n', hosts.#hub, 'link', 'add', 'hub', 'type', 'bridge');
      await ip('-n', hosts.#hub, 'link', 'set', 'hub', 'up');
      for (const [i, host] of hosts.all.entries()) await hosts.#plugIn(host, i);
      return hosts;
    } catch (error) {
      await hosts.close();
      throw error;
    }
  }

  /** `host` hears nothing of `others` any more; they still hear it. */
  async deafen(host: Host, others: readonly Host[]): Promise<void> {
    await nft(host, 'add table inet cut');
    await nft(
      host,
      'add chain inet cut in { type filter hook input priority 0 ; policy accept ; }',
    );
    for (const other of others) await nft(host, `add rule inet cut in ip saddr ${other.ip} drop`);
  }

  /** Nothing reaches `host` and nothing leaves it. */
  async cutOff(host: Host): Promise<void> {
    await nft(host, 'add table inet cut');
    for (const [chain, hook] of [
      ['in', 'input'],
      ['out', 'output'],
    ]) {
      await nft(
        host,
        `add chain inet cut ${chain} { type filter hook ${hook} priority 0 ; policy drop ; }`,
      );
    }
  }

  async heal(host: Host): Promise<void> {
    await nft(host, 'delete table inet cut').catch(() => {});
  }

  async close(): Promise<void> {
    for (const { namespace } of this.all) await ip('netns', 'del', namespace).catch(() => {});
    await ip('netns', 'del', this.#hub).catch(() => {});
  }

  async #plugIn({ namespace, ip: address }: Host, i: number): Promise<void> {
    await ip('netns', 'add', namespace);
    const cable = ['link', 'add', 'tail0', 'type', 'veth', 'peer', 'name', `port${i}`];
    await ip('-n', namespace, ...cable, 'netns', this.#hub);
    await ip('-n', this.#hub, 'link', 'set', `port${i}`, 'master', 'hub', 'up');
    await ip('-n', namespace, 'addr', 'add', `${address}/10`, 'dev', 'tail0');
    // As Tailscale's own interface.
    await ip('-n', namespace, 'link', 'set', 'tail0', 'mtu', '1280', 'up');
    await ip('-n', namespace, 'link', 'set', 'lo', 'up');
  }
}

async function ip(...words: string[]): Promise<void> {
  await run('ip', words);
}

async function nft(host: Host, rule: string): Promise<void> {
  await run('ip', ['netns', 'exec', host.namespace, 'nft', ...rule.split(' ')]);
}
