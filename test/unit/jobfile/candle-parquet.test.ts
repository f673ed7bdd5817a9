// Candles from Parquet files, written by another library than the one that reads them.
import { readFileSync } from 'node:fs';
import { gzipSync, zstdCompressSync } from 'node:zlib';
import { parquetWriteBuffer } from 'hyparquet-writer';
import { describe, expect, it } from 'vitest';
import { isParquet, parseCandleFile } from '../../../src/node/jobfile/candle-file.ts';
import { parseCandleParquet } from '../../../src/node/jobfile/candle-parquet.ts';

const ROOT = new URL('../../../', import.meta.url);

const TIMES = ['2024-01-01', '2024-01-02', '2024-01-03'].map((day) => new Date(day));
const OPEN = [10, 11.5, 12];
const HIGH = [12, 13, 14];
const LOW = [9, 10, 11];
const CLOSE = [11, 12, 13];

describe('a Parquet file', () => {
  it.each([
    ['timestamps', 'timestamp', 'TIMESTAMP', TIMES],
    ['timestamps in an index without a name', '__index_level_0__', 'TIMESTAMP', TIMES],
    ['text', 'Date', 'STRING', TIMES.map((time) => time.toISOString().slice(0, 10))],
    ['milliseconds', 'open_time', 'INT64', TIMES.map((time) => BigInt(time.getTime()))],
    ['seconds', 'unix', 'DOUBLE', TIMES.map((time) => time.getTime() / 1000)],
  ] as const)('gives candles by %s', async (_, name, type, data) => {
    const result = await parseCandleParquet('c.parquet', file({ name, type, data: [...data] }));
    if (!result.ok) throw new Error(JSON.stringify(result.problems));
    const { candles, warnings } = result;
    expect([...candles.timeMs]).toEqual(TIMES.map((time) => time.getTime()));
    expect([candles.open, candles.high, candles.low, candles.close].map((one) => [...one])).toEqual(
      [OPEN, HIGH, LOW, CLOSE],
    );
    expect([...candles.volume]).toEqual([1, 2, 3]);
    expect(warnings).toEqual(['columns not read: trades']);
  });

  it.each([
    ['SNAPPY', undefined],
    ['UNCOMPRESSED', undefined],
    ['GZIP', (bytes: Uint8Array) => gzipSync(bytes)],
    ['ZSTD', (bytes: Uint8Array) => zstdCompressSync(bytes)],
  ] as const)('may be packed by %s', async (codec, pack) => {
    const more = pack === undefined ? { codec } : { codec, compressors: { [codec]: pack } };
    const result = await parseCandleParquet('c.parquet', file(TIMESTAMP, more));
    expect(result).toMatchObject({ ok: true, candles: { barCount: 3 } });
  });

  it('as Spark writes it gives times of 96 bits and decimals by their digits', async () => {
    const bytes = readFileSync(new URL('test/fixtures/parquet/spark.parquet', ROOT));
    const result = await parseCandleParquet('c.parquet', bytes);
    if (!result.ok) throw new Error(JSON.stringify(result.problems));
    const { timeMs, open, high, low, volume } = result.candles;
    const start = Date.UTC(2024, 0, 1);
    expect([...timeMs]).toEqual([0, 1, 2, 3, 4].map((minute) => start + minute * 60_000));
    expect([...open]).toEqual([100.01, 100.35, 99.7, 123.45, 0.07]);
    expect([...high]).toEqual([100.03, 100.37, 99.72, 123.47, 0.09]);
    expect([...low]).toEqual([99.99, 100.33, 99.68, 123.43, 0.05]);
    expect([...volume]).toEqual([1, 2, 3, 4, 5]);
  });

  it('with a broken row names the row', async () => {
    const data = [TIMES[0], TIMES[2], TIMES[1]];
    const result = await parseCandleParquet('c.parquet', file({ ...TIMESTAMP, data }));
    expect(result).toMatchObject({
      ok: false,
      problems: [{ line: 3, message: expect.stringMatching(/^row 3: earlier than the row/) }],
    });
  });

  it('without a column of prices names it and what there is', async () => {
    const bytes = new Uint8Array(parquetWriteBuffer({ columnData: [{ name: 'a', data: [1, 2] }] }));
    const result = await parseCandleParquet('c.parquet', bytes);
    expect(result).toMatchObject({
      problems: [
        { message: expect.stringMatching(/^no column for time, open/), hint: 'there are a' },
      ],
    });
  });

  it('cut off, or with a byte changed, is an error or candles in bounded time, never a throw', async () => {
    const whole = file(TIMESTAMP);
    const places = Array.from({ length: 12 }, (_, nth) => 4 + nth * Math.floor(whole.length / 12));
    const results = await Promise.all(
      places.flatMap((at) => {
        const changed = Uint8Array.from(whole);
        changed[at] = (changed[at] as number) ^ 0xff;
        return [whole.subarray(0, at), changed].map((bytes) =>
          parseCandleParquet('c.parquet', bytes, 5_000),
        );
      }),
    );
    expect(results.filter((_, at) => at % 2 === 0).map(({ ok }) => ok)).toEqual(
      places.map(() => false),
    );
    for (const result of results) expect(result).toHaveProperty('ok');
  });

  it('that is read for too long is given up', async () => {
    const result = await parseCandleParquet('c.parquet', file(TIMESTAMP), 0);
    expect(result).toMatchObject({
      problems: [{ message: expect.stringContaining('it cannot be read to its end') }],
    });
  });

  it.each(['pandas', 'polars'])('of %s gives the very candles of the CSV file', async (name) => {
    const csv = readFileSync(new URL('examples/aapl.csv', ROOT), 'utf8').split('\n').slice(0, 61);
    const plain = parseCandleFile('aapl.csv', new TextEncoder().encode(`${csv.join('\n')}\n`));
    const bytes = readFileSync(new URL(`test/fixtures/parquet/${name}.parquet`, ROOT));
    expect(await parseCandleParquet('aapl.csv', bytes)).toEqual(plain);
  });

  it('packed in a way that is not read is told how to be', async () => {
    const bytes = readFileSync(new URL('test/fixtures/parquet/polars-lz4.parquet', ROOT));
    expect(await parseCandleParquet('c.parquet', bytes)).toMatchObject({
      problems: [
        { message: expect.stringContaining('packed by LZ4_RAW'), hint: expect.any(String) },
      ],
    });
  });

  it('is known by its first bytes', () => {
    expect(isParquet(file(TIMESTAMP))).toBe(true);
    expect(isParquet(new TextEncoder().encode('PARTS,open'))).toBe(false);
  });
});

const TIMESTAMP = { name: 'timestamp', type: 'TIMESTAMP', data: TIMES } as const;

type Column = Parameters<typeof parquetWriteBuffer>[0]['columnData'][number];

function file(
  time: Omit<Column, 'data'> & { readonly data: unknown },
  more: object = {},
): Uint8Array {
  const columnData = [
    { ...time, data: [...(time.data as unknown[])] },
    { name: 'Open', data: OPEN, type: 'DOUBLE' },
    { name: 'High', data: HIGH, type: 'DOUBLE' },
    { name: 'Low', data: LOW, type: 'DOUBLE' },
    { name: 'Close', data: CLOSE, type: 'DOUBLE' },
    { name: 'volume', data: [1n, 2n, 3n], type: 'INT64' },
    { name: 'trades', data: [1, 2, 3], type: 'INT32' },
  ] as Column[];
  return new Uint8Array(parquetWriteBuffer({ columnData, ...more }));
}
