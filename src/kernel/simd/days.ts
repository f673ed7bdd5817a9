// Daily returns of a run that jumps from trade to trade: the twin of fast/days.ts.

let dayBars: usize = 0;
let dayCloses: usize = 0;
let dayCount: i32 = 0;
let returns: usize = 0;
let nextDay: i32 = 0;
let dayBefore: f64 = 0;

export function setDays(bars: usize, closes: usize, count: i32, out: usize): void {
  dayBars = bars;
  dayCloses = closes;
  dayCount = count;
  returns = out;
}

export function resetDays(): void {
  nextDay = 0;
  dayBefore = NaN;
}

// @ts-ignore: decorator
@inline
function dayEnd(day: i32): i32 {
  return load<i32>(dayBars + (<usize>day << 2));
}

// @ts-ignore: decorator
@inline
function putReturn(day: i32, value: f64): void {
  store<f64>(returns + (<usize>day << 3), value);
}

export function sampleFlat(bar: i32, value: f64): void {
  let day = nextDay;
  if (!(day < dayCount && dayEnd(day) < bar)) return;
  putReturn(day++, dayBefore > 0 ? value / dayBefore - 1 : 0);
  dayBefore = value;
  const unchanged: f64 = value > 0 ? value / value - 1 : 0;
  while (day < dayCount && dayEnd(day) < bar) putReturn(day++, unchanged);
  nextDay = day;
}

export function sampleHeld(bar: i32, equity: f64, size: f64, entryPrice: f64): void {
  let day = nextDay;
  let before = dayBefore;
  while (day < dayCount && dayEnd(day) < bar) {
    const value = equity + size * (load<f64>(dayCloses + (<usize>day << 3)) - entryPrice);
    putReturn(day++, before > 0 ? value / before - 1 : 0);
    before = value;
  }
  nextDay = day;
  dayBefore = before;
}
