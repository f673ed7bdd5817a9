// Bugs planted between the tiers of a mesh of groups: each must be found within 2,000 schedules, and the sound code must
// pass the very seeds that found it.
import { afterEach, describe, expect, test } from 'vitest';
import { IntervalSet } from '../../src/deque/interval-set.ts';
import { StealingCore } from '../../src/stealing/core.ts';
import { drawBrief } from '../../src/stealing/simulate/brief.ts';
import { grouped } from '../../src/stealing/simulate/grouped.ts';
import { judge } from '../../src/stealing/simulate/judge.ts';
import { realCore } from '../../src/stealing/simulate/real-core.ts';
import type { FaultKind } from '../../src/stealing/simulate/scenario.ts';
import { Link } from '../../src/stealing/tiers/link.ts';
import { Speaking } from '../../src/stealing/tiers/speaking.ts';
import { replace, undoAll } from './plant.ts';

const SEEDS_MAX = 2_000;

interface Planted {
  readonly breaks: string;
  readonly kinds: readonly FaultKind[];
  readonly plant: () => void;
}

afterEach(undoAll);

const PLANTED: readonly Planted[] = [
  {
    breaks: 'a speaker that hears of a later one speaks on',
    kinds: ['partition', 'pause'],
    plant: () =>
      replace(
        Speaking,
        'heard',
        (heard) =>
          function (this: Speaking, word, nowMs) {
            const isOther = this.isSelf && word.peer !== this.current?.peer;
            return isOther ? false : heard.call(this, word, nowMs);
          },
      ),
  },
  {
    breaks: 'a group does not answer for what it was handed',
    kinds: ['kill', 'powerLoss'],
    plant: () =>
      replace(
        StealingCore,
        'handle',
        (handle) =>
          function (this: StealingCore, input, nowMs) {
            const outputs = handle.call(this, input, nowMs);
            const job = input.kind === 'tasksHanded' ? this.book(input.job) : undefined;
            if (job !== undefined) job.scope = new IntervalSet();
            return outputs;
          },
      ),
  },
  {
    breaks: 'a group hears of no end',
    kinds: [],
    plant: () =>
      replace(
        Link,
        'look',
        (look) =>
          function (this: Link, nowMs) {
            return look.call(this, nowMs).filter(({ input }) => input.kind !== 'jobEndedBeyond');
          },
      ),
  },
  {
    breaks: 'rows go up in the wrong order',
    kinds: [],
    plant: () =>
      replace(
        Link,
        'look',
        (look) =>
          function (this: Link, nowMs) {
            return look.call(this, nowMs).map(({ to, input }) => {
              if (input.kind !== 'rowsCounted') return { to, input };
              const batches = input.batches.map((batch) => ({
                ...batch,
                values: batch.values.toReversed(),
              }));
              return { to, input: { ...input, batches } };
            });
          },
      ),
  },
];

function findings(seed: number, kinds: readonly FaultKind[]): string[] {
  const { violations } = judge(grouped(drawBrief(seed, kinds)), { makeCore: realCore });
  return violations.map(({ check }) => check);
}

describe('a mesh of groups with a planted bug', () => {
  test.each(PLANTED)('is caught when $breaks, on a seed that the sound one passes', (planted) => {
    planted.plant();
    let seed = 0;
    let found: string[] = [];
    while (seed < SEEDS_MAX && found.length === 0) found = findings(++seed, planted.kinds);
    undoAll();
    expect(found, `${planted.breaks}: nothing found in ${seed} seeds`).not.toEqual([]);
    for (let passed = 1; passed <= Math.min(seed, 10); passed++) {
      expect(findings(passed, planted.kinds), `the sound mesh, seed ${passed}`).toEqual([]);
    }
    expect(findings(seed, planted.kinds), `the sound mesh, seed ${seed}`).toEqual([]);
  });
});
