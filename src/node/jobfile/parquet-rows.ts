// The rows of a Parquet file, as pandas, Polars and DuckDB write it: columns by the same names as in CSV, times as
// timestamps, as text or as numbers since 1970. Pages may be packed by Snappy, gzip, zstd or Brotli; Node brings the
// last three along.

import { brotliDecompressSync, gunzipSync, zstdDecompressSync } from 'node:zlib';
import {
  type Compressors,
  parquetMetadata,
  parquetReadObjects,
  parquetSchema,
  type SchemaElement,
} from 'hyparquet';
import { MAX_BARS } from '../../kernel/limits.ts';
import { CandleRows, type CandleResult, candleFailure } from './candle-rows.ts';
import { readCsvHeader } from './csv-header.ts';

const ROLES = ['time', 'open', 'high', 'low', 'close', 'volume'] as const;

/** A page says how long it is when unpacked; one that is longer is damaged. */
const COMPRESSORS: Compressors = {
  GZIP: (input, maxOutputLength) => gunzipSync(input, { maxOutputLength }),
  ZSTD: (input, maxOutputLength) => zstdDecompressSync(input, { maxOutputLength }),
  BROTLI: (input, maxOutputLength) => brotliDecompressSync(input, { maxOutputLength }),
};

/** May never return on a damaged file: for a thread that can be ended (candle-parquet.ts). */
export async function readParquet(file: string, bytes: Uint8Array): Promise<CandleResult> {
  try {
    return await rowsOf(file, bytes.slice().buffer);
  } catch (error) {
    // Whatever the reader stumbles over is in the file.
    const codec = /unsupported compression codec: (\w+)/.exec(String(error))?.[1];
    if (codec !== undefined) {
      const hint = 'write it anew with snappy, zstd, gzip or brotli';
      return candleFailure(file, `the Parquet file is packed by ${codec}, which is not read`, {
        hint,
      });
    }
    const why = error instanceof Error ? error.message.slice(0, 200) : 'it cannot be read';
    return candleFailure(file, `the Parquet file is damaged or of an unknown kind: ${why}`);
  }
}

async function rowsOf(file: string, buffer: ArrayBuffer): Promise<CandleResult> {
  const metadata = parquetMetadata(buffer);
  const rowCount = Number(metadata.num_rows);
  if (rowCount > MAX_BARS) return candleFailure(file, `more than ${MAX_BARS} candles`);
  const elements = parquetSchema(metadata).children.map(({ element }) => element);
  const names = elements.map(({ name }) => name);
  const header = readCsvHeader(names.map(headingOf).join(','));
  if (!header.ok) return candleFailure(file, header.message, { hint: header.hint ?? '' });
  const { columns } = header;
  const wanted = ROLES.map((role) => names[columns[role]] as string);
  const scales = ROLES.map((role) => decimalScale(elements[columns[role]]));
  const records = await parquetReadObjects({
    file: buffer,
    metadata,
    columns: wanted,
    compressors: COMPRESSORS,
  });
  const rows = new CandleRows(file, records.length);
  for (const [index, record] of records.entries()) {
    const cell = (at: number): string => cellText(record[wanted[at] as string], scales[at]);
    const fault = rows.add({
      time: cell(0),
      open: cell(1),
      high: cell(2),
      low: cell(3),
      close: cell(4),
      volume: cell(5),
    });
    if (fault !== undefined) {
      rows.fault(`row ${index + 1}: ${fault}`, () => ({ line: index + 1, col: 1, excerpt: '' }));
    }
  }
  const extra = columns.extra.length > 0 ? [`columns not read: ${columns.extra.join(', ')}`] : [];
  return rows.result(extra);
}

/** As one cell of a header line; pandas names an index without a name so. */
function headingOf(name: string): string {
  return name === '__index_level_0__' ? 'ts' : name.replaceAll(/[,;\t"]/g, ' ');
}

/** Digits behind the point, of a column of decimals. */
function decimalScale(element: SchemaElement | undefined): number | undefined {
  const isDecimal =
    element?.converted_type === 'DECIMAL' || element?.logical_type?.type === 'DECIMAL';
  return isDecimal ? Math.min(element?.scale ?? 0, 100) : undefined;
}

/** A decimal comes as a product with a power of ten, one step beside the number that its digits say. */
function cellText(value: unknown, scale: number | undefined): string {
  if (value instanceof Date) return Number.isNaN(value.getTime()) ? '' : value.toISOString();
  if (typeof value === 'number' && scale !== undefined) return value.toFixed(scale);
  if (typeof value === 'number' || typeof value === 'bigint') return String(value);
  return typeof value === 'string' ? value : '';
}
