// Which column of a CSV file is what. Exchanges and tools agree on the words, not on their case or spelling.

export interface CsvColumns {
  readonly delimiter: string;
  readonly time: number;
  /** A separate time of day, joined to the date; -1: none. */
  readonly clock: number;
  readonly open: number;
  readonly high: number;
  readonly low: number;
  readonly close: number;
  readonly volume: number;
  readonly columnCount: number;
  /** Headings of the columns that are not read. */
  readonly extra: readonly string[];
}

const NAMES = {
  time: [
    'timestamp',
    'datetime',
    'date time',
    'date',
    'time',
    'open time',
    'opentime',
    'ts',
    'unix',
    'unix timestamp',
    'epoch',
  ],
  open: ['open', 'o', 'open price'],
  high: ['high', 'h', 'high price'],
  low: ['low', 'l', 'low price'],
  close: ['close', 'c', 'close price', 'close/last'],
  volume: ['volume', 'vol', 'vol.', 'v', 'base volume', 'tick volume'],
} as const;

type Role = keyof typeof NAMES;

export type CsvHeader =
  | { readonly ok: true; readonly columns: CsvColumns }
  | { readonly ok: false; readonly message: string; readonly hint?: string };

export function readCsvHeader(line: string): CsvHeader {
  const delimiter = [',', ';', '\t'].toSorted(
    (a, b) => line.split(b).length - line.split(a).length,
  )[0] as string;
  const headings = line.split(delimiter).map((cell) => unquote(cell.trim()));
  const words = headings.map((heading) => heading.toLowerCase().replaceAll('_', ' ').trim());
  if (words.length > 1 && words.every((word) => word !== '' && !/[a-z]/.test(word))) {
    return {
      ok: false,
      message: 'the first line has no column names',
      hint: 'add a line such as timestamp,open,high,low,close,volume',
    };
  }
  const find = (role: Role): number => {
    for (const name of NAMES[role]) {
      const at = words.indexOf(name);
      if (at >= 0) return at;
    }
    return -1;
  };
  const found = {
    time: find('time'),
    open: find('open'),
    high: find('high'),
    low: find('low'),
    close: find('close'),
    volume: find('volume'),
  };
  const missing = Object.entries(found).flatMap(([role, at]) => (at < 0 ? [role] : []));
  if (missing.length > 0) {
    const seen = headings.slice(0, 20).join(', ').slice(0, 200);
    return { ok: false, message: `no column for ${missing.join(', ')}`, hint: `there are ${seen}` };
  }
  const clock = words[found.time] === 'date' ? words.indexOf('time') : -1;
  const read = new Set([...Object.values(found), clock]);
  return {
    ok: true,
    columns: {
      delimiter,
      ...found,
      clock,
      columnCount: headings.length,
      extra: headings.filter((_, index) => !read.has(index)),
    },
  };
}

/** A cell in quotes without them. */
export function unquote(cell: string): string {
  return cell.length > 1 && cell.startsWith('"') && cell.endsWith('"')
    ? cell.slice(1, -1).trim()
    : cell;
}
