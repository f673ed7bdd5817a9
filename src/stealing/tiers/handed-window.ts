// The window of a core whose slots are not threads but a group of peers: opened and shrunk by the core like the cursor
// that threads claim from, and taken from by the link that hands tasks to the group.
import type { OpenWindow, WindowOpening } from '../../deque/cursor.ts';
import { countTasks, type Interval } from '../../deque/interval-set.ts';
import { invariant } from '../../invariant.ts';

export class HandedWindow implements OpenWindow {
  /** In run order. */
  #intervals: Interval[] = [];
  #jobNumber = 0;
  #id = 0;
  #remaining = 0;

  open({ jobNumber, intervals }: WindowOpening): number {
    invariant(this.#remaining === 0, 'a window opens only when the one before is exhausted');
    this.#jobNumber = jobNumber;
    this.#intervals = [...intervals];
    this.#remaining = countTasks(intervals);
    return ++this.#id;
  }

  remaining(): number {
    return this.#remaining;
  }

  window(): { readonly id: number; readonly jobNumber: number } | undefined {
    if (this.#remaining === 0) return undefined;
    return { id: this.#id, jobNumber: this.#jobNumber };
  }

  /** From the far end, in run order. */
  shrink(maxTasks: number): Interval[] {
    const taken: Interval[] = [];
    let room = Math.min(Math.floor(maxTasks), this.#remaining);
    this.#remaining -= room;
    while (room > 0) {
      const [start, end] = this.#intervals.pop()!;
      const cut = Math.max(start, end - room);
      if (cut > start) this.#intervals.push([start, cut]);
      taken.push([cut, end]);
      room -= end - cut;
    }
    return taken.toReversed();
  }

  /** From the near end, in run order: the group has them from here on. */
  take(maxTasks: number): Interval[] {
    const taken: Interval[] = [];
    let room = Math.min(Math.floor(maxTasks), this.#remaining);
    this.#remaining -= room;
    let emptied = 0;
    while (room > 0) {
      const [start, end] = this.#intervals[emptied]!;
      const cut = Math.min(end, start + room);
      if (cut < end) this.#intervals[emptied] = [cut, end];
      else emptied++;
      taken.push([start, cut]);
      room -= cut - start;
    }
    this.#intervals.splice(0, emptied);
    return taken;
  }

  /** A group takes what it needs. */
  setMicroBatch(_tasks: number): void {}

  /** Who of the group runs what is decided there. */
  keepAside(_slots: ReadonlySet<number>): void {}

  /** What the group runs is not known slot by slot. */
  claimOf(_slot: number): undefined {
    return undefined;
  }
}
