// The job file that was read last, by the hash of its blob: a submit is looked at for rows that are known already, and
// loaded right after that. Reading checks every field and parses every rule.
import type { JobSpec } from '../../kernel/spec.ts';
import type { JobHeader } from '../../stealing/job.ts';
import type { KnownBlock } from './known-rows.ts';

export class LastSpec {
  readonly #blobs: { read(sha256: string): Promise<Uint8Array> };
  #sha256 = '';
  /** A large job's objects are not kept from going. */
  #spec: WeakRef<JobSpec> | undefined;

  constructor(blobs: { read(sha256: string): Promise<Uint8Array> }) {
    this.#blobs = blobs;
  }

  /** Throws an Error with a sentence when the bytes are not a job that this version can run. */
  async read(sha256: string, bytes: Uint8Array): Promise<JobSpec> {
    const last = this.#lastOf(sha256);
    if (last !== undefined) return last;
    // Loaded with the first job: a peer that only waits needs no schema.
    const { readSpec } = await import('../jobfile/read-spec.ts');
    const spec = readSpec(bytes);
    this.#sha256 = sha256;
    this.#spec = new WeakRef(spec);
    return spec;
  }

  /** From the blob on this disk. */
  async of({ spec: { sha256 } }: JobHeader): Promise<JobSpec> {
    return this.#lastOf(sha256) ?? (await this.read(sha256, await this.#blobs.read(sha256)));
  }

  /** The hashes of the job's parts. */
  async blocks(header: JobHeader): Promise<readonly KnownBlock[]> {
    const { blocksOf } = await import('../jobfile/blocks.ts');
    return blocksOf(await this.of(header), header.kernel, header.taskCount);
  }

  #lastOf(sha256: string): JobSpec | undefined {
    return sha256 === this.#sha256 ? this.#spec?.deref() : undefined;
  }
}
