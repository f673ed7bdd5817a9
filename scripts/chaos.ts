// Hurts real meshes, over and over, and counts how often all went well. Peers are processes on hosts of their own
// (network namespaces); several meshes run side by side; the count goes on from an earlier run. Linux, as root, with
// iproute2 and nftables.
//
//   node scripts/chaos.ts --scenario kill --runs 20        # see --list
//   node scripts/chaos.ts --minutes 30 --scenario churn
//   node scripts/chaos.ts --report
//
// --parallel N (2) meshes at a time · --seconds N stop beginning runs after that long · --count FILE where the count
// is (default: chaos-count.json in the system's temporary directory) · --seed N of the first run. Exit 1 when a run
// fails; it is kept in the count with its seed.
import { randomBytes } from 'node:crypto';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { Rng } from '../src/stealing/rng.ts';
import { Arena } from './chaos/arena.ts';
import { churn } from './chaos/churn.ts';
import { type Scenario, SCENARIOS } from './chaos/scenarios.ts';
import { Tally } from './chaos/tally.ts';

const { values: options } = parseArgs({
  options: {
    scenario: { type: 'string', default: 'kill' },
    runs: { type: 'string', default: '10' },
    parallel: { type: 'string', default: '2' },
    seconds: { type: 'string', default: '100000' },
    minutes: { type: 'string', default: '30' },
    count: { type: 'string', default: join(tmpdir(), 'chaos-count.json') },
    seed: { type: 'string' },
    report: { type: 'boolean', default: false },
    list: { type: 'boolean', default: false },
    logs: { type: 'boolean', default: false },
  },
});
const tally = await Tally.open(options.count);
const untilMs = performance.now() + Number(options.seconds) * 1_000;

if (options.list) {
  for (const { name, what, target } of SCENARIOS)
    console.log(`${name.padEnd(10)} ${target} runs: ${what}`);
  console.log('churn      30 minutes of churn and load: memory and descriptors stay flat');
} else if (options.report) report();
else if (options.scenario === 'churn') {
  const { wrong, text } = await churn(Number(options.minutes));
  console.log(text);
  await tally.note('churn', { seed: Number(options.minutes), wrong });
  process.exitCode = wrong === undefined ? 0 : 1;
} else {
  const scenario = SCENARIOS.find(({ name }) => name === options.scenario);
  if (scenario === undefined) throw new Error(`no scenario ${options.scenario}; see --list`);
  const failures = await repeat(scenario);
  report();
  process.exitCode = failures === 0 ? 0 : 1;
}

/** Each lane has a mesh of its own, which lives as long as nothing goes wrong. Returns the failures. */
async function repeat(scenario: Scenario): Promise<number> {
  let left = Number(options.runs);
  let failures = 0;
  const lane = async (): Promise<void> => {
    let arena: Arena | undefined;
    try {
      while (left > 0 && performance.now() < untilMs) {
        left--;
        const seed = Number(options.seed ?? 0) + tally.next(scenario.name);
        arena ??= await Arena.open(randomBytes(2).toString('hex'), scenario.fighters);
        const fromMs = performance.now();
        const wrong = await runOnce(scenario, arena, seed);
        const seconds = ((performance.now() - fromMs) / 1_000).toFixed(1);
        console.log(`${scenario.name} ${seed}: ${wrong ?? 'ok'} (${seconds} s)`);
        await tally.note(scenario.name, { seed, wrong });
        if (wrong === undefined) continue;
        failures++;
        if (options.logs) console.log(await arena.logs());
        await arena.close();
        arena = undefined;
      }
    } finally {
      await arena?.close();
    }
  };
  const lanes = Math.min(left, Number(options.parallel));
  await Promise.all(Array.from({ length: lanes }, () => lane()));
  return failures;
}

async function runOnce(
  scenario: Scenario,
  arena: Arena,
  seed: number,
): Promise<string | undefined> {
  try {
    await arena.whole();
    return await scenario.run(arena, new Rng(seed));
  } catch (error) {
    return error instanceof Error ? error.message : String(error);
  }
}

function report(): void {
  for (const { name, what, target } of SCENARIOS) {
    const { runs, failures } = tally.of(name);
    const good = runs - failures.length;
    console.log(
      `${name.padEnd(10)} ${good} of ${target} went well, ${failures.length} did not: ${what}`,
    );
    for (const { seed, wrong } of failures.slice(-3))
      console.log(`           seed ${seed}: ${wrong}`);
  }
}
