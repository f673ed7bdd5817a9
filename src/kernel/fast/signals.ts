// Which bar's close decides what next, answered by looking ahead in the conditions' bits. The meaning is the
// reference's: an entry whose own exit holds as well is none, and both sides' entries at once cancel out.

import { BitSearch } from './bit-search.ts';
import type { FastPlan, FastSide } from './plan.ts';

export class Signals {
  readonly #longEntry = new BitSearch();
  readonly #shortEntry = new BitSearch();
  readonly #longExit = new BitSearch();
  readonly #shortExit = new BitSearch();
  #limit = 0;
  /** Where the entry is that nextEntry found. */
  #bar = 0;

  get bar(): number {
    return this.#bar;
  }

  /** Decisions at `limit` and later are none. */
  reset({ long, short }: FastPlan, limit: number): void {
    this.#limit = limit;
    resetSide(long, limit, { entry: this.#longEntry, exit: this.#longExit });
    resetSide(short, limit, { entry: this.#shortEntry, exit: this.#shortExit });
  }

  /** First bar at or after `from` whose close calls for an entry, in `bar`; returns its side, 0: there is
   * none. */
  nextEntry(from: number): number {
    let long = this.#longEntry.next(from);
    let short = this.#shortEntry.next(from);
    while (long === short && long < this.#limit) {
      short = this.#shortEntry.next(long + 1);
      long = this.#longEntry.next(long + 1);
    }
    this.#bar = Math.min(long, short);
    if (long === short) return 0;
    return long < short ? 1 : -1;
  }

  /** First bar at or after `from` whose close calls for an exit from `side`; the limit: there is none. */
  nextExit(side: number, from: number): number {
    return (side === 1 ? this.#longExit : this.#shortExit).next(from);
  }

  /** First bar at or after `from` whose close calls for an entry opposite to `side`, one that the plan has; the
   * limit: there is none. */
  nextOpposite(side: number, from: number): number {
    const own = side === 1 ? this.#longEntry : this.#shortEntry;
    const other = side === 1 ? this.#shortEntry : this.#longEntry;
    let bar = other.next(from);
    while (bar < this.#limit && own.holdsAt(bar)) bar = other.next(bar + 1);
    return bar;
  }
}

function resetSide(
  side: FastSide | null,
  limit: number,
  { entry, exit }: { entry: BitSearch; exit: BitSearch },
): void {
  if (side === null) {
    entry.resetToNever(limit);
    exit.resetToNever(limit);
    return;
  }
  entry.reset(side.enter, side.exit, limit);
  if (side.exit.length === 0) exit.resetToNever(limit);
  else exit.reset(side.exit, [], limit);
}
