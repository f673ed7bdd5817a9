// The mesh key: 32 random bytes that make a peer a member. Whoever has the file is in, so it is one line that a
// person can copy, and readable by its user alone. Beside it, `mesh.json` remembers what the key itself cannot
// say: on whose Tailscale login it was made, and whether it ever let anybody in (only one that never did may be
// replaced by another mesh's). A key file without a matching record was put there by a person, and counts as used.
// A key may be replaced by its mesh: each has a generation, and the keys before it stay in the record, so that
// a member that was away can be told from a stranger. They prove where somebody comes from, and admit nobody.
import { createHash, createHmac, randomBytes, timingSafeEqual } from 'node:crypto';
import { join } from 'node:path';
import { fromString } from 'uint8arrays/from-string';
import { toString } from 'uint8arrays/to-string';
import * as z from 'zod';
import { MeshError } from '../errors.ts';
import type { MeshWords } from '../wire/hello.ts';
import { readPrivateFile, writePrivateFile } from './private-file.ts';

const KEY_BYTES = 32;
/** Former keys remembered: a machine that slept through more rotations comes back by a copied key. */
const FORMERS_MAX = 8;
/** Machines barred by their Tailscale ids. */
const BARRED_MAX = 512;
const LINE_PREFIX = 'mesh1-';

/** The Tailscale identity of the peer that made the key: a login, or tags for a tagged machine. */
export interface Origin {
  readonly login?: string | undefined;
  readonly tags?: readonly string[] | undefined;
}

const recordSchema = z.object({
  v: z.literal(1),
  fingerprint: z.string().max(64),
  used: z.boolean(),
  origin: z
    .object({
      login: z.string().max(256).optional(),
      tags: z.array(z.string().max(256)).max(64).optional(),
    })
    .optional(),
  generation: z.int().min(0).default(0),
  isRequired: z.boolean().default(false),
  formers: z.array(z.string().max(64)).max(FORMERS_MAX).default([]),
  barred: z.array(z.string().max(64)).max(BARRED_MAX).default([]),
});

type Label = 'membership' | 'rotation' | 'pass';

/** What a mesh says of its key beside the key: grows only, and a higher generation replaces all. */
interface Standing {
  generation: number;
  isRequired: boolean;
  formers: readonly Uint8Array[];
  barred: readonly string[];
}

const NEW: Standing = { generation: 0, isRequired: false, formers: [], barred: [] };

/** The roles of one connection, bound into a proof so that a listener's proof is never a dialler's. */
export interface ProofBinding {
  readonly role: 'dialler' | 'listener';
  readonly dialler: string;
  readonly listener: string;
  readonly diallerNonce: Uint8Array;
  readonly listenerNonce: Uint8Array;
}

export class MeshKey {
  readonly #directory: string;
  #bytes: Uint8Array;
  #used: boolean;
  #origin: Origin | undefined;
  #standing: Standing;
  #storing: Promise<void> = Promise.resolve();

  private constructor(
    directory: string,
    parts: { bytes: Uint8Array; used: boolean; origin?: Origin | undefined; standing?: Standing },
  ) {
    this.#directory = directory;
    this.#bytes = parts.bytes;
    this.#used = parts.used;
    this.#origin = parts.origin;
    this.#standing = parts.standing ?? NEW;
  }

  /** Reads `key` and `mesh.json` of `directory`; makes an unused key when there is none. */
  static async open(directory: string): Promise<MeshKey> {
    const stored = await readPrivateFile(join(directory, 'key'), 4096);
    if (stored === undefined) {
      const key = new MeshKey(directory, { bytes: randomBytes(KEY_BYTES), used: false });
      await key.#store();
      return key;
    }
    const bytes = parseKeyLine(stored.toString('utf8'));
    if (bytes === undefined) {
      const hint =
        'Copy the line that `mesh key show` prints on a member into it, or move it away.';
      throw new MeshError('BAD_INPUT', `${join(directory, 'key')} is not a mesh key`, { hint });
    }
    const record = await readRecord(directory);
    if (record?.fingerprint !== fingerprintOf(bytes))
      return new MeshKey(directory, { bytes, used: true });
    const { used, origin, generation, isRequired, barred } = record;
    const formers = record.formers.flatMap((line) => parseKeyLine(line) ?? []);
    const standing = { generation, isRequired, formers, barred };
    return new MeshKey(directory, { bytes, used, origin, standing });
  }

  get bytes(): Uint8Array {
    return this.#bytes;
  }

  /** 8 hex characters of the key's SHA-256: for people to compare, too short to tell anything about the key. */
  get fingerprint(): string {
    return fingerprintOf(this.#bytes);
  }

  /** Whether it ever admitted anybody, or was received or copied. */
  get used(): boolean {
    return this.#used;
  }

  get origin(): Origin | undefined {
    return this.#origin;
  }

  /** The key goes into the noise handshake, so that nobody without it gets as far as a hello. */
  get isRequired(): boolean {
    return this.#standing.isRequired;
  }

  isBarred(tailscaleId: string | undefined): boolean {
    return tailscaleId !== undefined && this.#standing.barred.includes(tailscaleId);
  }

  words(): MeshWords {
    const { generation, isRequired, barred } = this.#standing;
    return { generation, isRequired, barred };
  }

  /** The key as the one line of its file. */
  get line(): string {
    return formatKeyLine(this.#bytes);
  }

  async markUsed(): Promise<void> {
    if (this.#used) return;
    this.#used = true;
    await this.#storeRecord();
  }

  /** Only the first to know the maker's login records it; it is never changed. */
  async recordOrigin(origin: Origin | undefined): Promise<void> {
    if (origin === undefined || this.#origin !== undefined) return;
    this.#origin = origin;
    await this.#storeRecord();
  }

  /** Another mesh's key in place of this one. What was known of the old one's mesh goes with it. */
  async adopt(bytes: Uint8Array, origin: Origin | undefined, words?: MeshWords): Promise<void> {
    if (bytes.byteLength !== KEY_BYTES) throw new RangeError('a mesh key has 32 bytes');
    this.#standing = { ...NEW, ...words };
    await this.#put(bytes, origin);
  }

  /** A new key for the same mesh; the one before it admits nobody from here on. */
  async rotate(): Promise<void> {
    await this.#succeed(randomBytes(KEY_BYTES), this.#standing.generation + 1);
  }

  /** Returns whether that was news. */
  async require(): Promise<boolean> {
    return this.learn({ ...this.words(), isRequired: true });
  }

  async bar(tailscaleId: string): Promise<void> {
    await this.learn({ ...this.words(), barred: [...this.#standing.barred, tailscaleId] });
  }

  /** What a member says of this very key. Returns whether it was news. */
  async learn(words: MeshWords): Promise<boolean> {
    const barred = [...new Set([...this.#standing.barred, ...words.barred])].slice(0, BARRED_MAX);
    const isRequired = this.#standing.isRequired || words.isRequired;
    const generation = Math.max(words.generation, this.#standing.generation);
    const isNews =
      barred.length > this.#standing.barred.length || isRequired !== this.#standing.isRequired;
    // A key that was copied as a file learns its generation here.
    if (!isNews && generation === this.#standing.generation) return false;
    this.#standing = { ...this.#standing, generation, barred, isRequired };
    await this.#storeRecord();
    return isNews;
  }

  /**
   * A member tells of the mesh's key. A later generation replaces this key; of two keys of one generation, made
   * on two sides at once, the greater does, everywhere. Returns whether anything changed.
   */
  async succeedBy(bytes: Uint8Array, words: MeshWords): Promise<boolean> {
    if (isSame(this.#bytes, bytes)) return this.learn(words);
    const ahead = words.generation - this.#standing.generation;
    const order = ahead === 0 ? Buffer.compare(bytes, this.#bytes) : ahead;
    if (order < 0) return false;
    await this.#succeed(bytes, words.generation);
    await this.learn(words);
    return true;
  }

  /** HMAC-SHA256 over role, both ids and both nonces: worth nothing on any other connection. */
  prove(binding: ProofBinding): Uint8Array {
    return proofBy(this.#bytes, 'membership', binding);
  }

  verifies(binding: ProofBinding, proof: Uint8Array): boolean {
    return isSame(this.prove(binding), proof);
  }

  /** The key before this one that `proof`, a membership proof, was made with. */
  formerBehind(binding: ProofBinding, proof: Uint8Array): Uint8Array | undefined {
    return this.#standing.formers.find((former) =>
      isSame(proofBy(former, 'membership', binding), proof),
    );
  }

  /** Whether the other side knew this key before it was replaced. */
  verifiesRotation(binding: ProofBinding, proof: Uint8Array): boolean {
    return isSame(proofBy(this.#bytes, 'rotation', binding), proof);
  }

  async #succeed(bytes: Uint8Array, generation: number): Promise<void> {
    const formers = [this.#bytes, ...this.#standing.formers].slice(0, FORMERS_MAX);
    this.#standing = { ...this.#standing, generation, formers };
    await this.#put(bytes, this.#origin);
  }

  async #put(bytes: Uint8Array, origin: Origin | undefined): Promise<void> {
    this.#bytes = Uint8Array.from(bytes);
    this.#used = true;
    this.#origin = origin;
    await this.#store();
  }

  /** The record first: a crash between the two leaves a key without a record, which counts as used. */
  async #store(): Promise<void> {
    await this.#storeRecord();
    await this.#write('key', () => `${this.line}\n`);
  }

  async #storeRecord(): Promise<void> {
    await this.#write('mesh.json', () => {
      const { formers, ...standing } = this.#standing;
      const { fingerprint } = this;
      const lines = formers.map(formatKeyLine);
      const key = { v: 1, fingerprint, used: this.#used, origin: this.#origin };
      return `${JSON.stringify({ ...key, ...standing, formers: lines }, null, 2)}\n`;
    });
  }

  /** One after the other, each with what holds when its turn comes: the last word stays. */
  #write(name: string, content: () => string): Promise<void> {
    const written = this.#storing.then(() =>
      writePrivateFile(join(this.#directory, name), content()),
    );
    this.#storing = written.catch(() => {});
    return written;
  }
}

/** `label` keeps a proof for one purpose from being used for another. */
export function proofBy(secret: Uint8Array, label: Label, binding: ProofBinding): Uint8Array {
  const mac = createHmac('sha256', secret);
  const words = [`mesh ${label} 1`, binding.role, binding.dialler, binding.listener];
  mac.update(`${words.join('\0')}\0`);
  mac.update(binding.diallerNonce).update(binding.listenerNonce);
  return mac.digest();
}

export function isSame(expected: Uint8Array, given: Uint8Array): boolean {
  return given.byteLength === expected.byteLength && timingSafeEqual(given, expected);
}

/** Undefined when the text is not exactly one key. */
export function parseKeyLine(text: string): Uint8Array | undefined {
  const line = text.trim();
  if (!/^mesh1-[A-Za-z0-9_-]{43}$/.test(line)) return undefined;
  const bytes = fromString(line.slice(LINE_PREFIX.length), 'base64url');
  return bytes.byteLength === KEY_BYTES ? bytes : undefined;
}

function formatKeyLine(bytes: Uint8Array): string {
  return LINE_PREFIX + toString(bytes, 'base64url');
}

function fingerprintOf(bytes: Uint8Array): string {
  return createHash('sha256').update(bytes).digest('hex').slice(0, 8);
}

async function readRecord(directory: string): Promise<z.infer<typeof recordSchema> | undefined> {
  const stored = await readPrivateFile(join(directory, 'mesh.json'), 64 << 10);
  if (stored === undefined) return undefined;
  try {
    return recordSchema.parse(JSON.parse(stored.toString('utf8')));
  } catch {
    // A damaged record says nothing, and a key without a record counts as used: the safe side.
    return undefined;
  }
}
