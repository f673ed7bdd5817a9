// Groups of groups: everybody in one of each tier, none too large, and one that holds all.
import * as fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { type PeerId, peerId } from '../../../../src/stealing/ids.ts';
import { type Place, placesOf } from '../../../../src/stealing/tiers/place.ts';

const namesOf = (count: number): PeerId[] =>
  Array.from({ length: count }, (_, i) => peerId(`p${String(i).padStart(5, '0')}`));

describe('places in a mesh of groups', () => {
  test.each([
    [1, 3, [1]],
    [3, 3, [3]],
    [4, 3, [2, 2]],
    [7, 3, [2, 3]],
    [64, 64, [64]],
    [1_000, 32, [31, 32]],
    [10_000, 22, [21, 21, 21]],
  ])('of %i peers, %i to a group, the first stands in groups of %j', (peers, sizeMax, sizes) => {
    const places = placesOf(namesOf(peers), sizeMax);
    expect(places.get(peerId('p00000'))?.map(({ members }) => members.length)).toEqual(sizes);
  });

  test('peers of one group have the same places, and its doors lie all over it', () => {
    const places = placesOf(namesOf(9), 3);
    expect(places.get(peerId('p00000'))).toEqual(places.get(peerId('p00002')));
    expect(places.get(peerId('p00004'))?.[1]?.doors).toEqual(
      new Map([
        ['group-0.0000', namesOf(9).slice(0, 3)],
        ['group-0.0001', namesOf(9).slice(3, 6)],
        ['group-0.0002', namesOf(9).slice(6, 9)],
      ]),
    );
  });

  test('everybody is in one group of each tier, no group is too large, and one holds all', () => {
    fc.assert(
      fc.property(
        fc.integer({ min: 1, max: 300 }),
        fc.integer({ min: 2, max: 9 }),
        (n, sizeMax) => {
          const names = namesOf(n);
          const places = placesOf(names, sizeMax);
          expect([...places.keys()]).toEqual(names);
          for (const [peer, place] of places) holds(peer, place, sizeMax);
          expect(new Set([...places.values()].map((place) => place.at(-1)?.group)).size).toBe(1);
        },
      ),
    );
  });
});

function holds(peer: PeerId, place: Place, sizeMax: number): void {
  let member = peer;
  for (const { group, members, doors } of place) {
    expect(members).toContain(member);
    expect(members.length).toBeLessThanOrEqual(sizeMax);
    for (const of of doors.values()) expect(of.length).toBeLessThanOrEqual(8);
    member = group;
  }
}
