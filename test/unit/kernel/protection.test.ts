// What protects a position and what paces entries, row by row of the table in the documentation, each on a
// market of a few bars.
import { describe, expect, it } from 'vitest';
import { type Bar, LONG, SHORT, backtest } from './fixture.ts';

const flat = (price: number, volume = 0): Bar => [price, price, price, price, volume];
const EQUITY = { kind: 'equity', value: '1' } as const;
const ALWAYS = { long: { enter: ['close > 0'], exit: [] } };

const TEN_TO_SIXTEEN = [10, 11, 12, 13, 14, 15, 16].map((price) => flat(price));

/** Bars of entry with one bar in each trade. */
const entries = (cooldown: string | null) =>
  backtest(TEN_TO_SIXTEEN, { ...ALWAYS, maxBars: '1', cooldown }).trades.map(
    ({ entryBar }) => entryBar,
  );

const risk = (value: string) => ({ kind: 'risk', value }) as const;

/** Signalled on the first close, in at 100 on the second bar. */
const entered = (...bars: Bar[]): Bar[] => [flat(100, 1), flat(100), ...bars];

describe('a trailing stop', () => {
  it('begins at its distance from the entry price, live on the entry bar', () => {
    const bars: Bar[] = [flat(100, 1), [100, 101, 85, 95, 0], flat(95)];
    const { story } = backtest(bars, { ...LONG, trailingStop: '0.1' });
    expect(story).toEqual(['long 1@100 1@90 trailing']);
  });

  it('follows the highs of earlier bars, never the high of the bar that it is tested on', () => {
    const bars = entered([100, 200, 95, 150, 0], [150, 160, 150, 155, 0], [155, 155, 80, 90, 0]);
    const { story } = backtest(bars, { ...LONG, trailingStop: '0.25' });
    // On the third bar it still stands at 75; that bar's high of 200 lifts it to 150 for the next.
    expect(story).toEqual(['long 1@100 3@150 trailing']);
  });

  it('counts the high of the entry bar itself, which was lived through', () => {
    const bars: Bar[] = [flat(100, 1), [100, 200, 100, 180, 0], [180, 180, 140, 170, 0], flat(170)];
    const { story } = backtest(bars, { ...LONG, trailingStop: '0.25' });
    expect(story).toEqual(['long 1@100 2@150 trailing']);
  });

  it('never moves back, and a gap through it fills at the worse open', () => {
    const bars = entered([100, 200, 100, 190, 0], [190, 195, 180, 180, 0], [120, 130, 110, 120, 0]);
    const { story } = backtest([...bars, flat(120)], { ...LONG, trailingStop: '0.25' });
    expect(story).toEqual(['long 1@100 4@120 trailing']);
  });

  it('of a short follows the lows', () => {
    const bars: Bar[] = [flat(100, 3), flat(100), [100, 100, 40, 50, 0], [45, 51, 45, 50, 0]];
    const { story } = backtest([...bars, flat(50)], { ...SHORT, trailingStop: '0.25' });
    expect(story).toEqual(['short 1@100 3@50 trailing']);
  });

  it('in price units keeps the distance of the signal bar', () => {
    const bars: Bar[] = [
      [100, 105, 95, 100, 1],
      [100, 130, 100, 120, 0],
      [121, 125, 100, 110, 0],
    ];
    const { story } = backtest([...bars, flat(110)], { ...LONG, trailingStop: '2 * (high - low)' });
    expect(story).toEqual(['long 1@100 2@110 trailing']);
  });
});

describe('a breakeven stop', () => {
  it('moves the stop to the entry price on the bar after the gain was reached', () => {
    const gain = entered([100, 110, 95, 105, 0], [105, 106, 99, 100, 0], flat(100));
    const { story } = backtest(gain, { ...LONG, stopLoss: '0.2', breakeven: '10 + 0 * close' });
    // The bar that reaches 110 falls to 95 without being stopped: what came first in it is unknown.
    expect(story).toEqual(['long 1@100 3@100 breakeven']);
  });

  it('stays away until the gain is reached', () => {
    const short = entered([100, 109, 95, 105, 0], [105, 106, 99, 100, 0], [100, 100, 70, 75, 0]);
    const { story } = backtest(short, { ...LONG, stopLoss: '0.2', breakeven: '0.1' });
    expect(story).toEqual(['long 1@100 4@80 stop']);
  });

  it('of a short comes down to the entry price', () => {
    const bars: Bar[] = [flat(100, 3), flat(100), [100, 100, 90, 95, 0], [95, 101, 95, 100, 0]];
    const { story } = backtest([...bars, flat(99)], { ...SHORT, breakeven: '0.1' });
    expect(story).toEqual(['short 1@100 3@100 breakeven']);
  });
});

describe('several stops in one bar', () => {
  const rising: Bar = [100, 120, 100, 115, 0];
  const falling: Bar = [115, 116, 50, 60, 0];
  const stops = { stopLoss: '0.2', trailingStop: '0.1', breakeven: '0.05' };

  it('the nearest one fills and names the exit', () => {
    const bars = entered(rising, falling, flat(60));
    expect(backtest(bars, { ...LONG, ...stops }).story).toEqual(['long 1@100 3@108 trailing']);
    const wide = { ...stops, trailingStop: '0.5' };
    expect(backtest(bars, { ...LONG, ...wide }).story).toEqual(['long 1@100 3@100 breakeven']);
    const late = { ...wide, breakeven: '0.5' };
    expect(backtest(bars, { ...LONG, ...late }).story).toEqual(['long 1@100 3@80 stop']);
  });

  it('at one price the one that was there first names it', () => {
    const same = { ...LONG, stopLoss: '0.1', trailingStop: '0.1' };
    expect(backtest(entered([100, 100, 80, 85, 0], flat(85)), same).story).toEqual([
      'long 1@100 2@90 stop',
    ]);
  });

  it('against a target in the same bar: the stop first, or the target when asked for', () => {
    const bars = entered([100, 120, 100, 115, 0], [115, 140, 100, 120, 0], flat(120));
    const both = { ...LONG, trailingStop: '0.1', takeProfit: '0.3' };
    const first = backtest(bars, both);
    expect(first.story).toEqual(['long 1@100 3@108 trailing']);
    const other = backtest(bars, both, { sameBar: 'targetFirst' });
    expect(other.story).toEqual(['long 1@100 3@130 target']);
    expect([first.row['ambiguousExits'], other.row['ambiguousExits']]).toEqual([1, 1]);
  });

  it('an open beyond the stop is a stop, whatever counts as first inside a bar', () => {
    const bars = entered([80, 120, 70, 100, 0], flat(100));
    const both = { ...LONG, stopLoss: '0.1', takeProfit: '0.1' };
    const { story, row } = backtest(bars, both, { sameBar: 'targetFirst' });
    expect(story).toEqual(['long 1@100 2@80 stop']);
    expect(row['ambiguousExits']).toBe(0);
  });

  it('maxBars and an exit signal fill at the open, before any stop of that bar', () => {
    const bars = entered([95, 96, 50, 60, 0], flat(60));
    const { story } = backtest(bars, { ...LONG, ...stops, maxBars: '1' });
    expect(story).toEqual(['long 1@100 2@95 maxBars']);
  });

  it('an exit signal on the close that also ends maxBars names the exit', () => {
    const bars = [flat(100, 1), flat(100, 2), flat(101), flat(102)];
    expect(backtest(bars, { ...LONG, maxBars: '1' }).story).toEqual(['long 1@100 2@101 signal']);
  });
});

describe('a cooldown', () => {
  it('puts so many bars between an exit and the close that may call for the next entry', () => {
    expect(entries(null)).toEqual([1, 3, 5]);
    expect(entries('0')).toEqual([1, 3, 5]);
    expect(entries('1')).toEqual([1, 4]);
    expect(entries('2')).toEqual([1, 5]);
  });

  it('does not hold up a reversal, which is one order', () => {
    const turning = [flat(10, 1), flat(10), flat(20, 3), flat(20), flat(10)];
    const { story } = backtest(turning, { ...LONG, ...SHORT, reverse: true, cooldown: '9' });
    expect(story).toEqual(['long 1@10 3@20 signal', 'short 3@20 4@10 end']);
  });

  it('that is no whole number is an error of the task', () => {
    const errors = ['-1', '1.5', '1'].map(
      (cooldown) => backtest(TEN_TO_SIXTEEN, { ...ALWAYS, cooldown }).row['error'],
    );
    expect(errors).toEqual([6, 6, 0]);
  });
});

describe('a size by risk', () => {
  const bars = entered(flat(100), flat(100), flat(100));
  const sizes = (part: object, broker = {}) =>
    backtest(bars, { ...LONG, ...part }, broker).trades.map(({ size }) => size);

  it('is the quantity at which the stop costs that fraction of the equity', () => {
    expect(sizes({ size: risk('0.05'), stopLoss: '0.1' })).toEqual([5]);
    expect(sizes({ size: risk('0.05'), stopLoss: '0 * close + 20' })).toEqual([2.5]);
  });

  it('counts the nearest stop, and is bound by what the equity can pay', () => {
    expect(sizes({ size: risk('0.05'), stopLoss: '0.5', trailingStop: '0.1' })).toEqual([5]);
    expect(sizes({ size: risk('0.5'), stopLoss: '0.1' })).toEqual([10]);
    expect(sizes({ size: risk('0.5'), stopLoss: '0.1' }, { fee: 0.25 })).toEqual([8]);
    expect(sizes({ size: risk('0.05'), stopLoss: '0.1' }, { lot: 2 })).toEqual([4]);
  });

  it('is no trade where the entry is beyond its stop already', () => {
    const gapped: Bar[] = [flat(100, 1), flat(80), flat(80)];
    const strategy = { ...LONG, size: risk('0.05'), stopLoss: '0.1' };
    const broker = { stopReference: 'signalClose' } as const;
    expect(backtest(gapped, strategy, broker).row['trades']).toBe(0);
  });
});

describe('fill: close', () => {
  const close = { fill: 'close' } as const;

  it('fills a signal at the close that gave it', () => {
    const bars: Bar[] = [flat(10), [10, 12, 9, 11, 1], [13, 14, 12, 14, 0], [15, 16, 14, 15, 2]];
    const { story, row } = backtest([...bars, flat(20)], LONG, close);
    expect(story).toEqual(['long 1@11 3@15 signal']);
    // Two bars opened with the position.
    expect(row['exposure']).toBe(2 / 5);
  });

  it('has stops live from the bar after, and no high of the entry bar in a trailing stop', () => {
    const bars: Bar[] = [[100, 200, 50, 100, 1], [100, 100, 85, 95, 0], flat(95)];
    expect(backtest(bars, { ...LONG, stopLoss: '0.1' }, close).story).toEqual([
      'long 0@100 1@90 stop',
    ]);
    expect(backtest(bars, { ...LONG, trailingStop: '0.1' }, close).story).toEqual([
      'long 0@100 1@90 trailing',
    ]);
  });

  it('maxBars fills at the close of the bar so many bars after the entry', () => {
    const bars = [flat(10, 1), flat(11), flat(12), flat(13)];
    expect(backtest(bars, { ...LONG, maxBars: '2' }, close).story).toEqual([
      'long 0@10 2@12 maxBars',
    ]);
  });

  it('on the last close exits fill and entries do not', () => {
    expect(backtest([flat(10), flat(11), flat(12, 1)], LONG, close).story).toEqual([]);
    const { story, row } = backtest([flat(10, 1), flat(11), flat(12, 2)], LONG, close);
    expect(story).toEqual(['long 0@10 2@12 signal']);
    expect(row['forcedExits']).toBe(0);
  });

  it('reverses at one close, sized from the equity after closing, with fees for both', () => {
    const bars = [flat(10, 1), flat(20, 3), flat(10), flat(10)];
    const strategy = { ...LONG, ...SHORT, reverse: true, size: EQUITY };
    const { story, trades } = backtest(bars, strategy, close);
    expect(story).toEqual(['long 0@10 1@20 signal', 'short 1@20 3@10 end']);
    expect(trades.map(({ size }) => size)).toEqual([100, 100]);
    const costly = backtest(bars, strategy, { ...close, fee: 0.25 });
    // 80 at 10 with 200 of fees; sold at 20 for 1,600 less 400; then 48 at 20 with 240 of fees.
    expect(costly.trades.map(({ size }) => size)).toEqual([80, 48]);
    expect(costly.row['fees']).toBe(200 + 400 + 240 + 120);
  });

  it('a close that uses up the equity ends trading before the rules are read', () => {
    const bars = [flat(100, 3), flat(250, 4), flat(100, 3), flat(100)];
    const { story, row } = backtest(bars, { ...SHORT, size: EQUITY }, close);
    expect(story).toEqual(['short 0@100 1@250 end']);
    expect(row['forcedExits']).toBe(1);
  });
});

describe('stopReference: signalClose', () => {
  const broker = { stopReference: 'signalClose' } as const;

  it('measures stop and target from the close that gave the signal', () => {
    const bars: Bar[] = [flat(100, 1), flat(104), [104, 104, 85, 95, 0], flat(95)];
    expect(backtest(bars, { ...LONG, stopLoss: '0.1' }, broker).story).toEqual([
      'long 1@104 2@90 stop',
    ]);
    const up: Bar[] = [flat(100, 1), flat(104), [104, 130, 104, 120, 0], flat(95)];
    expect(backtest(up, { ...LONG, takeProfit: '0.25' }, broker).story).toEqual([
      'long 1@104 2@125 target',
    ]);
  });

  it('an entry that opens beyond its stop closes at that same open', () => {
    const bars: Bar[] = [flat(100, 1), [80, 90, 70, 85, 0], flat(85)];
    expect(backtest(bars, { ...LONG, stopLoss: '0.1' }, broker).story).toEqual([
      'long 1@80 1@80 stop',
    ]);
  });

  it('leaves trailing and breakeven stops at the price of the fill', () => {
    const bars: Bar[] = [flat(100, 1), flat(120), [120, 120, 100, 110, 0], flat(110)];
    expect(backtest(bars, { ...LONG, trailingStop: '0.1' }, broker).story).toEqual([
      'long 1@120 2@108 trailing',
    ]);
  });
});

describe('a position that the range ends', () => {
  it('is closed at the close of its last bar, whatever comes after', () => {
    const bars = [flat(10, 1), flat(11), [12, 12, 12, 12.5, 0] as const, flat(99), flat(99)];
    const toMs = 1_704_067_200_000 + 3 * 86_400_000;
    const { story, row } = backtest(bars, { ...LONG, trailingStop: '0.5' }, {}, { toMs });
    expect(story).toEqual(['long 1@11 2@12.5 end']);
    expect(row['forcedExits']).toBe(1);
  });

  it('reverse pays fees for closing and for opening, and sizes by what is left', () => {
    const bars = [flat(10, 1), flat(10), flat(20, 3), flat(20), flat(20)];
    const strategy = { ...LONG, ...SHORT, reverse: true, size: EQUITY };
    const { trades, row } = backtest(bars, strategy, { fee: 0.25 });
    expect(trades.map(({ size }) => size)).toEqual([80, 48]);
    expect(row['fees']).toBe(200 + 400 + 240 + 240);
  });
});
