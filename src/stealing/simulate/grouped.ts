// The same machines, jobs and faults as a scenario has, in a mesh of groups: a handful of peers is enough for three
// tiers when a group has two or three.
import { peerId } from '../ids.ts';
import { placesOf } from '../tiers/place.ts';
import type { Scenario } from './scenario.ts';

/** Groups of two and three in turns. Of five peers never two, for one would be alone in its group. */
export function grouped(scenario: Scenario): Scenario {
  const { peers, seed } = scenario;
  const sizeMax = peers.length === 5 ? 3 : 2 + (seed % 2);
  const places = placesOf(
    peers.map(({ name }) => peerId(name)),
    sizeMax,
  );
  return { ...scenario, peers: peers.map((p) => ({ ...p, place: places.get(peerId(p.name)) })) };
}
