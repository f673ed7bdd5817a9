// Stop, target and quantity of a new position: what the reference computes at an entry, without its objects.

import type { Distance } from '../engine/plan.ts';
import type { BrokerSpec } from '../spec.ts';
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

/** What the equity can pay for with its fee, as whole lots; 0: no trade. `lossPerUnit` is what the stop would
 * cost. */
export function quantityAt(
  { kind, value }: FastPlan['size'],
  { fee, lot }: BrokerSpec,
  { equity, price, lossPerUnit }: { equity: number; price: number; lossPerUnit: number },
): number {
  const cost = price * (1 + fee);
  if (!(equity > 0)) return 0;
  if (kind === 'units') {
    const units = lot > 0 ? Math.floor(value / lot + 1e-9) * lot : value;
    return units * cost <= equity ? units : 0;
  }
  let quantity: number;
  if (kind === 'risk') {
    if (!(lossPerUnit > 0)) return 0;
    quantity = Math.min((equity * value) / lossPerUnit, equity / cost);
  } else {
    const spend = kind === 'equity' ? equity * value : Math.min(value, equity);
    quantity = spend / cost;
  }
  return lot > 0 ? Math.floor(quantity / lot) * lot : quantity;
}
