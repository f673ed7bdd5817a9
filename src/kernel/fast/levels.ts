// Stop, target and quantity of a new position: what the reference computes at an entry, without its objects.

import type { Distance } from '../engine/plan.ts';
import type { FastPlan } from './plan.ts';

/** False when a distance in price units is undefined or not above zero at the signal bar: no trade without its
 * stop. */
export function isDistance(distance: Distance | null, signalBar: number): boolean {
  if (distance === null || distance.kind === 'fraction') return true;
  const units = distance.values[signalBar] as number;
  return units > 0 && units < Infinity;
}

/** The price `distance` away from `base`, up (1) or down (-1); NaN without a distance. */
export function levelOf(
  distance: Distance | null,
  signalBar: number,
  base: number,
  direction: number,
): number {
  if (distance === null) return NaN;
  if (distance.kind === 'fraction') return base * (1 + direction * distance.value);
  return base + direction * (distance.values[signalBar] as number);
}

/** What the equity can pay for at `cost` per unit, fee included, as whole lots; 0: no trade. Sizes by risk have
 * a function of their own. */
export function quantityAt(
  { kind, value }: FastPlan['size'],
  lot: number,
  equity: number,
  cost: number,
): number {
  if (!(equity > 0)) return 0;
  if (kind === 'units') {
    const units = lot > 0 ? Math.floor(value / lot + 1e-9) * lot : value;
    return units * cost <= equity ? units : 0;
  }
  const quantity = (kind === 'equity' ? equity * value : Math.min(value, equity)) / cost;
  return lot > 0 ? Math.floor(quantity / lot) * lot : quantity;
}

/** The quantity that loses no more than a fraction of the equity at the stop, where it can be paid for. */
export function quantityByRisk(
  { risk, lossPerUnit }: { readonly risk: number; readonly lossPerUnit: number },
  lot: number,
  equity: number,
  cost: number,
): number {
  if (!(equity > 0) || !(lossPerUnit > 0)) return 0;
  const quantity = Math.min((equity * risk) / lossPerUnit, equity / cost);
  return lot > 0 ? Math.floor(quantity / lot) * lot : quantity;
}
