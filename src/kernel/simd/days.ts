// Daily returns of a run that jumps from trade to trade: the twin of fast/days.ts.

let dayBars: usize = 0;
let dayCloses: usize = 0;
let dayCount: i32 = 0;
let returns: usize = 0;
let nextDay: i32 = 0;
/** Last bar of the next day; behind the last day none is before it. */
let nextEnd: i32 = 0;
let dayBefore: f64 = 0;

export function setDays(bars: usize, closes: usize, count: i32, out: usize): void {
  dayBars = bars;
  dayCloses = closes;
  dayCount = count;
  returns = out;
}

export function resetDays(): void {
  goTo(0);
  dayBefore = NaN;
}

// @ts-ignore: decorator
@inline
function goTo(day: i32): void {
  nextDay = day;
  nextEnd = day < dayCount ? dayEnd(day) : i32.MAX_VALUE;
}

/** Whether there is a day to sample before `bar`: most trades end on the day on which they began. */
// @ts-ignore: decorator
@inline
export function endsDayBefore(bar: i32): bool {
  return nextEnd < bar;
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

/** Some day ends before `bar`. */
export function sampleFlat(bar: i32, value: f64): void {
  let day = nextDay;
  putReturn(day++, dayBefore > 0 ? value / dayBefore - 1 : 0);
  dayBefore = value;
  const unchanged: f64 = value > 0 ? value / value - 1 : 0;
  while (day < dayCount && dayEnd(day) < bar) putReturn(day++, unchanged);
  goTo(day);
}

export function sampleHeld(bar: i32, equity: f64, size: f64, entryPrice: f64): void {
  let day = nextDay;
  let before = dayBefore;
  while (day < dayCount && dayEnd(day) < bar) {
    const value = equity + size * (load<f64>(dayCloses + (<usize>day << 3)) - entryPrice);
    putReturn(day++, before > 0 ? value / before - 1 : 0);
    before = value;
  }
  goTo(day);
  dayBefore = before;
}
