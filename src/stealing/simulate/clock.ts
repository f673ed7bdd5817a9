// Virtual time: one heap of alarms ordered by (time, order of arming). Nothing in a simulation happens outside
// an alarm, so a run is a function of its seed alone and hours pass in milliseconds.

export interface Alarm {
  readonly atMs: number;
  readonly order: number;
  /** Undefined once it rang or was called off. */
  ring: (() => void) | undefined;
}

export class VirtualClock {
  #heap: Alarm[] = [];
  #armed = 0;
  #nowMs = 0;
  #rung = 0;

  get nowMs(): number {
    return this.#nowMs;
  }

  /** Alarms that rang so far: the length of the run. */
  get rung(): number {
    return this.#rung;
  }

  /** An alarm in the past rings now, after those that were armed for now before it. */
  at(atMs: number, ring: () => void): Alarm {
    const alarm: Alarm = { atMs: Math.max(atMs, this.#nowMs), order: this.#armed++, ring };
    this.#heap.push(alarm);
    this.#siftUp(this.#heap.length - 1);
    return alarm;
  }

  after(delayMs: number, ring: () => void): Alarm {
    return this.at(this.#nowMs + delayMs, ring);
  }

  callOff(alarm: Alarm | undefined): void {
    if (alarm !== undefined) alarm.ring = undefined;
  }

  /** Rings the next alarm; false when none is left. */
  step(): boolean {
    for (;;) {
      const next = this.#pop();
      if (next === undefined) return false;
      const ring = next.ring;
      if (ring === undefined) continue;
      next.ring = undefined;
      this.#nowMs = next.atMs;
      this.#rung++;
      ring();
      return true;
    }
  }

  #pop(): Alarm | undefined {
    const first = this.#heap[0];
    const last = this.#heap.pop();
    if (first === undefined || last === undefined || this.#heap.length === 0) return first;
    this.#heap[0] = last;
    this.#siftDown();
    return first;
  }

  #siftUp(from: number): void {
    let at = from;
    while (at > 0) {
      const parent = (at - 1) >> 1;
      if (!this.#swapIfEarlier(at, parent)) return;
      at = parent;
    }
  }

  #siftDown(): void {
    let at = 0;
    for (;;) {
      const left = 2 * at + 1;
      if (left >= this.#heap.length) return;
      const right = left + 1;
      const child = right < this.#heap.length && this.#isEarlier(right, left) ? right : left;
      if (!this.#swapIfEarlier(child, at)) return;
      at = child;
    }
  }

  #isEarlier(left: number, right: number): boolean {
    const a = this.#heap[left]!;
    const b = this.#heap[right]!;
    return a.atMs < b.atMs || (a.atMs === b.atMs && a.order < b.order);
  }

  #swapIfEarlier(child: number, parent: number): boolean {
    if (!this.#isEarlier(child, parent)) return false;
    const moved = this.#heap[child]!;
    this.#heap[child] = this.#heap[parent]!;
    this.#heap[parent] = moved;
    return true;
  }
}
