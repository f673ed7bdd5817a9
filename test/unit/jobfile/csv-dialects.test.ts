// The first lines of files as exchanges, terminals and libraries write them: read with the right values, or refused
// with a sentence that says what to do.
import { describe, expect, it } from 'vitest';
import { parseCandleFile } from '../../../src/node/jobfile/candle-file.ts';

const encode = (...lines: string[]) => new TextEncoder().encode(lines.join('\n'));

/** One row: ISO time, open, high, low, close, volume. */
type Row = readonly [string, number, number, number, number, number];

const ACCEPTED: readonly (readonly [string, readonly string[], Row, readonly string[]])[] = [
  [
    'CryptoDataDownload, an address above the names',
    [
      'https://www.CryptoDataDownload.com',
      'unix,date,symbol,open,high,low,close,Volume BTC,Volume USDT,tradecount',
      '1704067200000,2024-01-01 00:00:00,BTC/USDT,42283.6,42554.6,42261,42475.2,1271.68,53957248.97,47134',
      '1704070800000,2024-01-01 01:00:00,BTC/USDT,42475.2,42775,42431.7,42613.6,1196.38,50984830.79,48396',
    ],
    ['2024-01-01T01:00:00.000Z', 42475.2, 42775, 42431.7, 42613.6, 1196.38],
    ['columns not read: date, symbol, Volume USDT, tradecount'],
  ],
  [
    'MetaTrader 5',
    [
      '<DATE>\t<TIME>\t<OPEN>\t<HIGH>\t<LOW>\t<CLOSE>\t<TICKVOL>\t<VOL>\t<SPREAD>',
      '2024.01.02\t00:00:00\t1.10427\t1.10431\t1.10411\t1.10424\t52\t0\t8',
      '2024.01.02\t00:05:00\t1.10424\t1.10441\t1.1042\t1.1043\t61\t0\t8\r',
    ],
    ['2024-01-02T00:05:00.000Z', 1.10424, 1.10441, 1.1042, 1.1043, 61],
    ['columns not read: <VOL>, <SPREAD>'],
  ],
  [
    'MetaTrader 5, days',
    [
      '<DATE>\t<OPEN>\t<HIGH>\t<LOW>\t<CLOSE>\t<TICKVOL>\t<VOL>\t<SPREAD>',
      '2024.01.02\t1.1\t1.2\t1\t1.1\t52\t0\t8',
      '2024.01.03\t1.1\t1.3\t1\t1.2\t61\t0\t8',
    ],
    ['2024-01-03T00:00:00.000Z', 1.1, 1.3, 1, 1.2, 61],
    ['columns not read: <VOL>, <SPREAD>'],
  ],
  [
    'MetaTrader 4, no names',
    [
      '2024.01.02,00:00,1.10427,1.10431,1.10411,1.10424,52',
      '2024.01.02,00:05,1.10424,1.10441,1.1042,1.1043,61',
    ],
    ['2024-01-02T00:05:00.000Z', 1.10424, 1.10441, 1.1042, 1.1043, 61],
    ['no column names: read by the order of the columns'],
  ],
  [
    'Kraken’s archive, no names',
    [
      '1704067200,42283.6,42554.6,42261,42475.2,12.5,471',
      '1704070800,42475.2,42775,42431.7,42613.6,11.25,483',
    ],
    ['2024-01-01T01:00:00.000Z', 42475.2, 42775, 42431.7, 42613.6, 11.25],
    ['no column names: read by the order of the columns', 'columns not read: trades'],
  ],
  [
    'Binance’s archive of 2025, no names, microseconds',
    [
      '1735689600000000,93576,93702.15,93489.03,93656.18,4.5,1735689899999999,421000.5,1530,2.1,196000.1,0',
      '1735689900000000,93656.18,93800,93600,93700,3.25,1735690199999999,304525,1200,1.5,140550,0',
    ],
    ['2025-01-01T00:05:00.000Z', 93656.18, 93800, 93600, 93700, 3.25],
    [
      'no column names: read by the order of the columns',
      'columns not read: close_time, quote_volume, count, taker_buy_volume, taker_buy_quote_volume, ignore',
    ],
  ],
  [
    'Binance’s futures, with names, milliseconds',
    [
      'open_time,open,high,low,close,volume,close_time,quote_volume,count,taker_buy_volume,taker_buy_quote_volume,ignore',
      '1704067200000,42283,42554,42261,42475,12.5,1704070799999,530000,471,6,254000,0',
      '1704070800000,42475,42775,42431,42613,11.25,1704074399999,479000,483,5,213000,0',
    ],
    ['2024-01-01T01:00:00.000Z', 42475, 42775, 42431, 42613, 11.25],
    [
      'columns not read: close_time, quote_volume, count, taker_buy_volume, taker_buy_quote_volume, ignore',
    ],
  ],
  [
    'Yahoo Finance',
    [
      'Date,Open,High,Low,Close,Adj Close,Volume',
      '2024-01-02,187.149994,188.440002,183.889999,185.639999,184.734985,82488700',
      '2024-01-03,184.220001,185.880005,183.429993,184.25,183.351761,58414500',
    ],
    ['2024-01-03T00:00:00.000Z', 184.220001, 185.880005, 183.429993, 184.25, 58_414_500],
    ['columns not read: Adj Close'],
  ],
  [
    'yfinance within a day, with a zone',
    [
      'Datetime,Open,High,Low,Close,Volume',
      '2024-01-02 09:30:00-05:00,187,188,186,187.5,1000',
      '2024-01-02 09:35:00-05:00,187.5,189,187,188,900',
    ],
    ['2024-01-02T14:35:00.000Z', 187.5, 189, 187, 188, 900],
    [],
  ],
  [
    'TradingView',
    [
      'time,open,high,low,close,MA,Volume',
      '1704067200,42283.6,42554.6,42261,42475.2,NaN,12.5',
      '1704070800,42475.2,42775,42431.7,42613.6,42400,11.25',
    ],
    ['2024-01-01T01:00:00.000Z', 42475.2, 42775, 42431.7, 42613.6, 11.25],
    ['columns not read: MA'],
  ],
  [
    'Coinbase, low before high before open',
    [
      'time,low,high,open,close,volume',
      '1704067200,42261,42554.6,42283.6,42475.2,12.5',
      '1704070800,42431.7,42775,42475.2,42613.6,11.25',
    ],
    ['2024-01-01T01:00:00.000Z', 42475.2, 42775, 42431.7, 42613.6, 11.25],
    [],
  ],
  [
    'Bitstamp',
    [
      'timestamp,open,high,low,close,volume',
      '1704067200.0,42283.6,42554.6,42261,42475.2,12.5',
      '1704070800.0,42475.2,42775,42431.7,42613.6,11.25',
    ],
    ['2024-01-01T01:00:00.000Z', 42475.2, 42775, 42431.7, 42613.6, 11.25],
    [],
  ],
  [
    'Stooq, days',
    ['Date,Open,High,Low,Close,Volume', '2024-01-02,10,12,9,11,100', '2024-01-03,11,13,10,12,110'],
    ['2024-01-03T00:00:00.000Z', 11, 13, 10, 12, 110],
    [],
  ],
  [
    'Stooq’s archive',
    [
      '<TICKER>,<PER>,<DATE>,<TIME>,<OPEN>,<HIGH>,<LOW>,<CLOSE>,<VOL>,<OPENINT>',
      'AAPL.US,5,20240102,153000,187,188,186,187.5,1000,0',
      'AAPL.US,5,20240102,153500,187.5,189,187,188,900,0',
    ],
    ['2024-01-02T15:35:00.000Z', 187.5, 189, 187, 188, 900],
    ['columns not read: <TICKER>, <PER>, <OPENINT>'],
  ],
  [
    'Dukascopy, the day first',
    [
      'Gmt time,Open,High,Low,Close,Volume',
      '02.01.2024 00:00:00.000,1.10427,1.10431,1.10411,1.10424,52.5',
      '02.01.2024 00:05:00.000,1.10424,1.10441,1.1042,1.1043,61.25',
    ],
    ['2024-01-02T00:05:00.000Z', 1.10424, 1.10441, 1.1042, 1.1043, 61.25],
    [],
  ],
  [
    'polygon.io’s flat files, nanoseconds',
    [
      'ticker,volume,open,close,high,low,window_start,transactions',
      'AAPL,1000,187,187.5,188,186,1704205800000000000,35',
      'AAPL,900,187.5,188,189,187,1704205860000000000,31',
    ],
    ['2024-01-02T14:31:00.000Z', 187.5, 189, 187, 188, 900],
    ['columns not read: ticker, transactions'],
  ],
  [
    'pandas, an index of times without a name',
    [
      ',open,high,low,close,volume',
      '2024-01-02 00:00:00,10,12,9,11,100.0',
      '2024-01-02 00:05:00,11,13,10,12,110.0',
    ],
    ['2024-01-02T00:05:00.000Z', 11, 13, 10, 12, 110],
    [],
  ],
  [
    'pandas, an index of numbers beside the times',
    [
      ',timestamp,open,high,low,close,volume',
      '0,2024-01-02 00:00:00+00:00,10,12,9,11,100.0',
      '1,2024-01-02 00:05:00+00:00,11,13,10,12,110.0',
    ],
    ['2024-01-02T00:05:00.000Z', 11, 13, 10, 12, 110],
    ['columns not read: (without a name)'],
  ],
  [
    'NinjaTrader’s times under names',
    [
      'time;open;high;low;close;volume',
      '20240102 000000;10;12;9;11;100',
      '20240102 000500;11;13;10;12;110',
    ],
    ['2024-01-02T00:05:00.000Z', 11, 13, 10, 12, 110],
    [],
  ],
  [
    'CryptoDataDownload of 2020, hours of half a day',
    [
      'https://www.CryptoDataDownload.com',
      'Date,Symbol,Open,High,Low,Close,Volume BTC,Volume USD',
      '2020-01-01 12-AM,BTCUSD,10,12,9,11,100,1000',
      '2020-01-01 12-PM,BTCUSD,11,13,10,12,110,1100',
    ],
    ['2020-01-01T12:00:00.000Z', 11, 13, 10, 12, 110],
    ['columns not read: Symbol, Volume USD'],
  ],
  [
    'HistData, no names',
    ['20240102 000000;10;12;9;11;0', '20240102 000500;11;13;10;12;110'],
    ['2024-01-02T00:05:00.000Z', 11, 13, 10, 12, 110],
    ['no column names: read by the order of the columns'],
  ],
  [
    'Dukascopy, the zone in the name',
    [
      'Time (UTC),Open,High,Low,Close,Volume',
      '2024.01.02 00:00:00,10,12,9,11,100',
      '2024.01.02 00:05:00,11,13,10,12,110',
    ],
    ['2024-01-02T00:05:00.000Z', 11, 13, 10, 12, 110],
    [],
  ],
  [
    'a web table with stars at its names',
    [
      'Date,Open,High,Low,Close*,Adj Close**,Volume',
      '2024-01-02,10,12,9,11,11,100',
      '2024-01-03,11,13,10,12,12,110',
    ],
    ['2024-01-03T00:00:00.000Z', 11, 13, 10, 12, 110],
    ['columns not read: Adj Close**'],
  ],
];

describe('a file is read as its writer meant it', () => {
  it.each(ACCEPTED)('%s', (_, lines, row, warnings) => {
    const result = parseCandleFile('c.csv', encode(...lines, ''));
    if (!result.ok) throw new Error(JSON.stringify(result.problems));
    const { barCount, timeMs, open, high, low, close, volume } = result.candles;
    expect(barCount).toBe(2);
    expect([
      new Date(timeMs[1] as number).toISOString(),
      ...[open, high, low, close, volume].map((column) => column[1]),
    ]).toEqual(row);
    expect(result.warnings).toEqual(warnings);
  });
});

describe('a file is refused with what to do', () => {
  const NEWEST_FIRST = /newest first; .* oldest first \(turn it round: \(head -n 1 c\.csv; tail/;
  it.each([
    [
      'Alpha Vantage, newest first',
      [
        'timestamp,open,high,low,close,volume',
        '2024-01-04,1,2,1,1,5',
        '2024-01-03,1,2,1,1,5',
        '2024-01-02,1,2,1,1,5',
      ],
      [3, NEWEST_FIRST],
    ],
    [
      'CryptoDataDownload, newest first',
      [
        'https://www.CryptoDataDownload.com',
        'unix,date,symbol,open,high,low,close,Volume BTC,Volume USDT',
        '1704070800,2024-01-01 01:00:00,BTCUSD,1,2,1,1,5,5',
        '1704067200,2024-01-01 00:00:00,BTCUSD,1,2,1,1,5,5',
      ],
      [4, /turn it round: \(head -n 2 c\.csv; tail -n \+3 c\.csv \| sort\) > sorted\.csv/],
    ],
    [
      'one row out of order',
      [
        'date,open,high,low,close,volume',
        '2024-01-02,1,2,1,1,5',
        '2024-01-04,1,2,1,1,5',
        '2024-01-03,1,2,1,1,5',
      ],
      [4, /^earlier than the row before: sort the file, oldest first$/],
    ],
    [
      'Nasdaq, the month first',
      [
        'Date,Close/Last,Volume,Open,High,Low',
        '01/03/2024,$184.25,58414460,$184.22,$185.88,$183.43',
      ],
      [2, /"01\/03\/2024" is not a time: day or month may come first, write 2024-01-31/],
    ],
    [
      'yfinance with two lines of names',
      ['Price,Close,High,Low,Open,Volume', 'Ticker,AAPL,AAPL,AAPL,AAPL,AAPL', 'Date,,,,,'],
      [1, /no column for time \(there are Price, Close, High, Low, Open, Volume\)/],
    ],
    [
      'TradingView without volume',
      ['time,open,high,low,close', '1704067200,1,2,1,1'],
      [1, /no column for volume \(.*; where none is known, add a column volume of zeros\)/],
    ],
    [
      'six columns without names: their order is anybody’s',
      ['1704067200,1,2,1,1,5', '1704070800,1,2,1,1,5'],
      [1, /no column names \(add a line such as timestamp,open,high,low,close,volume\)/],
    ],
    [
      'Dukascopy in local time',
      ['Local time,Open,High,Low,Close,Volume', '02.01.2024 00:00:00.000 GMT+0100,1,2,1,1,5'],
      [1, /no column for time \(.*; local times are ambiguous, export the file again in GMT\)/],
    ],
    [
      'decimals with a comma',
      ['date;open;high;low;close;volume', '2024-01-02;1,5;2,5;1,1;1,2;5'],
      [2, /^open is "1,5", not a number: write decimals with a point$/],
    ],
    [
      'thousands with a comma',
      ['date,open,high,low,close,volume', '2024-01-02,"1,234.5","1,240","1,230","1,235",5'],
      [2, /^10 columns where the header has 6: write numbers without commas between thousands$/],
    ],
    [
      'Yahoo’s days without prices',
      ['Date,Open,High,Low,Close,Adj Close,Volume', '2024-01-02,null,null,null,null,null,null'],
      [2, /^open is "null", not a number: take rows without prices out$/],
    ],
    [
      'lines of an old Mac',
      ['date,open,high,low,close,volume\r2024-01-02,1,2,1,1,5\r2024-01-03,1,2,1,1,5\r'],
      [1, /carriage returns alone \(write it anew: tr '\\r' '\\n' < c\.csv > candles\.csv\)/],
    ],
    [
      'an endless first line',
      [','.repeat(10 * 2 ** 20)],
      [1, /^the first line has more than 100000 characters \(one line for each candle/],
    ],
    ['nothing', [], [1, /^the file is empty$/]],
    ['blank lines', ['', '', ''], [1, /^the file is empty$/]],
    [
      'a web page',
      ['<!DOCTYPE html>', '<html>'],
      [1, /no column for time, open, high, low, close/],
    ],
  ] as const)('%s', (_, lines, [line, sentence]) => {
    const result = parseCandleFile('c.csv', encode(...lines, ''));
    const problem = result.ok ? undefined : result.problems[0];
    expect(problem?.line).toBe(line);
    expect(`${problem?.message} (${problem?.hint})`.replace(' (undefined)', '')).toMatch(sentence);
  });

  it('UTF-16', () => {
    const text = 'timestamp,open,high,low,close,volume\n';
    const bytes = Uint8Array.from(Buffer.from(`\uFEFF${text}`, 'utf16le'));
    const result = parseCandleFile('c.csv', bytes);
    expect(result.ok ? [] : result.problems.map(({ message, hint }) => [message, hint])).toEqual([
      [
        'the file is UTF-16, not UTF-8',
        'write it anew: iconv -f UTF-16 -t UTF-8 c.csv > candles.csv',
      ],
    ]);
  });

  it('bytes that are no text', () => {
    const result = parseCandleFile('c.bin', Uint8Array.of(0x89, 0x50, 0x4e, 0x47, 0, 0, 1, 2));
    expect(result.ok ? [] : result.problems.map(({ message }) => message)).toEqual([
      'the file is no text',
    ]);
  });
});
