// What a central queue without any delay would take: the measure for what the mesh costs.

export interface SlotGroup {
  readonly slots: number;
  /** 1 is the reference machine. */
  readonly speed: number;
}

/** ms for equal tasks: the least T in which the slots finish that many, each whole tasks only. */
export function greedyMs(tasks: number, taskMs: number, groups: readonly SlotGroup[]): number {
  if (tasks <= 0) return 0;
  const finished = (ms: number): number =>
    groups.reduce(
      (sum, { slots, speed }) => sum + slots * Math.floor((ms * speed) / taskMs + 1e-9),
      0,
    );
  let low = 0;
  let high = tasks * taskMs * 2;
  for (const { speed } of groups) high = Math.max(high, (tasks * taskMs) / speed);
  for (let i = 0; i < 80; i++) {
    const middle = (low + high) / 2;
    if (finished(middle) >= tasks) high = middle;
    else low = middle;
  }
  return high;
}
