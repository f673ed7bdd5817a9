// Millions of bad inputs for every decoder, in chunks that each have a seed of their own: a run may be stopped and
// continued with --from. Prints what was found, and how much memory it took.
//
//   node --expose-gc --max-semi-space-size=4 scripts/fuzz.ts [--cases 10000000] [--from 1] [--decoder NAME]
//        [--jobs 100000]
//
// The second flag is one that peers have (src/node/peer-flags.ts); without it V8 takes 70 MiB more before it cleans up.
// --jobs N tries absurd job files and candles instead, from the file to the rows of two engines.
import { parseArgs } from 'node:util';
import { fuzzBacktests } from '../test/fuzz/backtests.ts';
import { fuzz } from '../test/fuzz/campaign.ts';
import { DECODERS } from '../test/fuzz/decoders.ts';

const CHUNK_CASES = 100_000;
const MIB = 2 ** 20;

const { values } = parseArgs({
  options: {
    cases: { type: 'string', default: '10000000' },
    from: { type: 'string', default: '1' },
    decoder: { type: 'string' },
    jobs: { type: 'string' },
  },
});
if (values.jobs !== undefined) {
  const { findings, ...figures } = await fuzzBacktests(Number(values.jobs), Number(values.from));
  for (const finding of findings) process.stdout.write(`${finding}\n`);
  process.stdout.write(`${JSON.stringify(figures)}\n`);
  process.exit(findings.length === 0 ? 0 : 1);
}
const decoders = DECODERS.filter(
  ({ name }) => values.decoder === undefined || name === values.decoder,
);
const perDecoder = Math.ceil(Number(values.cases) / Math.max(1, decoders.length));
// The first chunk of each loads and compiles what all need.
for (const decoder of decoders) fuzz(decoder, 20_000, 0);
const rssBefore = heldBytes();
let found = 0;
let total = 0;
for (const decoder of decoders) {
  const began = performance.now();
  let slowestMs = 0;
  for (let done = 0, seed = Number(values.from); done < perDecoder; done += CHUNK_CASES, seed++) {
    const cases = Math.min(CHUNK_CASES, perDecoder - done);
    const campaign = fuzz(decoder, cases, seed);
    for (const finding of campaign.findings) process.stdout.write(`${JSON.stringify(finding)}\n`);
    found += campaign.findings.length;
    total += cases;
    slowestMs = Math.max(slowestMs, campaign.slowestMs);
  }
  const perSecond = (perDecoder / (performance.now() - began)) * 1000;
  process.stdout.write(
    `${decoder.name}: ${perDecoder} inputs, ${Math.round(perSecond)}/s, slowest ${slowestMs.toFixed(1)} ms\n`,
  );
}
const growthMib = (heldBytes() - rssBefore) / MIB;
process.stdout.write(`${total} inputs, ${found} uncaught, RSS + ${growthMib.toFixed(0)} MiB\n`);
process.exitCode = found === 0 ? 0 : 1;

/** Resident, without garbage where the collector can be called (--expose-gc). */
function heldBytes(): number {
  globalThis.gc?.();
  return process.memoryUsage().rss;
}
