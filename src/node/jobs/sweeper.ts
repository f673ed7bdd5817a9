// Once at the start and then every hour: which ended jobs leave, which blobs nobody needs, and which segments hold
// mostly what has left.
import type { JobId } from '../../stealing/ids.ts';
import type { JobHeader } from '../../stealing/job.ts';
import { expired, type Keep, type StoredBlob, unneededBlobs } from './retention.ts';

/** ms. More: more bytes beyond the bound in between; less: a scan of the blobs' directory for nothing. */
const SWEEP_MS = 60 * 60 * 1_000;

export interface SweeperPorts {
  jobs(): readonly { readonly header: JobHeader; readonly hasEnded: boolean }[];
  readonly store: {
    about(key: string): { readonly bytes: number; readonly newestMs: number } | undefined;
    forget(key: string): void;
    clean(): Promise<number>;
    usage(): { readonly liveBytes: number };
  };
  readonly blobs: {
    list(): Promise<readonly StoredBlob[]>;
    remove(sha256: string): Promise<void>;
  };
  jobExpired(job: JobId): void;
  swept(found: {
    readonly jobs: number;
    readonly blobs: number;
    readonly freedBytes: number;
  }): void;
  failed(error: unknown): void;
}

export class Sweeper {
  readonly #ports: SweeperPorts;
  readonly #keep: Keep;
  readonly #timer: NodeJS.Timeout;
  #running: Promise<void> | undefined;
  #isClosed = false;

  constructor(keep: Keep, ports: SweeperPorts) {
    this.#keep = keep;
    this.#ports = ports;
    this.#timer = setInterval(() => void this.sweep(), SWEEP_MS);
    this.#timer.unref();
  }

  /** One at a time. */
  sweep(nowMs: number = Date.now()): Promise<void> {
    this.#running ??= this.#sweep(nowMs)
      .catch((error: unknown) => this.#ports.failed(error))
      .finally(() => {
        this.#running = undefined;
      });
    return this.#running;
  }

  async close(): Promise<void> {
    this.#isClosed = true;
    clearInterval(this.#timer);
    await this.#running;
  }

  async #sweep(nowMs: number): Promise<void> {
    const { store, blobs } = this.#ports;
    const stored = await blobs.list();
    const usedBytes = store.usage().liveBytes + stored.reduce((sum, { bytes }) => sum + bytes, 0);
    const kept = this.#ports.jobs().map(({ header, hasEnded }) => {
      const known = store.about(header.job);
      const newestMs = known?.newestMs ?? nowMs;
      return { job: header.job, hasEnded, newestMs, bytes: known?.bytes ?? 0 };
    });
    const leaving = expired(kept, this.#keep, { nowMs, usedBytes });
    for (const job of leaving) {
      this.#ports.jobExpired(job);
      store.forget(job);
    }
    const left = this.#ports.jobs().map(({ header }) => header);
    const unneeded = unneededBlobs(stored, left, nowMs);
    for (const sha256 of unneeded) {
      if (this.#isClosed) return;
      await blobs.remove(sha256);
    }
    const freedBytes = await store.clean();
    if (leaving.length + unneeded.length + freedBytes > 0) {
      this.#ports.swept({ jobs: leaving.length, blobs: unneeded.length, freedBytes });
    }
  }
}
