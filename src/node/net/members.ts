// Whom this peer knows: everybody it was ever admitted with, and everybody whom such a peer told it of. The file
// outlives every peer, so a mesh finds itself again after all machines were off. Forgetting is a grow-only fact:
// a forgotten id is refused and never learned again.
import * as z from 'zod';
import { type PeerId, peerId } from '../../stealing/ids.ts';
import { MEMBERS_MAX, type MemberNews } from '../wire/hello.ts';
import { isLoopbackIp, parseEndpoint } from './address.ts';
import { readPrivateFile, writePrivateFile } from './private-file.ts';

export interface Member {
  readonly id: PeerId;
  readonly name: string;
  /** `ip:port`, the one to try first in front. */
  readonly addrs: readonly string[];
  /** ISO 8601 UTC. */
  readonly lastSeen: string;
}

/** Addresses kept per member: the current one, and a few older in case that one was a mistake. */
const ADDRS_MAX = 4;
/** Characters; a full list of the longest names and addresses still fits one hello. */
const NAME_LENGTH_MAX = 64;
const FILE_BYTES_MAX = 4 << 20;
/** Lets the news of a whole hello become one write. */
const SAVE_DELAY_MS = 100;

const fileSchema = z.object({
  v: z.literal(1),
  members: z
    .array(
      z.object({
        id: z.string().max(128).transform(peerId),
        name: z.string().max(256),
        addrs: z.array(z.string().max(64)).max(8),
        lastSeen: z.iso.datetime(),
      }),
    )
    .max(MEMBERS_MAX),
  forgotten: z.array(z.string().max(128).transform(peerId)).max(MEMBERS_MAX),
});

export class Members {
  readonly #path: string;
  readonly #self: PeerId;
  readonly #onSaveFailed: (error: unknown) => void;
  readonly #byId = new Map<PeerId, Member>();
  readonly #forgotten = new Set<PeerId>();
  #saveTimer: NodeJS.Timeout | undefined;
  #saving: Promise<void> = Promise.resolve();

  private constructor(path: string, self: PeerId, onSaveFailed: (error: unknown) => void) {
    this.#path = path;
    this.#self = self;
    this.#onSaveFailed = onSaveFailed;
  }

  /** A file that is damaged or not ours is as good as none: members are learned again. */
  static async open(
    path: string,
    self: PeerId,
    onSaveFailed: (error: unknown) => void,
  ): Promise<Members> {
    const members = new Members(path, self, onSaveFailed);
    const stored = await readPrivateFile(path, FILE_BYTES_MAX);
    const parsed = stored && fileSchema.safeParse(parseJson(stored.toString('utf8')));
    for (const id of parsed?.data?.forgotten ?? []) members.#forgotten.add(id);
    for (const member of parsed?.data?.members ?? []) {
      if (member.id !== self && !members.#forgotten.has(member.id))
        members.#byId.set(member.id, member);
    }
    return members;
  }

  list(): Member[] {
    return [...this.#byId.values()].toSorted((a, b) => (a.id < b.id ? -1 : 1));
  }

  get(id: PeerId): Member | undefined {
    return this.#byId.get(id);
  }

  named(name: string): Member | undefined {
    return this.list().find((member) => member.name === name);
  }

  isForgotten(id: PeerId): boolean {
    return this.#forgotten.has(id);
  }

  forgotten(): PeerId[] {
    return [...this.#forgotten];
  }

  /** Just admitted: what it says of itself goes before what was known. */
  met(id: PeerId, name: string, addrs: readonly string[]): void {
    const known = this.#byId.get(id)?.addrs ?? [];
    this.#put({ id, name, addrs: merge(addrs, known), lastSeen: new Date().toISOString() });
  }

  /**
   * What an admitted peer tells. Returns the members it made known and those it is connected with, of which a
   * redial is worth while at once. Loopback addresses mean something only to a peer on the same machine.
   */
  learn(news: readonly MemberNews[], tellerIsLocal: boolean): MemberNews[] {
    const worthDialling: MemberNews[] = [];
    for (const item of news) {
      if (item.id === this.#self || this.#forgotten.has(item.id)) continue;
      const addrs = item.addrs.filter((addr) => isUsable(addr, tellerIsLocal));
      const known = this.#byId.get(item.id);
      const isFull = known === undefined && this.#byId.size >= MEMBERS_MAX;
      if (addrs.length === 0 || isFull) continue;
      // Somebody who is connected with it knows better than we do; an old list does not.
      const isNewer = known === undefined || item.incarnation !== undefined;
      const merged = isNewer ? merge(addrs, known?.addrs ?? []) : merge(known.addrs, addrs);
      const seenMs = known === undefined ? item.lastSeenMs : Date.parse(known.lastSeen);
      const name = isNewer ? item.name : known.name;
      this.#put({ id: item.id, name, addrs: merged, lastSeen: isoTime(seenMs) });
      if (isNewer) worthDialling.push(item);
    }
    return worthDialling;
  }

  /** Returns whether it was not forgotten before. */
  forget(id: PeerId): boolean {
    if (id === this.#self || this.#forgotten.has(id) || this.#forgotten.size >= MEMBERS_MAX)
      return false;
    this.#forgotten.add(id);
    this.#byId.delete(id);
    this.#saveSoon();
    return true;
  }

  /** On disk when it resolves. */
  async flush(): Promise<void> {
    if (this.#saveTimer !== undefined) this.#save();
    await this.#saving;
  }

  #put(member: Member): void {
    const isNew = !this.#byId.has(member.id);
    if (isNew && this.#byId.size >= MEMBERS_MAX) return;
    this.#byId.set(member.id, { ...member, name: member.name.slice(0, NAME_LENGTH_MAX) });
    this.#saveSoon();
  }

  #saveSoon(): void {
    this.#saveTimer ??= setTimeout(() => this.#save(), SAVE_DELAY_MS);
  }

  #save(): void {
    clearTimeout(this.#saveTimer);
    this.#saveTimer = undefined;
    const content = { v: 1, members: this.list(), forgotten: this.forgotten() };
    this.#saving = this.#saving
      .then(() => writePrivateFile(this.#path, `${JSON.stringify(content, null, 2)}\n`))
      .catch((error: unknown) => this.#onSaveFailed(error));
  }
}

function merge(first: readonly string[], then: readonly string[]): string[] {
  return [...new Set([...first, ...then])].slice(0, ADDRS_MAX);
}

function isUsable(addr: string, tellerIsLocal: boolean): boolean {
  const endpoint = parseEndpoint(addr);
  return endpoint !== undefined && (tellerIsLocal || !isLoopbackIp(endpoint.ip));
}

/** A clock of another machine may say anything; the range is what Date can show. */
function isoTime(ms: number): string {
  return new Date(Math.min(Math.max(ms, 0), Date.now())).toISOString();
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}
