// A laptop away from its mains keeps the second half of its battery for the person: it takes no work of others then, and
// goes on with its own jobs. By default, on every system whose battery can be read.
import { lookRegularly } from './look-regularly.ts';

export interface Battery {
  /** Undefined: nobody knows, or there is none. */
  readonly isOnBattery: boolean | undefined;
  /** 0..100. */
  readonly batteryPercent: number | undefined;
}

/** ms between two looks; a battery loses some tenths of a percent in that time. */
const LOOK_MS = 30_000;
/** Percent below which nothing is taken, and at which it is again: a reading that trembles must not switch it. */
const LOW_PERCENT = 50;
const ENOUGH_PERCENT = 55;

/** Whether a peer that does so at present (`isSparing`) or not shall take no work of others. */
export function shouldSpare({ isOnBattery, batteryPercent }: Battery, isSparing: boolean): boolean {
  if (isOnBattery !== true || batteryPercent === undefined) return false;
  return batteryPercent < (isSparing ? ENOUGH_PERCENT : LOW_PERCENT);
}

/** Tells every change; returns how to stop. */
export function keepSparing(
  tell: (isWanted: boolean) => void,
  look: () => Promise<Battery>,
  lookMs: number = LOOK_MS,
): () => void {
  let isSparing = false;
  return lookRegularly(async () => {
    const isWanted = shouldSpare(await look(), isSparing);
    if (isWanted !== isSparing) tell(isWanted);
    isSparing = isWanted;
  }, lookMs);
}
