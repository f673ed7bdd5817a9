// Bugs planted in the core, one method each, named by what they break. Every one must be found by some check within
// 2,000 schedules, and the unpatched core must pass the very seeds that found them.
import { afterEach, describe, expect, test } from 'vitest';
import { IntervalSet } from '../../src/deque/interval-set.ts';
import { Beliefs } from '../../src/stealing/beliefs.ts';
import { StealingCore } from '../../src/stealing/core.ts';
import { Census } from '../../src/stealing/census.ts';
import { Custody } from '../../src/stealing/custody.ts';
import { Greeting } from '../../src/stealing/greeting.ts';
import { JobBook } from '../../src/stealing/job-book.ts';
import { Recording } from '../../src/stealing/recording.ts';
import { CoreState } from '../../src/stealing/state.ts';
import { Thief } from '../../src/stealing/thief.ts';
import { drawBrief } from '../../src/stealing/simulate/brief.ts';
import { judge } from '../../src/stealing/simulate/judge.ts';
import type { FaultKind } from '../../src/stealing/simulate/scenario.ts';
import { replace, replaceGetter, undoAll } from './plant.ts';

const SEEDS_MAX = 2_000;

interface Planted {
  readonly breaks: string;
  readonly kinds: readonly FaultKind[];
  /** First of the seeds, 1 when absent: what only a rare schedule shows is looked for where it is known to be. */
  readonly from?: number;
  readonly plant: () => void;
  /** The check that alone, or first, finds it. */
  readonly by?: string;
}

afterEach(undoAll);

type Life = ReturnType<Beliefs['heard']>;

/** Who speaks is taken for somebody else. */
function mistake(whom: Life, forWhom: Life): void {
  replace(
    Beliefs,
    'heard',
    (heard) =>
      function (this: Beliefs, peer, incarnation, nowMs) {
        const life = heard.call(this, peer, incarnation, nowMs);
        return life === whom ? forWhom : life;
      },
  );
}

const nothing = (): (() => void) => () => {};

const PLANTED: readonly Planted[] = [
  {
    breaks: 'lost work is not queued again',
    kinds: ['kill', 'powerLoss'],
    plant: () =>
      replace(
        JobBook,
        'enqueue',
        (enqueue) =>
          function (this: JobBook, intervals, end) {
            return end === 'bottom' ? 0 : enqueue.call(this, intervals, end);
          },
      ),
  },
  {
    breaks: 'a row waits for no disk before it is told',
    kinds: [],
    plant: () =>
      replace(
        CoreState,
        'send',
        (send) =>
          function (this: CoreState, to, message) {
            send.call(this, to, message);
          },
      ),
  },
  {
    breaks: 'what a lost thief did not confirm stays granted',
    kinds: ['kill', 'noise'],
    plant: () => replace(Custody, 'takeBack', nothing),
  },
  {
    breaks: 'a grant is sent once only',
    kinds: ['noise'],
    plant: () => replace(Custody, 'tick', nothing),
  },
  {
    breaks: 'silence is never a loss',
    kinds: ['powerLoss'],
    plant: () => replace(Beliefs, 'look', () => () => []),
  },
  {
    breaks: 'no second copy is made',
    kinds: ['kill'],
    plant: () => replace(Recording, 'deliverOwed', nothing),
  },
  {
    breaks: 'whoever has the job owns it for ever',
    kinds: ['kill', 'partition'],
    plant: () =>
      replace(
        CoreState,
        'ownerOf',
        (ownerOf) =>
          function (this: CoreState, job) {
            return job.lastOwner === this.self ? this.self : ownerOf.call(this, job);
          },
      ),
  },
  {
    breaks: 'a lifeline is not armed anew at a peer that came back',
    kinds: ['flapping', 'leave'],
    plant: () => replace(Thief, 'forget', nothing),
  },
  {
    breaks: 'a peer that got work once neither asks nor waits again',
    kinds: [],
    from: 1_500,
    plant: () => {
      const fed = new WeakSet<Thief>();
      replace(
        Thief,
        'gotWork',
        (gotWork) =>
          function (this: Thief) {
            fed.add(this);
            gotWork.call(this);
          },
      );
      replace(
        Thief,
        'look',
        (look) =>
          function (this: Thief) {
            if (!fed.has(this)) look.call(this);
          },
      );
    },
  },
  {
    breaks: 'a grant takes one task too many along',
    kinds: [],
    plant: () =>
      replace(
        Custody,
        'grant',
        (grant) =>
          function (this: Custody, to, cause, job, intervals) {
            const wider = intervals.map(([start, end]) => [Math.max(0, start - 1), end] as const);
            grant.call(this, to, cause, job, wider);
          },
      ),
  },
  {
    breaks: 'what an older life of a peer says changes custody',
    kinds: ['noise', 'kill', 'powerLoss'],
    plant: () => mistake('older', 'current'),
  },
  {
    breaks: 'rows of whoever speaks are taken',
    kinds: [],
    plant: () => mistake('stranger', 'older'),
  },
  {
    breaks: 'a grant that comes twice is taken twice',
    kinds: ['noise'],
    plant: () => replace(Custody, 'accept', () => () => true),
  },
  {
    breaks: 'a census counts rows that somebody has, without asking for them',
    kinds: ['kill', 'powerLoss'],
    plant: () =>
      replace(
        Census,
        'answered',
        (answered) =>
          function (this: Census, from, job, census, answer) {
            answered.call(this, from, job, census, answer);
            for (const { intervals } of answer.onDisk) job.ledger.count(intervals);
          },
      ),
  },
  {
    breaks: 'tail copies have no bound',
    kinds: [],
    plant: () =>
      replace(
        CoreState,
        'send',
        (send) =>
          function (this: CoreState, to, message, after) {
            send.call(this, to, message, after);
            for (const job of this.jobs.values()) {
              job.copiedUnits = 0;
              job.copies.clear();
            }
          },
      ),
  },
  {
    breaks: 'a cancelled job keeps its queue',
    kinds: [],
    plant: () => replace(JobBook, 'clearQueue', nothing),
  },
  {
    breaks: 'who drains asks for work',
    kinds: ['drain', 'leave'],
    plant: () => replaceGetter(CoreState, 'takesWork', () => true),
  },
  {
    breaks: 'an ending that was missed is told nobody',
    kinds: ['noise'],
    plant: () => replace(Greeting, 'remind', nothing),
  },
  {
    breaks: 'a job that was missed is offered to nobody',
    kinds: ['noise', 'flapping', 'kill'],
    plant: () => replace(Greeting, 'offerUnheard', nothing),
  },
  {
    breaks: 'who is asked in a census does not say what it holds',
    kinds: ['kill'],
    by: 'S6 a task runs again only where a fault touched it',
    plant: () =>
      replace(
        CoreState,
        'send',
        (send) =>
          function (this: CoreState, to, message, after) {
            const isAnswer = message.kind === 'censusAnswer';
            send.call(this, to, isAnswer ? { ...message, held: [] } : message, after);
          },
      ),
  },
  {
    breaks: 'who is asked in a census does not say what it gives away just now',
    kinds: ['kill'],
    by: 'S6 a task runs again only where a fault touched it',
    plant: () => replace(Custody, 'namedOf', () => () => new IntervalSet()),
  },
  {
    breaks: 'a census is over with the first answer',
    kinds: ['kill'],
    by: 'S6 a task runs again only where a fault touched it',
    plant: () =>
      replace(
        Census,
        'answered',
        (answered) =>
          function (this: Census, from, job, census, answer) {
            answered.call(this, from, job, census, answer);
            job.census?.unanswered.clear();
          },
      ),
  },
];

function findings(seed: number, kinds: readonly FaultKind[]): string[] {
  const { violations } = judge(drawBrief(seed, kinds), {
    makeCore: (setup) => new StealingCore(setup),
  });
  return violations.map(({ check }) => check);
}

describe('a core with a planted bug', () => {
  test.each(PLANTED)('is caught when $breaks, on a seed that the sound core passes', (planted) => {
    planted.plant();
    const first = planted.from ?? 1;
    let seed = first - 1;
    let found: string[] = [];
    while (seed < SEEDS_MAX && found.length === 0) found = findings(++seed, planted.kinds);
    undoAll();
    expect(found, `${planted.breaks}: nothing found in ${seed} seeds`).not.toEqual([]);
    if (planted.by !== undefined) expect(found).toEqual([planted.by]);
    for (let passed = first; passed <= Math.min(seed, first + 9); passed++) {
      expect(findings(passed, planted.kinds), `the sound core, seed ${passed}`).toEqual([]);
    }
    expect(findings(seed, planted.kinds), `the sound core, seed ${seed}`).toEqual([]);
  });
});
