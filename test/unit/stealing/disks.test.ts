// On how many live disks each row lies, kept step by step, against a count that asks every disk anew.
import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { type Interval, IntervalSet } from '../../../src/deque/interval-set.ts';
import { Disks } from '../../../src/stealing/disks.ts';
import { type PeerId, peerId } from '../../../src/stealing/ids.ts';

const PEERS = ['a', 'b', 'c', 'd'].map(peerId);
const TASKS = 20;

const anInterval = fc
  .tuple(fc.nat(TASKS), fc.nat(TASKS))
  .map(([x, y]): Interval => [Math.min(x, y), Math.max(x, y)]);
const aStep = fc.oneof(
  fc.record({ kind: fc.constant('mark'), peer: fc.constantFrom(...PEERS), interval: anInterval }),
  fc.record({ kind: fc.constant('forget'), interval: anInterval }),
  fc.record({ kind: fc.constant('live'), live: fc.subarray(PEERS) }),
);

describe('the disks of a job', () => {
  it('know what one and what two live disks have, whoever writes, forgets, comes or is lost', () => {
    fc.assert(
      fc.property(fc.array(aStep, { maxLength: 40, size: 'max' }), (steps) => {
        const disks = new Disks();
        const model = new Map(PEERS.map((peer) => [peer, new Set<number>()]));
        let live: readonly PeerId[] = PEERS;
        for (const step of steps) {
          if ('live' in step) live = step.live;
          else if ('peer' in step) {
            disks.mark(step.peer, [step.interval]);
            for (const task of range(step.interval)) model.get(step.peer)?.add(task);
          } else {
            disks.forget(...step.interval);
            for (const disk of model.values())
              for (const task of range(step.interval)) disk.delete(task);
          }
          for (const atLeast of [1, 2] as const) {
            const expected = range([0, TASKS]).filter(
              (task) => live.filter((peer) => model.get(peer)?.has(task)).length >= atLeast,
            );
            const wanted = IntervalSet.from(expected.map((task): Interval => [task, task + 1]));
            expect(disks.onLive(live, atLeast).intervals()).toEqual(wanted.intervals());
          }
        }
      }),
    );
  });
});

function range([start, end]: Interval): number[] {
  return Array.from({ length: end - start }, (_, i) => start + i);
}
