// The cores of production, as a scenario places them.
import { StealingCore } from '../core.ts';
import { TieredCore } from '../tiers/tiered-core.ts';
import type { CoreFactory } from './shell.ts';

/** Alone in a mesh where everybody knows everybody, in tiers where peers form groups. */
export const realCore: CoreFactory = ({ place, ...setup }) =>
  place === undefined ? new StealingCore(setup) : new TieredCore({ ...setup, place });
