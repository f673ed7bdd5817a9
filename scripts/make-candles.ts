// Writes a CSV file of synthetic candles: node scripts/make-candles.ts FILE [--bars N] [--step 5m] [--seed N].
// By default a year of five-minute candles, for examples/five-minute.json.
import { writeFileSync } from 'node:fs';
import { parseArgs } from 'node:util';
import { candleCsv, FIVE_MINUTE_YEAR } from '../src/node/jobfile/candle-csv.ts';
import { syntheticCandles } from '../src/node/jobfile/synthetic.ts';
import { timeframeMs } from '../src/node/jobfile/timeframe.ts';

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: { bars: { type: 'string' }, step: { type: 'string' }, seed: { type: 'string' } },
});
const [file] = positionals;
const market = {
  ...FIVE_MINUTE_YEAR,
  ...(values.bars === undefined ? {} : { bars: Number(values.bars) }),
  ...(values.step === undefined ? {} : { stepMs: timeframeMs(values.step) }),
  ...(values.seed === undefined ? {} : { seed: Number(values.seed) }),
};
const isSound = Object.values(market).every((value) => Number.isSafeInteger(value) && value >= 0);
if (file === undefined || positionals.length > 1 || !isSound || market.stepMs === 0) {
  console.error('usage: node scripts/make-candles.ts FILE [--bars N] [--step 5m] [--seed N]');
  process.exitCode = 2;
} else {
  writeFileSync(file, candleCsv(syntheticCandles(market)));
  console.log(`${file}: ${market.bars} candles`);
}
