// The checks must be able to fail: each test breaks the core in one way, from outside, and names the check that
// sees it.
import { describe, expect, test } from 'vitest';
import { StealingCore } from '../../src/stealing/core.ts';
import { peerId } from '../../src/stealing/ids.ts';
import type { Input } from '../../src/stealing/input.ts';
import type { JobHeader } from '../../src/stealing/job.ts';
import type { Output } from '../../src/stealing/output.ts';
import { judge } from '../../src/stealing/simulate/judge.ts';
import { drawScenario } from '../../src/stealing/simulate/nemesis.ts';
import type { FaultKind, Scenario } from '../../src/stealing/simulate/scenario.ts';
import type { CoreFactory, CoreSetup } from '../../src/stealing/simulate/shell.ts';
import { calmScenario } from './scenarios.ts';

interface Patch {
  readonly facts?: (input: Input) => Input[];
  readonly orders?: (outputs: Output[], setup: CoreSetup) => Output[];
}

function patched({ facts, orders }: Patch): CoreFactory {
  return (setup) => {
    const core = new StealingCore(setup);
    return {
      handle(input, nowMs) {
        const inputs = facts?.(input) ?? [input];
        const outputs = inputs.flatMap((fact) => core.handle(fact, nowMs));
        return orders?.(outputs, setup) ?? outputs;
      },
      nextWake: () => core.nextWake(),
      check: () => core.check(),
      status: (nowMs) => core.status(nowMs),
    };
  };
}

const CALM = calmScenario(
  [
    { slots: 4, speed: 1 },
    { slots: 3, speed: 0.5 },
    { slots: 2, speed: 1 },
  ],
  { runs: [{ tasks: 400, units: 10_000 }] },
  { patienceMs: 30_000 },
);

function checksThatFail(scenario: Scenario, makeCore: CoreFactory): string[] {
  return judge(scenario, { makeCore }).violations.map(({ check }) => check.split(' ')[0]!);
}

/** The first of so many seeds in which a check fails, and the check. */
function firstFinding(seeds: number, kinds: readonly FaultKind[], makeCore: CoreFactory): string {
  for (let seed = 1; seed <= seeds; seed++) {
    const [check] = checksThatFail(drawScenario(seed, kinds), makeCore);
    if (check !== undefined) return check;
  }
  return 'nothing found';
}

/** Every core is told something else of a submitted job. */
function withHeader(change: Partial<JobHeader>): CoreFactory {
  return patched({
    facts: (input) =>
      input.kind === 'jobSubmitted'
        ? [{ ...input, header: { ...input.header, ...change } }]
        : [input],
  });
}

const brokenAtOnce: CoreFactory = (setup) => {
  const core = patched({})(setup);
  return {
    handle: (input, nowMs) => core.handle(input, nowMs),
    nextWake: () => core.nextWake(),
    status: (nowMs) => core.status(nowMs),
    check(): void {
      throw new Error('invariant broken: on purpose');
    },
  };
};

test('the unpatched core passes what the patched ones fail', () => {
  expect(checksThatFail(CALM, patched({}))).toEqual([]);
  expect(firstFinding(30, ['kill'], patched({}))).toBe('nothing found');
  expect(firstFinding(30, ['diskFull'], patched({}))).toBe('nothing found');
});

test('a row under its neighbour task is seen (S3)', () => {
  const makeCore = patched({
    facts: (input) => {
      if (input.kind !== 'tasksFinished') return [input];
      return [{ ...input, values: input.values.toReversed() }];
    },
  });
  expect(checksThatFail(CALM, makeCore)).toContain('S3');
});

test('a grant that is confirmed and forgotten is seen (L1, or S6 when a census finds it)', () => {
  const makeCore = patched({
    orders: (outputs) =>
      outputs.map((output) =>
        output.kind === 'send' && output.message.kind === 'grant'
          ? { ...output, message: { ...output.message, batches: [] } }
          : output,
      ),
  });
  expect(checksThatFail({ ...CALM, patienceMs: 20_000 }, makeCore).length).toBeGreaterThan(0);
});

test('work that is granted and kept is seen (S6)', () => {
  const confirmed = patched({
    facts: (input) =>
      input.kind === 'messageReceived' && input.message.kind === 'grant'
        ? [input, { ...input, message: { ...input.message, grant: input.message.grant + 1_000 } }]
        : [input],
    orders: (outputs, { face }) => [
      ...outputs,
      ...outputs.flatMap((output): Output[] => {
        if (output.kind !== 'send' || output.message.kind !== 'grant') return [];
        const others = ['peer-1', 'peer-2', 'peer-3'].filter((peer) => peer !== face.peer);
        const to = others.find((peer) => peer !== output.to);
        return to === undefined ? [] : [{ ...output, to: to as typeof output.to }];
      }),
    ],
  });
  expect(checksThatFail(CALM, confirmed)).toContain('S6');
});

test('talk without end is seen (L4)', () => {
  const makeCore = patched({
    orders: (outputs) =>
      outputs.flatMap((output): Output[] =>
        output.kind === 'send' && output.message.kind === 'heartbeat'
          ? [output, { ...output, message: { kind: 'lifelineArmed', rates: [], slots: 1 } }]
          : [output],
      ),
  });
  expect(checksThatFail(CALM, makeCore)).toContain('L4');
});

test('a thief that asks again and again is seen (L8)', () => {
  const makeCore = patched({
    orders: (outputs) =>
      outputs.flatMap((output): Output[] =>
        output.kind === 'send' && output.message.kind === 'stealRequest'
          ? Array.from({ length: 60 }, () => output)
          : [output],
      ),
  });
  expect(checksThatFail(CALM, makeCore)).toContain('L8');
});

test('a stranger whose rows are taken is seen (S10)', () => {
  const makeCore = patched({
    facts: (input) =>
      input.kind === 'messageReceived' && input.from.startsWith('stranger')
        ? [{ ...input, from: peerId('peer-2') }]
        : [input],
  });
  const scenario = { ...CALM, strangers: 5 };
  expect(checksThatFail(scenario, patched({}))).toEqual([]);
  expect(checksThatFail(scenario, makeCore)).toContain('S10');
});

// Shares by weight of the sound core are judged in turns.test.ts.
describe('who gets which part of the time', () => {
  const job = { ...CALM.jobs[0]!, runs: [{ tasks: 5_000, units: 20_000 }] };
  const TWO = { ...CALM, jobs: [job, { ...job, name: 'job-2', weight: 3 }], patienceMs: 60_000 };

  test('is judged by weights, and a core that forgets them is seen (L7)', () => {
    expect(checksThatFail(TWO, withHeader({ weight: 1 }))).toContain('L7');
  });

  test('is judged by priority, and a core that does not know it is seen (L7)', () => {
    const urgent = { ...TWO, jobs: TWO.jobs.map((plan, i) => ({ ...plan, priority: 3 * i })) };
    expect(checksThatFail(urgent, patched({}))).toEqual([]);
    expect(checksThatFail(urgent, withHeader({ priority: 0 }))).toContain('L7');
  });
});

test('a core that takes no census loses the work of the dead (L1)', () => {
  const makeCore = patched({
    orders: (outputs) =>
      outputs.filter((output) => output.kind !== 'send' || output.message.kind !== 'census'),
  });
  expect(firstFinding(30, ['kill'], makeCore)).toBe('L1');
});

test('an answer that promises a copy that is not on disk yet is seen (S1)', () => {
  const makeCore = patched({
    orders: (outputs) =>
      outputs.flatMap((output): Output[] => {
        if (output.kind === 'answerSubmit') return [];
        if (output.kind !== 'persist' || output.entry.kind !== 'job') return [output];
        return [output, { kind: 'answerSubmit', job: output.entry.header.job, copies: 2 }];
      }),
  });
  expect(firstFinding(200, ['killSubmitterAtAnswer'], makeCore)).toBe('S1');
});

test('a message that does not wait for its persist is seen (S2)', () => {
  const makeCore = patched({
    orders: (outputs) =>
      outputs.map((output): Output => {
        if (output.kind !== 'send') return output;
        return { kind: 'send', to: output.to, message: output.message };
      }),
  });
  expect(checksThatFail({ ...CALM, disk: { flushMs: [15, 25] } }, makeCore)).toContain('S2');
});

test('an ending that does not add up is seen (S3)', () => {
  const makeCore = patched({
    orders: (outputs) =>
      outputs.map((output) => {
        if (output.kind !== 'persist' || output.entry.kind !== 'ended') return output;
        const { ending } = output.entry;
        return {
          ...output,
          entry: { ...output.entry, ending: { ...ending, done: ending.done + 1 } },
        };
      }),
  });
  expect(checksThatFail(CALM, makeCore)).toContain('S3');
});

test('a broken invariant of the core ends the run with its message', () => {
  const { violations } = judge(CALM, { makeCore: brokenAtOnce });
  expect(violations[0]?.text).toContain('on purpose');
});
