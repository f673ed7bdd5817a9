// The mesh's key as all members have it: replaced, required, or kept from a machine that is put out. Members tell
// each other over their open streams; whoever is away comes back as newcomers do.
import type { PeerId } from '../../stealing/ids.ts';
import type { MeshWords } from '../wire/hello.ts';
import { isOwnIp, parseEndpoint } from './address.ts';
import type { Admission } from './admission.ts';
import type { NetLog } from './host-options.ts';
import type { Members } from './members.ts';
import type { Neighbours } from './neighbours.ts';

export class Keyring {
  readonly #admission: Admission;
  readonly #members: Members;
  readonly #neighbours: Neighbours;
  readonly #log: NetLog;

  constructor(parts: {
    admission: Admission;
    members: Members;
    neighbours: Neighbours;
    log: NetLog;
  }) {
    this.#admission = parts.admission;
    this.#members = parts.members;
    this.#neighbours = parts.neighbours;
    this.#log = parts.log;
  }

  /** A new key for this mesh. Returns how many members were told. */
  async rotate(): Promise<number> {
    await this.#admission.key.rotate();
    return this.#tell();
  }

  /** Told to the others before it holds here: nobody is locked out while it travels. */
  async require(): Promise<number> {
    const { key } = this.#admission;
    const words = { ...key.words(), isRequired: true };
    const links = this.#neighbours.all();
    for (const link of links) link.sendKey(key.bytes, words);
    await key.require();
    return links.length;
  }

  /** Where Tailscale knows the machine of `peer`, it stays out under any other identity too. */
  async bar(peer: PeerId): Promise<void> {
    for (const addr of this.#members.get(peer)?.addrs ?? []) {
      const endpoint = parseEndpoint(addr);
      if (endpoint === undefined || isOwnIp(endpoint.ip)) continue;
      const node = await this.#admission.tailscale.whois(endpoint);
      if (node?.id !== undefined) await this.#admission.key.bar(node.id);
    }
  }

  /** A member says that this is the key from here on; whoever learns it anew tells the others. */
  async heard(bytes: Uint8Array, mesh: MeshWords): Promise<void> {
    const { key } = this.#admission;
    try {
      if (!(await key.succeedBy(bytes, mesh))) return;
      this.#log.info({ fingerprint: key.fingerprint }, 'the mesh has another key');
      this.#tell();
    } catch (error) {
      this.#log.warn({ error }, 'the new mesh key cannot be written');
    }
  }

  #tell(): number {
    const { key } = this.#admission;
    const links = this.#neighbours.all();
    for (const link of links) link.sendKey(key.bytes, key.words());
    return links.length;
  }
}
