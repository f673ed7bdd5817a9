// Secrets by which people let a machine in, each good once and for a while. An invite is made by a member and
// carried to the newcomer; an approval code is shown by the newcomer and typed at a member. Either way both sides
// then know one secret that nobody else knows, and prove it to each other on the connection: the newcomer that it
// was meant, the member that it is the one whom a person chose.
import { createHash, randomBytes, scryptSync } from 'node:crypto';
import { join } from 'node:path';
import { toString } from 'uint8arrays/to-string';
import * as z from 'zod';
import type { PassClaim } from '../wire/hello.ts';
import { isSame, type ProofBinding, proofBy } from './mesh-key.ts';
import { readPrivateFile, writePrivateFile } from './private-file.ts';

const SECRET_BYTES = 16;
const PASS_ID_BYTES = 8;
/** Invites and approvals outstanding at once. */
const PASSES_MAX = 64;
/** A person walks from one screen to the other in this time. */
const APPROVAL_KEPT_MS = 15 * 60_000;

/** Without letters and digits that look alike; 10 of them are 50 bits. */
const CODE_LETTERS = 'ABCDEFGHJKLMNPQRSTUVWXYZ23456789';
const CODE_LENGTH = 10;

export interface Pass {
  readonly kind: 'invite' | 'approval';
  readonly secret: Uint8Array;
  /** Epoch ms by the clock of the machine that keeps it. */
  readonly expiresMs: number;
}

const fileSchema = z.object({
  v: z.literal(1),
  passes: z
    .array(
      z.object({
        kind: z.enum(['invite', 'approval']),
        secret: z.string().regex(/^[A-Za-z0-9_-]{22,43}$/),
        expiresMs: z.number(),
      }),
    )
    .max(PASSES_MAX),
});

/** The passes that this member will honour. */
export class Passes {
  readonly #path: string;
  #open: readonly Pass[];

  private constructor(path: string, open: readonly Pass[]) {
    this.#path = path;
    this.#open = open;
  }

  static async open(directory: string): Promise<Passes> {
    const path = join(directory, 'passes.json');
    const stored = await readPrivateFile(path, 64 << 10).catch(() => undefined);
    const parsed = fileSchema.safeParse(parseJson(stored?.toString('utf8') ?? ''));
    // A damaged file honours nothing: a new invite costs a minute, a wrong one a mesh.
    const passes = (parsed.data?.passes ?? []).map((pass) => ({
      ...pass,
      secret: Buffer.from(pass.secret, 'base64url'),
    }));
    return new Passes(path, passes);
  }

  async invite(validMs: number): Promise<Pass> {
    const secret = randomBytes(SECRET_BYTES);
    const pass: Pass = { kind: 'invite', secret, expiresMs: Date.now() + validMs };
    await this.#put([...this.#live(), pass]);
    return pass;
  }

  /** `code` as a person typed it; undefined when it is no code. */
  async approve(code: string): Promise<Pass | undefined> {
    const secret = approvalSecret(code);
    if (secret === undefined) return undefined;
    const pass: Pass = { kind: 'approval', secret, expiresMs: Date.now() + APPROVAL_KEPT_MS };
    await this.#put([...this.#live().filter((known) => !isSame(known.secret, secret)), pass]);
    return pass;
  }

  /** The pass that the dialler has proved to know. */
  behind(claim: PassClaim | undefined, binding: ProofBinding): Pass | undefined {
    if (claim === undefined) return undefined;
    const known = this.#live().find(({ secret }) => isSame(passId(secret), claim.id));
    const isProven =
      known !== undefined && isSame(proofBy(known.secret, 'pass', binding), claim.proof);
    return isProven ? known : undefined;
  }

  /** It has let somebody in. */
  async redeem(pass: Pass): Promise<void> {
    await this.#put(this.#live().filter((known) => known !== pass));
  }

  #live(): Pass[] {
    return this.#open.filter(({ expiresMs }) => expiresMs > Date.now());
  }

  async #put(passes: readonly Pass[]): Promise<void> {
    this.#open = passes.slice(-PASSES_MAX);
    const lines = this.#open.map((pass) => ({
      ...pass,
      secret: toString(pass.secret, 'base64url'),
    }));
    await writePrivateFile(this.#path, `${JSON.stringify({ v: 1, passes: lines })}\n`);
  }
}

/** The newcomer's side. */
export function claimOf(secret: Uint8Array, binding: ProofBinding): PassClaim {
  return { id: passId(secret), proof: proofBy(secret, 'pass', binding) };
}

export function verifiesPass(
  secret: Uint8Array,
  binding: ProofBinding,
  proof: Uint8Array | undefined,
): boolean {
  return proof !== undefined && isSame(proofBy(secret, 'pass', binding), proof);
}

/**
 * The code that this machine shows until it is let in, kept in its home: the command that showed it has ended
 * when it is typed elsewhere. Undefined when there is none yet and `make` does not ask for one.
 */
export function ownCode(directory: string, make: boolean): Promise<string | undefined> {
  // One after the other: two dials that are refused at once show one code, the one that is kept.
  const code = lastAsked.then(() => readOrMake(directory, make));
  lastAsked = code.catch(() => {});
  return code;
}

let lastAsked: Promise<unknown> = Promise.resolve();

async function readOrMake(directory: string, make: boolean): Promise<string | undefined> {
  const path = join(directory, 'approval');
  const stored = (await readPrivateFile(path, 256))?.toString('utf8').trim();
  const [code = '', madeMs = ''] = stored?.split(' ') ?? [];
  const ageMs = Date.now() - Number(madeMs);
  if (approvalSecret(code) !== undefined && ageMs >= 0 && ageMs < APPROVAL_KEPT_MS) return code;
  if (!make) return undefined;
  const letters = Array.from(randomBytes(CODE_LENGTH), (byte) => CODE_LETTERS[byte % 32]!);
  const fresh = `${letters.slice(0, 5).join('')}-${letters.slice(5).join('')}`;
  await writePrivateFile(path, `${fresh} ${Date.now()}\n`);
  return fresh;
}

const stretched = new Map<string, Uint8Array>();

/** Stretched, because whoever is dialled sees a proof made with it, and 50 bits alone could be tried out. */
export function approvalSecret(code: string): Uint8Array | undefined {
  const plain = code.toUpperCase().replaceAll(/[\s-]/g, '');
  const isCode =
    plain.length === CODE_LENGTH &&
    Array.from(plain).every((letter) => CODE_LETTERS.includes(letter));
  if (!isCode) return undefined;
  const known = stretched.get(plain);
  if (known !== undefined) return known;
  const secret = scryptSync(plain, 'mesh approval 1', 32, { N: 1 << 14 });
  stretched.clear();
  stretched.set(plain, secret);
  return secret;
}

function passId(secret: Uint8Array): Uint8Array {
  return createHash('sha256')
    .update('mesh pass 1\0')
    .update(secret)
    .digest()
    .subarray(0, PASS_ID_BYTES);
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}
