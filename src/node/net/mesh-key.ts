// The mesh key: 32 random bytes that make a peer a member. Whoever has the file is in, so it is one line that a
// person can copy, and readable by its user alone. Beside it, `mesh.json` remembers what the key itself cannot
// say: on whose Tailscale login it was made, and whether it ever let anybody in (only one that never did may be
// replaced by another mesh's). A key file without a matching record was put there by a person, and counts as used.
import { createHash, createHmac, randomBytes, timingSafeEqual } from 'node:crypto';
import { join } from 'node:path';
import { fromString } from 'uint8arrays/from-string';
import { toString } from 'uint8arrays/to-string';
import * as z from 'zod';
import { MeshError } from '../errors.ts';
import { readPrivateFile, writePrivateFile } from './private-file.ts';

const KEY_BYTES = 32;
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
});

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

  private constructor(
    directory: string,
    bytes: Uint8Array,
    used: boolean,
    origin: Origin | undefined,
  ) {
    this.#directory = directory;
    this.#bytes = bytes;
    this.#used = used;
    this.#origin = origin;
  }

  /** Reads `key` and `mesh.json` of `directory`; makes an unused key when there is none. */
  static async open(directory: string): Promise<MeshKey> {
    const stored = await readPrivateFile(join(directory, 'key'), 4096);
    if (stored === undefined) {
      const key = new MeshKey(directory, randomBytes(KEY_BYTES), false, undefined);
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
      return new MeshKey(directory, bytes, true, undefined);
    return new MeshKey(directory, bytes, record.used, record.origin);
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

  /** Another mesh's key in place of this one that nobody uses. */
  async adopt(bytes: Uint8Array, origin: Origin | undefined): Promise<void> {
    if (bytes.byteLength !== KEY_BYTES) throw new RangeError('a mesh key has 32 bytes');
    this.#bytes = Uint8Array.from(bytes);
    this.#used = true;
    this.#origin = origin;
    await this.#store();
  }

  /** HMAC-SHA256 over role, both ids and both nonces: worth nothing on any other connection. */
  prove(binding: ProofBinding): Uint8Array {
    const mac = createHmac('sha256', this.#bytes);
    const words = ['mesh membership 1', binding.role, binding.dialler, binding.listener];
    mac.update(`${words.join('\0')}\0`);
    mac.update(binding.diallerNonce).update(binding.listenerNonce);
    return mac.digest();
  }

  verifies(binding: ProofBinding, proof: Uint8Array): boolean {
    const expected = this.prove(binding);
    return proof.byteLength === expected.byteLength && timingSafeEqual(proof, expected);
  }

  /** The record first: a crash between the two leaves a key without a record, which counts as used. */
  async #store(): Promise<void> {
    await this.#storeRecord();
    await writePrivateFile(join(this.#directory, 'key'), `${this.line}\n`);
  }

  async #storeRecord(): Promise<void> {
    const record = { v: 1, fingerprint: this.fingerprint, used: this.#used, origin: this.#origin };
    await writePrivateFile(
      join(this.#directory, 'mesh.json'),
      `${JSON.stringify(record, null, 2)}\n`,
    );
  }
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
