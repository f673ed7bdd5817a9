// The rows of the table of what a backtest means that only show at its edges, each on a market of five bars.
import { describe, expect, it } from 'vitest';
import { type Bar, DAY_MS, LONG, SHORT, backtest } from './fixture.ts';

const flat = (price: number, volume = 0): Bar => [price, price, price, price, volume];
const EQUITY = { kind: 'equity', value: '1' } as const;

describe('gaps of a short', () => {
  it('a gap through the stop fills at the worse open', () => {
    const bars: Bar[] = [flat(100, 3), flat(100), [130, 135, 120, 125, 0], flat(125), flat(125)];
    expect(backtest(bars, { ...SHORT, stopLoss: '0.1' }).story).toEqual(['short 1@100 2@130 stop']);
  });

  it('a gap through a trailing stop fills at the worse open', () => {
    const bars: Bar[] = [flat(100, 3), flat(100), [100, 100, 80, 80, 0], flat(95), flat(95)];
    expect(backtest(bars, { ...SHORT, trailingStop: '0.1' }).story).toEqual([
      'short 1@100 3@95 trailing',
    ]);
  });
});

describe('slippage', () => {
  const broker = { slippage: 0.25 };

  it('is against us on the exit that the end of the data forces', () => {
    const bars = [flat(100, 1), flat(100), flat(100), flat(100), flat(100)];
    expect(backtest(bars, LONG, broker).story).toEqual(['long 1@125 4@75 end']);
    const short = [flat(100, 3), ...bars.slice(1)];
    expect(backtest(short, SHORT, broker).story).toEqual(['short 1@75 4@125 end']);
  });

  it('is against us on the exit that used up equity forces', () => {
    const bars = [flat(100, 3), flat(100), flat(200), flat(100), flat(100)];
    const { story, row } = backtest(bars, { ...SHORT, size: EQUITY }, broker);
    expect(story).toEqual(['short 1@75 2@250 end']);
    expect(row['forcedExits']).toBe(1);
  });

  it('is against us on both legs of a reversal', () => {
    const bars = [flat(100, 1), flat(100), flat(100, 3), flat(100), flat(100)];
    const { story } = backtest(bars, { ...LONG, ...SHORT, reverse: true }, broker);
    expect(story).toEqual(['long 1@125 3@75 signal', 'short 3@75 4@125 end']);
  });

  it('is against us where maxBars ends a trade', () => {
    const bars = [flat(100, 1), flat(100), flat(100), flat(100), flat(100)];
    expect(backtest(bars, { ...LONG, maxBars: '2' }, broker).story).toEqual([
      'long 1@125 3@75 maxBars',
    ]);
  });

  it('is none on a target that the open is beyond', () => {
    const bars: Bar[] = [flat(100, 1), flat(100), flat(200), flat(200), flat(200)];
    expect(backtest(bars, { ...LONG, takeProfit: '0.1' }, broker).story).toEqual([
      'long 1@125 2@200 target',
    ]);
  });
});

describe('an entry that opens beyond its target', () => {
  const broker = { stopReference: 'signalClose' } as const;

  it('closes at that same open, without slippage on the way out', () => {
    const bars = [flat(100, 1), flat(150), flat(150), flat(150), flat(150)];
    const long = { ...LONG, takeProfit: '0.1' };
    expect(backtest(bars, long, broker).story).toEqual(['long 1@150 1@150 target']);
    const short = [flat(100, 3), flat(50), flat(50), flat(50), flat(50)];
    expect(backtest(short, { ...SHORT, takeProfit: '0.1' }, broker).story).toEqual([
      'short 1@50 1@50 target',
    ]);
  });
});

describe('equity', () => {
  it('of exactly 0 at a close ends trading', () => {
    const { story, row } = backtest(shortTo(200), { ...SHORT, size: EQUITY });
    expect(story).toEqual(['short 1@100 2@200 end']);
    expect(row).toMatchObject({ finalEquity: 0, totalReturn: -1, forcedExits: 1, maxDrawdown: 1 });
    // Nothing grows from nothing.
    expect([row['cagr'], row['calmar']]).toEqual([NaN, NaN]);
  });

  it('of a short below zero stays what is owed, and is no start of a return', () => {
    const { story, row } = backtest(shortTo(250), { ...SHORT, size: EQUITY });
    expect(story).toEqual(['short 1@100 2@250 end']);
    expect(row).toMatchObject({
      finalEquity: -500,
      totalReturn: -1.5,
      maxDrawdown: 1.5,
      cagr: NaN,
    });
    // Daily returns 0, -1.5, and 0 from each day that begins below zero.
    expect(row['volatility']).toBeCloseTo(Math.sqrt((1.5 ** 2 * 0.75) / 3) * Math.sqrt(252), 10);
  });

  it('just above 0 trades on', () => {
    const { story } = backtest(shortTo(199), { ...SHORT, size: EQUITY });
    expect(story).toEqual(['short 1@100 4@50 end']);
  });
});

describe('a position open at `to`', () => {
  it('is closed at the close of the last bar before it, and the bar of `to` is not seen', () => {
    const bars: Bar[] = [flat(100, 1), flat(100), [100, 120, 90, 110, 0], flat(1), flat(1)];
    const toMs = 1_704_067_200_000 + 3 * DAY_MS;
    const { story, row } = backtest(bars, LONG, {}, { toMs });
    expect(story).toEqual(['long 1@100 2@110 end']);
    expect(row).toMatchObject({ forcedExits: 1, finalEquity: 1010 });
  });

  it('leaves by its stop in that last bar when it is touched there', () => {
    const bars: Bar[] = [flat(100, 1), flat(100), [100, 120, 80, 110, 0], flat(1), flat(1)];
    const toMs = 1_704_067_200_000 + 3 * DAY_MS;
    const { story, row } = backtest(bars, { ...LONG, stopLoss: '0.1' }, {}, { toMs });
    expect(story).toEqual(['long 1@100 2@90 stop']);
    expect(row['forcedExits']).toBe(0);
  });
});

describe('maxBars', () => {
  it('fills at the open, before the stop of that bar is looked at', () => {
    const bars: Bar[] = [flat(100, 1), flat(100), [98, 100, 50, 60, 0], flat(60), flat(60)];
    expect(backtest(bars, { ...LONG, maxBars: '1', stopLoss: '0.1' }).story).toEqual([
      'long 1@100 2@98 maxBars',
    ]);
  });

  it('lets the same close call for the opposite side with reverse, as a signal', () => {
    const bars = [flat(100, 1), flat(100, 3), flat(90), flat(90), flat(90)];
    const both = { ...LONG, ...SHORT, reverse: true, maxBars: '1' };
    expect(backtest(bars, both).story).toEqual([
      'long 1@100 2@90 signal',
      'short 2@90 3@90 maxBars',
    ]);
  });
});

describe('several stops in one bar', () => {
  const stops = { stopLoss: '0.25', trailingStop: '0.125', breakeven: '0.25' };

  it('the trailing stop is nearer than the stop and fills', () => {
    const bars: Bar[] = [flat(100, 1), flat(100), [100, 100, 50, 60, 0], flat(60), flat(60)];
    expect(backtest(bars, { ...LONG, ...stops }).story).toEqual(['long 1@100 2@87.5 trailing']);
  });

  it('the trailing stop has passed the entry price, where breakeven stands, and fills', () => {
    const bars: Bar[] = [flat(100, 1), flat(100), [100, 128, 100, 120, 0], [120, 120, 50, 60, 0]];
    expect(backtest([...bars, flat(60)], { ...LONG, ...stops }).story).toEqual([
      'long 1@100 3@112 trailing',
    ]);
  });

  it('breakeven is nearer than a wide trailing stop and fills', () => {
    const bars: Bar[] = [flat(100, 1), flat(100), [100, 128, 100, 120, 0], [120, 120, 50, 60, 0]];
    const wide = { ...stops, trailingStop: '0.5' };
    expect(backtest([...bars, flat(60)], { ...LONG, ...wide }).story).toEqual([
      'long 1@100 3@100 breakeven',
    ]);
  });
});

describe('stops at one price', () => {
  // The high of 125 brings both to the entry price for the same next bar.
  const bars: Bar[] = [flat(100, 1), flat(100), [100, 125, 100, 120, 0], [120, 120, 50, 60, 0]];

  it('trailing comes before breakeven where one bar brings both there', () => {
    const both = { ...LONG, trailingStop: '0.2', breakeven: '0.25' };
    expect(backtest([...bars, flat(60)], both).story).toEqual(['long 1@100 3@100 trailing']);
  });

  it('breakeven keeps its name where a later bar brings trailing there', () => {
    const early: Bar[] = [flat(100, 1), [100, 112.5, 100, 100, 0], [101, 125, 101, 120, 0]];
    const both = { ...LONG, trailingStop: '0.2', breakeven: '0.125' };
    const { story } = backtest([...early, [120, 120, 50, 60, 0], flat(60)], both);
    expect(story).toEqual(['long 1@100 3@100 breakeven']);
  });

  it('of a short are told apart in the same way', () => {
    const falling: Bar[] = [flat(100, 3), flat(100), [100, 100, 80, 85, 0], [85, 200, 85, 150, 0]];
    const both = { ...SHORT, stopLoss: '0.5', trailingStop: '0.25', breakeven: '0.2' };
    expect(backtest([...falling, flat(150)], both).story).toEqual(['short 1@100 3@100 trailing']);
    const wide = { ...both, trailingStop: '0.75' };
    expect(backtest([...falling, flat(150)], wide).story).toEqual(['short 1@100 3@100 breakeven']);
    const late = { ...wide, breakeven: '0.5' };
    // The trailing stop follows the low of 80 down to 140, inside the stop at 150.
    expect(backtest([...falling, flat(150)], late).story).toEqual(['short 1@100 3@140 trailing']);
  });
});

describe('metrics without a value', () => {
  it('of one trade: no sqn; of none that lost: no profit factor; of no fall: no calmar', () => {
    const bars = [flat(100, 1), flat(100), flat(110, 2), flat(110), flat(110)];
    const { row } = backtest(bars, LONG);
    expect(metrics(row, 'trades', 'winRate', 'expectancy')).toEqual([1, 1, 10]);
    expect(metrics(row, 'sqn', 'profitFactor', 'calmar', 'sortino')).toEqual([NaN, NaN, NaN, NaN]);
  });

  it('of none that won: a profit factor of 0', () => {
    const bars = [flat(100, 1), flat(100), flat(90, 2), flat(90), flat(90)];
    expect(metrics(backtest(bars, LONG).row, 'profitFactor', 'winRate')).toEqual([0, 0]);
  });

  it('of one day: neither volatility nor what divides by it', () => {
    const { row } = backtest([flat(100, 1), flat(110)], LONG, {}, {});
    // Two days are one return, and one has no deviation.
    expect(metrics(row, 'volatility', 'sharpe')).toEqual([NaN, NaN]);
  });

  it('of money beyond finite numbers: undefined, not infinite', () => {
    const bars = [flat(1e-300, 1), flat(1e-300), flat(1e300), flat(1e300), flat(1e300)];
    const { row } = backtest(bars, { ...LONG, size: EQUITY });
    expect(metrics(row, 'finalEquity', 'totalReturn', 'buyHold')).toEqual([NaN, NaN, NaN]);
    expect(row['trades']).toBe(1);
  });
});

function metrics(row: Readonly<Record<string, number>>, ...names: string[]) {
  return names.map((name) => row[name]);
}

/** Short at 100, then a close at `last`. */
function shortTo(last: number): Bar[] {
  return [flat(100, 3), flat(100), flat(last, 3), flat(50, 3), flat(50)];
}
