// Which strategies the fast engine runs. Everything else is for the reference engine, which runs all: whatever a
// strategy or a broker says that is not in the lists here, this engine does not claim to understand.

import type { BrokerSpec } from '../spec.ts';
import type { Strategy } from '../strategy.ts';

const STRATEGY_KEYS: ReadonlySet<string> = new Set<keyof Strategy>([
  'name',
  'grid',
  'long',
  'short',
  'stopLoss',
  'takeProfit',
  'trailingStop',
  'breakeven',
  'maxBars',
  'cooldown',
  'reverse',
  'size',
]);

const SIDE_KEYS: ReadonlySet<string> = new Set(['enter', 'exit']);
const SIZE_KINDS: ReadonlySet<string> = new Set(['equity', 'cash', 'units', 'risk']);

const BROKER_KEYS: ReadonlySet<string> = new Set<keyof BrokerSpec>([
  'cash',
  'fee',
  'slippage',
  'lot',
  'fill',
  'stopReference',
  'sameBar',
]);

export function supports(strategy: Strategy, broker: BrokerSpec): boolean {
  const { long, short, size } = strategy;
  return (
    broker.fill === 'nextOpen' &&
    broker.cash > 0 &&
    SIZE_KINDS.has(size.kind) &&
    saysNothingElse(broker, BROKER_KEYS) &&
    saysNothingElse(strategy, STRATEGY_KEYS) &&
    [long, short].every((side) => side === null || saysNothingElse(side, SIDE_KEYS))
  );
}

/** Nothing that is switched on has a name that is not known. */
function saysNothingElse(value: object, known: ReadonlySet<string>): boolean {
  return Object.entries(value).every(
    ([key, content]) =>
      known.has(key) || content === null || content === false || content === undefined,
  );
}
