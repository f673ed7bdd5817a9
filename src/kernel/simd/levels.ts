// Distances of stops and targets as the plan wrote them into scratch memory: the twin of fast/levels.ts. Distance 0 is
// the stop loss, 1 the take profit, 2 the trailing stop, 3 the breakeven stop.

let distances: usize = 0;

export function placeDistances(at: usize): void {
  distances = at;
}

// @ts-ignore: decorator
@inline
export function kindOf(distance: i32): u32 {
  return load<u32>(distances + (<usize>distance << 4), 8);
}

export function isDistance(distance: i32, signalBar: i32): bool {
  const kind = kindOf(distance);
  if (kind <= 1) return true;
  const units = load<f64>(<usize>kind + (<usize>signalBar << 3));
  return units > 0 && units < Infinity;
}

export function levelOf(distance: i32, signalBar: i32, base: f64, direction: f64): f64 {
  const kind = kindOf(distance);
  if (kind == 0) return NaN;
  if (kind == 1) {
    return base * (1 + direction * load<f64>(distances + (<usize>distance << 4)));
  }
  return base + direction * load<f64>(<usize>kind + (<usize>signalBar << 3));
}
