// Rows that this peer has already, for a job that is about to be submitted: found by the hashes of its blocks in jobs
// that ended well here, newest first. Whatever used up its attempts there runs again.
import type { Interval } from '../../deque/interval-set.ts';
import type { PeerId } from '../../stealing/ids.ts';
import type { JobHeader, RowBatch } from '../../stealing/job.ts';
import type { Ledger } from '../../stealing/ledger.ts';

/** Rows of one batch: what a flush holds. */
const BATCH_ROWS_MAX = 4_096;
/** Jobs whose blocks are remembered; each is some kilobytes. */
const JOBS_MAX = 1_000;

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
  readonly #blocks = new Map<string, readonly KnownBlock[]>();

  constructor(ports: KnownRowsPorts) {
    this.#ports = ports;
  }

  async find(header: JobHeader): Promise<RowBatch[]> {
    let wanted = await this.#ports.blocks(header);
    const found: RowBatch[] = [];
    for (const old of [...this.#ports.done()].toReversed()) {
      if (wanted.length === 0) break;
      if (!mayShare(old, header)) continue;
      const known = new Map((await this.#blocksOf(old)).map((block) => [block.key, block]));
      const shared = wanted.filter(({ key }) => known.has(key));
      if (shared.length === 0) continue;
      const ledger = await this.#ports.ledger(old);
      if (ledger === undefined) continue;
      for (const block of shared) {
        const from = known.get(block.key)?.start ?? 0;
        found.push(...copy(ledger, block, from, this.#ports.self));
      }
      wanted = wanted.filter((block) => !shared.includes(block));
    }
    return found;
  }

  async #blocksOf(header: JobHeader): Promise<readonly KnownBlock[]> {
    const known = this.#blocks.get(header.job);
    if (known !== undefined) return known;
    // A job whose file has gone shares nothing.
    const blocks = await this.#ports.blocks(header).catch(() => []);
    this.#blocks.set(header.job, blocks);
    for (const oldest of this.#blocks.keys()) {
      if (this.#blocks.size <= JOBS_MAX) break;
      this.#blocks.delete(oldest);
    }
    return blocks;
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
