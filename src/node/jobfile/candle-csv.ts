// Candles as CSV text, in the form that parseCandleCsv reads and most tools write.

import type { Candles } from '../../kernel/job.ts';
import type { SyntheticMarket } from './synthetic.ts';

/** The market of examples/five-minute.json: the year 2024 in five-minute bars. */
export const FIVE_MINUTE_YEAR: SyntheticMarket = {
  seed: 2024,
  bars: 366 * 288,
  stepMs: 300_000,
  startMs: 1_704_067_200_000,
};

export function candleCsv({ barCount, timeMs, open, high, low, close, volume }: Candles): string {
  const lines = ['timestamp,open,high,low,close,volume'];
  for (let bar = 0; bar < barCount; bar++) {
    const time = new Date(timeMs[bar] as number).toISOString().slice(0, 19).replace('T', ' ');
    lines.push([time, open[bar], high[bar], low[bar], close[bar], volume[bar]].join(','));
  }
  return `${lines.join('\n')}\n`;
}
