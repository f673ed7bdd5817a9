// Runs seeded disasters against the stealing core and stops at the first promise that breaks.
//   node scripts/sim.ts --seeds 1000 --from 1      many seeds, one line at the end
//   node scripts/sim.ts --seeds 1 --from 7 --verbose   one seed, every event
import { parseArgs } from 'node:util';
import { decodeMessage, encodeMessage } from '../src/node/wire/codec.ts';
import { StealingCore } from '../src/stealing/core.ts';
import { drawScenario } from '../src/stealing/simulate/nemesis.ts';
import { judge } from '../src/stealing/simulate/judge.ts';
import type { FaultKind } from '../src/stealing/simulate/scenario.ts';

const { values } = parseArgs({
  options: {
    seeds: { type: 'string', default: '200' },
    from: { type: 'string', default: '1' },
    only: { type: 'string', multiple: true },
    verbose: { type: 'boolean', default: false },
    /** Messages by reference: no codec in the path. */
    'no-codec': { type: 'boolean', default: false },
    /** Goes on after a failing seed and lists them all. */
    'keep-going': { type: 'boolean', default: false },
  },
});

const codec = { encode: encodeMessage, decode: decodeMessage };

const first = Number(values.from);
const count = Number(values.seeds);
const only = values.only as FaultKind[] | undefined;
const startedAt = performance.now();
let failures = 0;
let events = 0;
let virtualMs = 0;
for (let seed = first; seed < first + count; seed++) {
  const scenario = drawScenario(seed, only);
  if (values.verbose) process.stdout.write(`${JSON.stringify(scenario, undefined, 1)}\n`);
  const outcome = judge(scenario, {
    makeCore: (setup) => new StealingCore(setup),
    codec: values['no-codec'] ? undefined : codec,
    reader: values.verbose ? (line) => process.stdout.write(`${line}\n`) : undefined,
  });
  events += outcome.events;
  virtualMs += outcome.virtualMs;
  if (outcome.violations.length === 0) continue;
  failures++;
  for (const { check, atMs, text } of outcome.violations) {
    process.stdout.write(`seed ${seed}, ${atMs.toFixed(1)} ms: ${check}: ${text}\n`);
  }
  if (values['keep-going']) {
    const drawn = [...new Set(scenario.faults.map(({ fault }) => fault.kind))].join(' ');
    process.stdout.write(`  faults: ${drawn}\n`);
  }
  const kinds = (only ?? []).map((kind) => ` --only ${kind}`).join('');
  process.stdout.write(`replay: node scripts/sim.ts --seeds 1 --from ${seed}${kinds} --verbose\n`);
  if (!values['keep-going']) break;
}
const seconds = (performance.now() - startedAt) / 1_000;
process.stdout.write(
  `${count} seeds from ${first}: ${failures} failed; ${events} events, ${(virtualMs / 1_000).toFixed(0)} s of virtual time in ${seconds.toFixed(1)} s\n`,
);
process.exitCode = failures > 0 ? 1 : 0;
