// The last steals that this peer saw, as thief and as victim: who, whom, how much, why, and what was refused. For
// people; nothing decides by it.
import type { JobId, PeerId } from './ids.ts';

/** Why work changes hands unasked, or that it was asked for. */
export type StealReason =
  /** A thief asked. */
  | 'asked'
  /** The first wave of a job. */
  | 'seed'
  /** A lifeline was armed here. */
  | 'lifeline'
  /** The victim goes, drains, or cannot run the job. */
  | 'handBack'
  /** Nothing else was left, and the thief ends a long task sooner. */
  | 'copy'
  /** A suspicious task goes to a peer that has not tried it. */
  | 'retry'
  /** Two peers have two rows for a task, and a third computes it. */
  | 'judge';

export interface StealEntry {
  /** Clock of the peer that keeps the log. */
  readonly atMs: number;
  readonly thief: PeerId;
  readonly victim: PeerId;
  readonly outcome: 'granted' | 'refused' | 'noAnswer';
  /** Why it came about, or why it was refused. */
  readonly why: string;
  /** undefined when nothing changed hands. */
  readonly job: JobId | undefined;
  readonly tasks: number;
  readonly work: number;
}

/** Entries kept: some seconds of a storm, hours of calm. */
const ENTRIES_MAX = 256;

export class StealLog {
  #entries: StealEntry[] = [];

  add(entry: StealEntry): void {
    this.#entries.push(entry);
    if (this.#entries.length > 2 * ENTRIES_MAX) this.#entries = this.#entries.slice(-ENTRIES_MAX);
  }

  /** Newest last. */
  entries(): readonly StealEntry[] {
    return this.#entries.slice(-ENTRIES_MAX);
  }
}
