// A peer that lies: caught by the owner's second look, judged by a third peer, quarantined, its rows run again.
// The liar is a real core whose slots report other values for a tenth of its tasks.
import { expect, test } from 'vitest';
import { StealingCore } from '../../src/stealing/core.ts';
import type { Input } from '../../src/stealing/input.ts';
import type { RowBatch } from '../../src/stealing/job.ts';
import type { PersistEntry } from '../../src/stealing/output.ts';
import { referenceValue } from '../../src/stealing/simulate/reference-row.ts';
import type { CoreFactory } from '../../src/stealing/simulate/shell.ts';
import { type Outcome, runScenario } from '../../src/stealing/simulate/world.ts';
import { calmScenario, REAL } from './scenarios.ts';

const LIAR = 'peer-3';

/** Counts its lies; `one in` so many of its tasks gets another value. */
class Liar {
  lies = 0;
  /** Of the whole mesh, honest ones too. */
  readonly cores: StealingCore[] = [];
  readonly #oneIn: number;

  readonly peer: string;

  constructor(oneIn: number, peer = LIAR) {
    this.#oneIn = oneIn;
    this.peer = peer;
  }

  twist(fact: Input): Input {
    if (fact.kind !== 'tasksFinished') return fact;
    const values = fact.values.slice();
    const tasks = fact.intervals.flatMap(([start, end]) =>
      Array.from({ length: end - start }, (_, i) => start + i),
    );
    const width = values.length / tasks.length;
    for (const [row, task] of tasks.entries()) {
      if (referenceValue(77, task, 0) * this.#oneIn >= 1) continue;
      values[row * width] = values[row * width]! + 0.5;
      this.lies++;
    }
    return { ...fact, values };
  }
}

function withLiar(liar: Liar): CoreFactory {
  return (setup) => {
    const core = new StealingCore(setup);
    liar.cores.push(core);
    const isLiar = setup.face.peer === liar.peer;
    return {
      handle: (input, nowMs) => core.handle(isLiar ? liar.twist(input) : input, nowMs),
      nextWake: () => core.nextWake(),
      check: () => core.check(),
      status: (nowMs) => core.status(nowMs),
    };
  };
}

function run(
  seed: number,
  machines: number,
  liar: Liar,
  audit: 'sample' | 'all' = 'sample',
): Outcome {
  const all = Array.from({ length: machines }, () => ({ slots: 2, speed: 1 }));
  const job = { runs: [{ tasks: 400, units: 3_000 }], audit };
  const plan = calmScenario(all, job, { seed, patienceMs: 60_000 });
  const outcome = runScenario(plan, { makeCore: withLiar(liar), codec: REAL.codec, checks: [] });
  expect(outcome.violations).toEqual([]);
  return outcome;
}

/** What the submitter's disk says in the end: the rows that a new process would find, and the ending. */
function onDisk({ world }: Outcome): {
  wrong: number;
  missing: number;
  ending: Extract<PersistEntry, { kind: 'ended' }>['ending'] | undefined;
  quarantined: string[];
} {
  const rows = new Map<number, number>();
  let batches: RowBatch[] = [];
  const quarantined: string[] = [];
  let ending;
  for (const entry of world.peers[0]!.journal) {
    if (entry.kind === 'rows') batches.push(entry.batch);
    if (entry.kind === 'ended') ({ ending } = entry);
    if (entry.kind !== 'quarantined') continue;
    quarantined.push(entry.peer);
    batches = batches.filter(({ maker }) => maker !== entry.peer);
  }
  const { header, seed } = world.jobs[0]!;
  for (const { intervals, values } of batches) {
    let at = 0;
    for (const [start, end] of intervals) {
      for (let task = start; task < end; task++, at += header.rowWidth) {
        if (!rows.has(task)) rows.set(task, values[at]!);
      }
    }
  }
  const wrong = [...rows].filter(([task, value]) => value !== referenceValue(seed, task, 0)).length;
  return { wrong, missing: header.taskCount - rows.size, ending, quarantined };
}

/** 200 were run for the promise; so many are quick. */
const JOBS = Number(process.env['MESH_AUDIT_JOBS'] ?? 40);

test('a liar on a tenth of its tasks is caught in 19 of 20 jobs, and then no lie is left', () => {
  let caught = 0;
  let withLies = 0;
  for (let seed = 1; seed <= JOBS; seed++) {
    const liar = new Liar(10);
    const outcome = run(seed, 4, liar);
    const { wrong, missing, ending, quarantined } = onDisk(outcome);
    expect({ seed, missing, ended: ending?.state }).toEqual({ seed, missing: 0, ended: 'done' });
    expect(quarantined.every((peer) => peer === LIAR)).toBe(true);
    if (liar.lies === 0) continue;
    withLies++;
    if (quarantined.length === 0) continue;
    caught++;
    expect({ seed, wrong, disputed: ending?.disputed }).toEqual({ seed, wrong: 0, disputed: 0 });
  }
  expect(withLies).toBe(JOBS);
  expect(caught).toBeGreaterThanOrEqual(0.95 * JOBS);
});

test('honest peers agree: nobody is accused, nothing runs twice but what is looked at', () => {
  for (let seed = 1; seed <= 20; seed++) {
    const nobody = new Liar(Infinity);
    const { ending, quarantined, wrong } = onDisk(run(seed, 4, nobody));
    const madeByAll = nobody.cores.reduce(
      (sum, core) => sum + (core.status(1e9).peers[0]?.done ?? NaN),
      0,
    );
    // What was looked at once more is done by its first maker only.
    expect({ seed, madeByAll }).toEqual({ seed, madeByAll: 400 });
    expect({ quarantined, wrong, disputed: ending?.disputed, done: ending?.done }).toEqual({
      quarantined: [],
      wrong: 0,
      disputed: 0,
      done: 400,
    });
  }
});

test('two peers with two rows, and nobody to judge: the tasks are disputed, and the job ends', () => {
  const { ending, quarantined, missing } = onDisk(run(5, 2, new Liar(1, 'peer-2')));
  expect({ state: ending?.state, disputed: ending?.disputed, quarantined, missing }).toEqual({
    state: 'done',
    // 32 that the owner ran again, and 32 of its own that the liar did.
    disputed: 64,
    quarantined: [],
    missing: 0,
  });
});

test('an owner that is wrong is told so by two others: its tasks are disputed, and nobody else is accused', () => {
  for (let seed = 1; seed <= 10; seed++) {
    const { ending, quarantined, missing } = onDisk(run(seed, 3, new Liar(1, 'peer-1')));
    expect({ seed, state: ending?.state, quarantined, missing }).toEqual({
      seed,
      state: 'done',
      quarantined: [],
      missing: 0,
    });
    expect(ending?.disputed).toBeGreaterThanOrEqual(32);
  }
});

test('whoever looks at all rows finds a lie that is one in a hundred', () => {
  const { wrong, quarantined } = onDisk(run(6, 4, new Liar(100), 'all'));
  expect({ wrong, quarantined }).toEqual({ wrong: 0, quarantined: [LIAR] });
});
