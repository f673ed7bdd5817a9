// What the owner of a job has looked at of everybody's rows, and what is still open. Data; `audit.ts` decides.
import { IntervalSet } from '../deque/interval-set.ts';
import type { PeerId } from './ids.ts';
import type { RowBatch } from './job.ts';

/** One row that is run again. */
export interface Check {
  readonly task: number;
  readonly maker: PeerId;
  /** Who runs it again: this peer, and for its own rows another. */
  examiner: PeerId;
  /** Its life: the next one knows nothing of it. */
  readonly incarnation: number;
  /** The examiner's row, when it differs from the maker's. */
  found: Float64Array | undefined;
  /** Third peers that were asked, the newest last. */
  readonly judges: PeerId[];
  /** The answer is awaited until then. */
  untilMs: number;
}

interface Answer {
  readonly task: number;
  readonly by: PeerId;
  /** undefined: equal to the known row, bit for bit. */
  readonly row: Float64Array | undefined;
}

export class AuditBook {
  readonly open = new Map<number, Check>();
  /** Makers whose rows were drawn from. */
  readonly drawn = new Set<PeerId>();
  readonly verified = new IntervalSet();
  readonly disputed = new IntervalSet();
  /** Heard and not looked at yet. */
  #answers: Answer[] = [];

  takeAnswers(): Answer[] {
    const answers = this.#answers;
    this.#answers = [];
    return answers;
  }

  /** Rows came; `conflicts` are those that differ from what is known. */
  heard(batch: RowBatch, conflicts: readonly number[], rowWidth: number): void {
    if (batch.kind !== 'rows' || this.open.size === 0) return;
    const isDifferent = new Set(conflicts);
    let row = 0;
    for (const [start, end] of batch.intervals) {
      for (let task = start; task < end; task++, row++) {
        const check = this.open.get(task);
        // What the maker itself says again proves nothing.
        if (check === undefined || check.maker === batch.maker) continue;
        const values = batch.values.slice(row * rowWidth, (row + 1) * rowWidth);
        const differs = isDifferent.has(task);
        this.#answers.push({ task, by: batch.maker, row: differs ? values : undefined });
      }
    }
  }
}
