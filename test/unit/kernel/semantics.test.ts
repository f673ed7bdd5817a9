// The table of what a backtest means, row by row, each on a market of a few bars.
import { describe, expect, it } from 'vitest';
import { type Bar, LONG, SHORT, backtest } from './fixture.ts';

const flat = (price: number, volume = 0): Bar => [price, price, price, price, volume];

describe('signals and fills', () => {
  it('a signal on a close fills at the next open', () => {
    const bars: Bar[] = [flat(10), [10, 12, 9, 11, 1], [13, 14, 12, 14, 0], [15, 16, 14, 15, 2]];
    const { story } = backtest([...bars, [17, 18, 16, 17, 0], flat(20)], LONG);
    expect(story).toEqual(['long 2@13 4@17 signal']);
  });

  it('a short gains when the price falls', () => {
    const { story, row } = backtest([flat(10, 3), flat(10), flat(8, 4), flat(7), flat(9)], SHORT);
    expect(story).toEqual(['short 1@10 3@7 signal']);
    expect(row['finalEquity']).toBe(1003);
  });

  it('an exit signal fills at the open before the stop of that bar is looked at', () => {
    const bars: Bar[] = [flat(10, 1), flat(10), flat(10, 2), [9.8, 10, 5, 6, 0], flat(6)];
    const { story } = backtest(bars, { ...LONG, stopLoss: '0.1' });
    expect(story).toEqual(['long 1@10 3@9.8 signal']);
  });

  it('an entry whose own exit holds on the same close is none', () => {
    const both = { long: { enter: ['volume >= 1'], exit: ['volume == 2'] } };
    expect(backtest([flat(10, 2), flat(11), flat(12), flat(13)], both).story).toEqual([]);
    expect(backtest([flat(10, 1), flat(11), flat(12), flat(13)], both).story).toHaveLength(1);
  });

  it('exit and entry on one close while in a trade is an exit only', () => {
    const both = { long: { enter: ['volume >= 1'], exit: ['volume == 2'] } };
    const { story } = backtest([flat(10, 1), flat(11), flat(12, 2), flat(13), flat(14)], both);
    expect(story).toEqual(['long 1@11 3@13 signal']);
  });

  it('both sides called for on one close cancel out', () => {
    const same = { enter: ['volume == 1'], exit: [] };
    const { story } = backtest([flat(10, 1), flat(11), flat(12)], { long: same, short: same });
    expect(story).toEqual([]);
  });

  it('an opposite signal is ignored while in a trade', () => {
    const bars = [flat(10, 1), flat(11), flat(12, 3), flat(13), flat(14)];
    expect(backtest(bars, { ...LONG, ...SHORT }).story).toEqual(['long 1@11 4@14 end']);
  });

  it('with reverse an opposite signal turns the position round at one open, sized anew', () => {
    const bars = [flat(10, 1), flat(10), flat(20, 3), flat(20), flat(10)];
    const size = { kind: 'equity', value: '1' } as const;
    const { story, trades } = backtest(bars, { ...LONG, ...SHORT, reverse: true, size });
    expect(story).toEqual(['long 1@10 3@20 signal', 'short 3@20 4@10 end']);
    expect(trades.map((trade) => trade.size)).toEqual([100, 100]);
  });

  it('a second entry signal does nothing while in a trade', () => {
    const bars = [flat(10, 1), flat(11, 1), flat(12, 1), flat(13)];
    expect(backtest(bars, LONG).story).toEqual(['long 1@11 3@13 end']);
  });
});

describe('stops and targets', () => {
  it('a stop inside the bar fills at the stop', () => {
    const { story } = backtest(entered([100, 101, 85, 95, 0], flat(95)), {
      ...LONG,
      stopLoss: '0.1',
    });
    expect(story).toEqual(['long 1@100 2@90 stop']);
  });

  it('a stop is live from the entry bar on', () => {
    const bars: Bar[] = [flat(100, 1), [100, 101, 85, 95, 0], flat(95)];
    expect(backtest(bars, { ...LONG, stopLoss: '0.1' }).story).toEqual(['long 1@100 1@90 stop']);
  });

  it('a gap through the stop fills at the worse open', () => {
    const { story } = backtest(entered([80, 82, 79, 81, 0], flat(81)), {
      ...LONG,
      stopLoss: '0.1',
    });
    expect(story).toEqual(['long 1@100 2@80 stop']);
  });

  it('a gap through the target fills at the better open', () => {
    const { story, row } = backtest(entered([130, 140, 60, 120, 0], flat(120)), {
      ...LONG,
      stopLoss: '0.1',
      takeProfit: '0.1',
    });
    expect(story).toEqual(['long 1@100 2@130 target']);
    expect(row['ambiguousExits']).toBe(0);
  });

  it('stop and target in one bar: the stop counts as first, and the bar is counted', () => {
    const { story, row } = backtest(entered([100, 120, 80, 100, 0], flat(100)), {
      ...LONG,
      stopLoss: '0.1',
      takeProfit: '0.1',
    });
    expect(story).toEqual(['long 1@100 2@90 stop']);
    expect(row['ambiguousExits']).toBe(1);
  });

  it('a short’s stop lies above and its target below', () => {
    const stopped = backtest([flat(100, 3), flat(100), [105, 115, 100, 100, 0], flat(100)], {
      ...SHORT,
      stopLoss: '0.1',
    });
    expect(stopped.story).toEqual([`short 1@100 2@${100 * 1.1} stop`]);
    const gapped = backtest([flat(100, 3), flat(100), [70, 75, 65, 70, 0], flat(70)], {
      ...SHORT,
      takeProfit: '0.25',
    });
    expect(gapped.story).toEqual(['short 1@100 2@70 target']);
  });

  it('a distance with a series in it is price units, read at the signal bar', () => {
    const bars: Bar[] = [
      [100, 103, 99, 100, 1],
      [100, 101, 100, 100, 0],
      [100, 100, 90, 95, 0],
    ];
    const { story } = backtest([...bars, flat(95)], { ...LONG, stopLoss: '2 * (high - low)' });
    expect(story).toEqual(['long 1@100 2@92 stop']);
  });

  it('without a defined stop there is no trade', () => {
    const { row } = backtest([flat(100, 1), flat(100), flat(100)], {
      ...LONG,
      stopLoss: 'high - low',
    });
    expect(row['trades']).toBe(0);
  });

  it('maxBars closes at the open after so many bars', () => {
    const bars = [flat(10, 1), flat(11), flat(12), flat(13), flat(14)];
    expect(backtest(bars, { ...LONG, maxBars: '2' }).story).toEqual(['long 1@11 3@13 maxBars']);
    expect(backtest(bars, { ...LONG, maxBars: '1' }).story).toEqual(['long 1@11 2@12 maxBars']);
  });
});

describe('money', () => {
  it('slippage is against us on market and stop fills, and none on targets', () => {
    const bars: Bar[] = [flat(100, 1), flat(100), [100, 100, 80, 90, 0], flat(90)];
    const stop = backtest(bars, { ...LONG, stopLoss: '0.1' }, { slippage: 0.01 });
    const [trade] = stop.trades;
    expect(trade?.entryPrice).toBe(101);
    expect(trade?.exitPrice).toBe(101 * 0.9 * 0.99);
    const target = backtest(
      [flat(100, 1), flat(100), [100, 130, 100, 100, 0], flat(100)],
      { ...LONG, takeProfit: '0.1' },
      { slippage: 0.01 },
    );
    expect(target.trades[0]?.exitPrice).toBe(101 * 1.1);
    const short = backtest([flat(100, 3), flat(100, 4), flat(100)], SHORT, { slippage: 0.01 });
    expect(short.story).toEqual(['short 1@99 2@101 signal']);
  });

  it('fees are paid on both sides on the traded value, and pnl is net of them', () => {
    const bars = [flat(100, 1), flat(100), flat(100, 2), flat(200), flat(200)];
    const { row, trades } = backtest(bars, LONG, { fee: 0.01 });
    expect(row['fees']).toBe(3);
    expect(trades[0]?.pnl).toBe(97);
    expect(row['finalEquity']).toBe(1097);
  });

  it('all of the equity pays for the quantity and its fee', () => {
    const size = { kind: 'equity', value: '1' } as const;
    const { trades } = backtest(
      [flat(100, 1), flat(100), flat(100)],
      { ...LONG, size },
      { fee: 0.25 },
    );
    expect(trades[0]?.size).toBe(8);
  });

  it('a fraction of the equity counts the equity at the fill', () => {
    const size = { kind: 'equity', value: '0.5' } as const;
    const bars = [flat(100, 1), flat(100, 2), flat(300, 1), flat(100), flat(100)];
    const { trades } = backtest(bars, { ...LONG, size });
    expect(trades.map((trade) => trade.size)).toEqual([5, 10]);
  });

  it('cash is spent up to what is left, units are all or nothing', () => {
    const bars = [flat(100, 1), flat(100), flat(100)];
    const sized = (kind: 'cash' | 'units', value: string) =>
      backtest(bars, { ...LONG, size: { kind, value } }).trades.map((trade) => trade.size);
    expect(sized('cash', '250')).toEqual([2.5]);
    expect(sized('cash', '5000')).toEqual([10]);
    expect(sized('units', '10')).toEqual([10]);
    expect(sized('units', '11')).toEqual([]);
  });

  it('lot floors the quantity, and quantity 0 is no trade', () => {
    const bars = [flat(300, 1), flat(300), flat(300)];
    const equity = { kind: 'equity', value: '1' } as const;
    expect(backtest(bars, { ...LONG, size: equity }, { lot: 1 }).trades[0]?.size).toBe(3);
    expect(backtest(bars, { ...LONG, size: equity }, { lot: 5 }).row['trades']).toBe(0);
    const units = { kind: 'units', value: '0.3' } as const;
    expect(backtest(bars, { ...LONG, size: units }, { lot: 0.1 }).trades[0]?.size).toBeCloseTo(0.3);
  });

  it('a short whose equity is used up is closed at that close, and trading ends', () => {
    const size = { kind: 'equity', value: '1' } as const;
    const bars = [flat(100, 3), flat(100), flat(250, 3), flat(100), flat(100)];
    const { row, story } = backtest(bars, { ...SHORT, size });
    expect(story).toEqual(['short 1@100 2@250 end']);
    expect(row).toMatchObject({ finalEquity: -500, forcedExits: 1, maxDrawdown: 1.5, cagr: NaN });
  });
});

describe('the ends of the data', () => {
  it('a position at the last bar is closed at its close and counted as forced', () => {
    const { story, row } = backtest([flat(10, 1), [11, 13, 10, 12, 0]], LONG);
    expect(story).toEqual(['long 1@11 1@12 end']);
    expect(row['forcedExits']).toBe(1);
  });

  it('a signal on the last close never fills', () => {
    expect(backtest([flat(10), flat(11), flat(12, 1)], LONG).story).toEqual([]);
  });

  it('the range is closed at its start and open at its end', () => {
    const bars = [flat(10, 1), flat(11, 1), flat(12), flat(13), flat(14)];
    const from = 1_704_067_200_000 + 86_400_000;
    const { story, row } = backtest(bars, LONG, {}, { fromMs: from, toMs: from + 3 * 86_400_000 });
    expect(story).toEqual(['long 2@12 3@13 end']);
    expect(row['buyHold']).toBe(13 / 11 - 1);
  });

  it('indicators start at the first row of the file, trading when all of them are defined', () => {
    const bars = [10, 11, 12, 13, 14, 15].map((price) => flat(price));
    const always = { long: { enter: ['close > 0'], exit: ['sma(4) < 0'] } };
    expect(backtest(bars, always).story).toEqual(['long 4@14 5@15 end']);
    const fromMs = 1_704_067_200_000 + 2 * 86_400_000;
    expect(backtest(bars, always, {}, { fromMs }).story).toEqual(['long 4@14 5@15 end']);
  });

  it('data too short for the indicators is an error row, not a row of zeros', () => {
    const { row } = backtest([flat(10), flat(11), flat(12)], {
      long: { enter: ['close > sma(200)'], exit: [] },
    });
    expect(row).toMatchObject({ error: 5, trades: NaN, finalEquity: NaN });
    const error = (bars: number, toMs: number | null = null) => {
      const strategy = { long: { enter: ['close > sma(3)'], exit: [] } };
      const prices = Array.from({ length: bars }, (_, bar) => flat(10 + bar));
      return backtest(prices, strategy, {}, { toMs }).row['error'];
    };
    // The third bar can decide only if a fourth is there to fill at.
    expect([error(3), error(4), error(9, 1_704_067_200_000 + 3 * 86_400_000)]).toEqual([5, 0, 5]);
  });
});

describe('the meaning of rules', () => {
  it('a cross needs the bar before on the other side or on the line', () => {
    expect(crossing('close crosses above 2', 1, 3, 3)).toEqual([1]);
    expect(crossing('close crosses above 2', 2, 3, 3)).toEqual([1]);
    expect(crossing('close crosses above 2', 3, 3, 3)).toEqual([]);
    expect(crossing('close crosses below 2', 3, 1, 1)).toEqual([1]);
    expect(crossing('close[1] > 2', 3, 1, 1)).toEqual([1]);
  });

  it('every comparison with an undefined value is false', () => {
    const bars = [flat(10, 1), flat(10, 1), flat(10, 1)];
    for (const op of ['<', '<=', '>', '>=', '==']) {
      const rule = `(close - open) / (high - low) ${op} 0`;
      expect(backtest(bars, { long: { enter: [rule], exit: [] } }).row['trades']).toBe(0);
    }
  });

  it('any, all and not combine rules', () => {
    const bars = [flat(1), flat(2), flat(3), flat(4), flat(5)];
    const entry = (rule: { any: string[] } | { all: string[] } | { not: string }) =>
      backtest(bars, { long: { enter: [rule], exit: [] } }).trades[0]?.entryBar;
    expect(entry({ any: ['close == 3', 'close == 2'] })).toBe(2);
    expect(entry({ all: ['close >= 2', 'close >= 3'] })).toBe(3);
    expect(entry({ not: 'close < 3' })).toBe(3);
  });
});

/** Signalled on the first close, in at 100 on the second bar. */
function entered(...bars: Bar[]): Bar[] {
  return [flat(100, 1), flat(100), ...bars];
}

/** The bars whose close gave a signal. */
function crossing(rule: string, ...prices: number[]): number[] {
  const bars = [...prices, 9].map((price) => flat(price));
  const { trades } = backtest(bars, { long: { enter: [rule], exit: [] } });
  return trades.map(({ entryBar }) => entryBar - 1);
}
