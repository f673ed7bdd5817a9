// What every task on one dataset stands on: its candles, the extremes of blocks of them, and where days end. Either in
// the memory that all slots share, once for the whole peer, or in this thread's own.
import type { Market } from '../engine/market.ts';
import type { Candles } from '../job.ts';
import type { Column, Columns } from './columns.ts';
import { type DayEnds, dayEnds } from './days.ts';
import type { NativeKernel } from './native.ts';
import { Pyramid, levelSizes } from './pyramid.ts';

export interface Ground {
  readonly candles: Candles;
  readonly lowsAndHighs: Pyramid;
  readonly closes: Pyramid;
  readonly dayEnds: DayEnds;
}

/** Pointers are byteOffsets of the views. */
export interface SharedGround extends Ground {
  readonly touches: Float64Array;
  /** Pointer to the levels of simd/reach.ts. */
  readonly reach: number;
  readonly blocksOfCloses: Float64Array;
  /** All that must be alive. */
  readonly columns: readonly Column[];
}

export function ownGround(market: Market): Ground {
  const { candles } = market;
  return {
    candles,
    lowsAndHighs: new Pyramid(candles.low, candles.high),
    closes: new Pyramid(candles.close, candles.close),
    dayEnds: dayEnds(market),
  };
}

export interface GroundParts {
  readonly columns: Columns;
  readonly native: NativeKernel;
  /** Names the candles' content. */
  readonly dataset: string;
}

/** Undefined: there is no room for it. */
export function sharedGround(
  market: Market,
  { columns, native, dataset }: GroundParts,
): SharedGround | undefined {
  const { candles, first, end } = market;
  const { barCount } = candles;
  const all: Column[] = [];
  const obtain = (
    name: string,
    bytes: number,
    fill: (column: Column) => void,
  ): Column | undefined => {
    const key = `${dataset}#${name}`;
    let column = columns.find(key);
    if (column === undefined) {
      column = columns.reserve(key, bytes);
      if (column === undefined) return undefined;
      fill(column);
      columns.publish(key, column, 0);
    }
    all.push(column);
    return column;
  };
  const series = (name: string, values: () => Float64Array): Float64Array | undefined => {
    const column = obtain(name, values().byteLength, (to) => columns.float64(to).set(values()));
    return column && columns.float64(column);
  };
  const timeMs = series('timeMs', () => candles.timeMs);
  const open = series('open', () => candles.open);
  const high = series('high', () => candles.high);
  const low = series('low', () => candles.low);
  const close = series('close', () => candles.close);
  const volume = series('volume', () => candles.volume);
  if (!timeMs || !open || !high || !low || !close || !volume) return undefined;
  const [by16, by256, by4096] = levelSizes(barCount);
  const pyramid = (
    name: string,
    lows: Float64Array,
    highs: Float64Array,
  ): Float64Array | undefined => {
    const column = obtain(name, 8 * (by16 + by256 + by4096), ({ byteOffset }) => {
      native.blocks(lows.byteOffset, highs.byteOffset, byteOffset, barCount);
      const at256 = byteOffset + 8 * by16;
      native.mergedBlocks(byteOffset, at256, by16 / 2);
      native.mergedBlocks(at256, at256 + 8 * by256, by256 / 2);
    });
    return column && columns.float64(column);
  };
  const touches = pyramid('touches', low, high);
  const blocksOfCloses = pyramid('closes', close, close);
  const reachBytes = GROUP_BYTES * sum(reachGroups(barCount));
  const reach = obtain('reach', reachBytes, (to) => writeReach(native, { low, high }, to));
  const range = `${first}-${end}`;
  const days = dayEnds(market);
  const dayCloses = series(`dayCloses ${range}`, () => days.closes);
  const dayBars = obtain(`dayBars ${range}`, days.bars.byteLength, (to) =>
    columns.int32(to).set(days.bars),
  );
  if (!touches || !reach || !blocksOfCloses || !dayCloses || !dayBars) return undefined;
  return {
    candles: { barCount, timeMs, open, high, low, close, volume },
    lowsAndHighs: new Pyramid(low, high, touches),
    closes: new Pyramid(close, close, blocksOfCloses),
    dayEnds: { bars: columns.int32(dayBars), closes: dayCloses },
    touches,
    reach: reach.byteOffset,
    blocksOfCloses,
    columns: all,
  };
}

/** Of one group of 16 lows and highs. */
const GROUP_BYTES = 128;

/** Groups in each of the three levels of simd/reach.ts. */
function reachGroups(barCount: number): number[] {
  const groups: number[] = [];
  for (
    let entries = Math.ceil(barCount / 16);
    groups.length < 3;
    entries = groups.at(-1) as number
  ) {
    groups.push(Math.ceil(entries / 16));
  }
  return groups;
}

function writeReach(
  native: NativeKernel,
  { low, high }: { readonly low: Float64Array; readonly high: Float64Array },
  { byteOffset }: Column,
): void {
  native.reachOfBlocks(low.byteOffset, high.byteOffset, byteOffset, low.length);
  let at = byteOffset;
  for (const groups of reachGroups(low.length).slice(0, -1)) {
    native.reachOfGroups(at, at + GROUP_BYTES * groups, groups);
    at += GROUP_BYTES * groups;
  }
}

function sum(values: readonly number[]): number {
  return values.reduce((total, value) => total + value, 0);
}
