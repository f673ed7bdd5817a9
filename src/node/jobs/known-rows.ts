// Rows that this peer has already, for a job that is about to be submitted: found by the hashes of its blocks in jobs
// that ended well here, newest first. Whatever used up its attempts there runs again.
import type { Interval } from '../../deque/interval-set.ts';
import type { JobId, PeerId } from '../../stealing/ids.ts';
import type { JobHeader, RowBatch } from '../../stealing/job.ts';
import type { Ledger } from '../../stealing/ledger.ts';

/** Rows of one batch: what a flush holds. */
const BATCH_ROWS_MAX = 4_096;
/** Blocks that are remembered, some 300 bytes each. More finds the rows of older jobs: 100,000 are a thousand generations
 * of a hundred strategies. */
const BLOCKS_MAX = 100_000;
/** Blocks of older jobs that one submit learns, some 50 us each: after a start nothing is known yet, and a submit must not
 * wait until a long life has been read. The next one goes on. */
const LEARNED_MAX = 20_000;
/** Jobs that were submitted here and may still run: their blocks are known without reading the file again. */
const SUBMITTED_MAX = 100;

export interface KnownBlock {
  readonly key: string;
  readonly start: number;
  readonly tasks: number;
}

export interface KnownRowsPorts {
  readonly self: PeerId;
  /** Jobs that ended here with all their rows, oldest first. */
  done(): readonly JobHeader[];
  blocks(header: JobHeader): Promise<readonly KnownBlock[]>;
  /** With its rows in memory; undefined when some cannot be had. */
  ledger(header: JobHeader): Promise<Ledger | undefined>;
}

export class KnownRows {
  readonly #ports: KnownRowsPorts;
  /** Of every job that was looked at: its blocks' first tasks, by key. */
  readonly #learned = new Map<JobId, ReadonlyMap<string, number>>();
  /** Which of them have a block, by key; few have one in common. */
  readonly #jobsWith = new Map<string, Set<JobId>>();
  readonly #submitted = new Map<JobId, readonly KnownBlock[]>();

  constructor(ports: KnownRowsPorts) {
    this.#ports = ports;
  }

  async find(header: JobHeader): Promise<RowBatch[]> {
    const done = this.#ports.done();
    await this.#learn(done, header);
    let wanted = await this.#ports.blocks(header);
    this.#submitted.set(header.job, wanted);
    for (const job of this.#submitted.keys()) {
      if (this.#submitted.size <= SUBMITTED_MAX) break;
      this.#submitted.delete(job);
    }
    const found: RowBatch[] = [];
    for (const old of this.#sharing(wanted, done)) {
      if (wanted.length === 0) break;
      if (!mayShare(old, header)) continue;
      const known = this.#learned.get(old.job) ?? new Map<string, number>();
      const shared = wanted.filter(({ key }) => known.has(key));
      const ledger = shared.length === 0 ? undefined : await this.#ports.ledger(old);
      if (ledger === undefined) continue;
      for (const block of shared) {
        found.push(...copy(ledger, block, known.get(block.key) ?? 0, this.#ports.self));
      }
      wanted = wanted.filter((block) => !known.has(block.key));
    }
    return found;
  }

  /** Newest first, and of a long life only so many: what is far back is looked at by a later submit, or never. */
  async #learn(done: readonly JobHeader[], header: JobHeader): Promise<void> {
    const near = new Set<JobId>();
    let learned = 0;
    let kept = 0;
    for (const old of done.toReversed()) {
      const isNew = !this.#learned.has(old.job);
      if (isNew && (learned >= LEARNED_MAX || !mayShare(old, header))) continue;
      if (isNew) learned += await this.#read(old);
      kept += this.#learned.get(old.job)?.size ?? 0;
      if (kept > BLOCKS_MAX) break;
      near.add(old.job);
    }
    for (const job of this.#learned.keys()) if (!near.has(job)) this.#forget(job);
  }

  /** Resolves with the number of its blocks. */
  async #read(old: JobHeader): Promise<number> {
    // A job whose file has gone shares nothing.
    const blocks = this.#submitted.get(old.job) ?? (await this.#ports.blocks(old).catch(() => []));
    this.#submitted.delete(old.job);
    const remembered = blocks.slice(0, LEARNED_MAX);
    this.#learned.set(old.job, new Map(remembered.map(({ key, start }) => [key, start])));
    for (const { key } of remembered) {
      this.#jobsWith.set(key, (this.#jobsWith.get(key) ?? new Set()).add(old.job));
    }
    return blocks.length;
  }

  #forget(job: JobId): void {
    const keys = this.#learned.get(job)?.keys() ?? [];
    this.#learned.delete(job);
    for (const key of keys) {
      const jobs = this.#jobsWith.get(key);
      jobs?.delete(job);
      if (jobs?.size === 0) this.#jobsWith.delete(key);
    }
  }

  /** Jobs that have one of the blocks, newest first. */
  #sharing(blocks: readonly KnownBlock[], done: readonly JobHeader[]): readonly JobHeader[] {
    const jobs = new Set(blocks.flatMap(({ key }) => [...(this.#jobsWith.get(key) ?? [])]));
    return jobs.size === 0 ? [] : done.filter(({ job }) => jobs.has(job)).toReversed();
  }
}

/** Cheap: most jobs of a peer have nothing to do with each other. */
function mayShare(old: JobHeader, fresh: JobHeader): boolean {
  const datasets = new Set(old.datasets.map(({ sha256 }) => sha256));
  return (
    old.kernel === fresh.kernel &&
    old.rowWidth === fresh.rowWidth &&
    fresh.datasets.some(({ sha256 }) => datasets.has(sha256))
  );
}

/** The block's rows under their new numbers. `from`: the block's first task in the old job. */
function copy(ledger: Ledger, block: KnownBlock, from: number, maker: PeerId): RowBatch[] {
  const old: Interval = [from, from + block.tasks];
  const good = ledger.present.subtract(ledger.failures).intersect([old]);
  const batches: RowBatch[] = [];
  for (const [start, end] of good.intervals()) {
    for (let first = start; first < end; first += BATCH_ROWS_MAX) {
      const rows = Math.min(BATCH_ROWS_MAX, end - first);
      const values = new Float64Array(rows * ledger.rowWidth);
      for (let i = 0; i < rows; i++) ledger.readRow(first + i, values, i * ledger.rowWidth);
      const at = first - from + block.start;
      batches.push({ kind: 'rows', maker, intervals: [[at, at + rows]], values });
    }
  }
  return batches;
}
