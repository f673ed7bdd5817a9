// Which column of a CSV file is what. Exchanges and tools agree on the words, not on their case or spelling; some
// write no words at all.

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

/** In the order in which they are looked for: where a file has several, the first one counts. */
const NAMES = {
  time: [
    'timestamp',
    // Beside a date that somebody may have shortened to the day.
    'unix',
    'unix timestamp',
    'datetime',
    'date time',
    'date',
    'time',
    'open time',
    'opentime',
    'gmt time',
    'utc time',
    'time (utc)',
    'window start',
    'ts',
    't',
    'epoch',
  ],
  open: ['open', 'o', 'open price'],
  high: ['high', 'h', 'high price'],
  low: ['low', 'l', 'low price'],
  close: ['close', 'c', 'close price', 'close/last'],
  // Of currencies only the ticks are counted: a real volume beside them is 0 throughout.
  volume: ['volume', 'tickvol', 'tick volume', 'vol', 'vol.', 'v', 'base volume'],
} as const;

type Role = keyof typeof NAMES;

export type CsvHeader =
  | { readonly ok: true; readonly columns: CsvColumns; readonly isHeaderless: boolean }
  | { readonly ok: false; readonly message: string; readonly hint?: string };

export function readCsvHeader(line: string): CsvHeader {
  const delimiter = [',', ';', '\t'].toSorted(
    (a, b) => line.split(b).length - line.split(a).length,
  )[0] as string;
  const headings = line.split(delimiter).map((cell) => unquote(cell.trim()));
  const words = headings.map((heading) =>
    heading
      .toLowerCase()
      .replaceAll(/[_<>*]/g, ' ')
      .trim(),
  );
  if (words.length > 1 && words.every((word) => word !== '' && !/[a-z]/.test(word))) {
    const known = HEADERLESS.find((layout) => layout.isLike(headings));
    if (known !== undefined) {
      const header = readCsvHeader(known.header.replaceAll(',', delimiter));
      return header.ok ? { ...header, isHeaderless: true } : header;
    }
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
    // `Volume BTC,Volume USDT`: that of what is traded stands first.
    if (role === 'volume') return words.findIndex((word) => word.startsWith('volume '));
    // A data frame's index has no name.
    return role === 'time' && (words[0] === '' || words[0] === 'unnamed: 0') ? 0 : -1;
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
    const message = `no column for ${missing.join(', ')}`;
    return { ok: false, message, hint: `there are ${seen}${adviceFor(missing, words)}` };
  }
  const clock = words[found.time] === 'date' ? words.indexOf('time') : -1;
  const read = new Set([...Object.values(found), clock]);
  return {
    ok: true,
    isHeaderless: false,
    columns: {
      delimiter,
      ...found,
      clock,
      columnCount: headings.length,
      extra: headings.filter((_, index) => !read.has(index)),
    },
  };
}

/** Files without column names that can be nothing else. */
const HEADERLESS: readonly {
  readonly header: string;
  isLike(cells: readonly string[]): boolean;
}[] = [
  {
    // Binance's archive; the seventh is the time of the close.
    header:
      'open_time,open,high,low,close,volume,close_time,quote_volume,count,taker_buy_volume,taker_buy_quote_volume,ignore',
    isLike: (cells) =>
      cells.length === 12 &&
      isEpoch(cells[0]) &&
      isEpoch(cells[6]) &&
      Number(cells[6]) > Number(cells[0]),
  },
  {
    // Kraken's archive: seconds first, a number of trades last.
    header: 'timestamp,open,high,low,close,volume,trades',
    isLike: (cells) =>
      cells.length === 7 && /^\d{9,10}$/.test(cells[0] ?? '') && /^\d+$/.test(cells[6] ?? ''),
  },
  {
    // MetaTrader 4: 2024.01.02,00:05.
    header: 'date,time,open,high,low,close,volume',
    isLike: (cells) =>
      cells.length === 7 &&
      /^\d{4}\.\d{2}\.\d{2}$/.test(cells[0] ?? '') &&
      /^\d{2}:\d{2}$/.test(cells[1] ?? ''),
  },
  {
    // HistData and NinjaTrader: 20240102 000500.
    header: 'timestamp,open,high,low,close,volume',
    isLike: (cells) => cells.length === 6 && /^\d{8} \d{4}(?:\d{2})?$/.test(cells[0] ?? ''),
  },
];

function adviceFor(missing: readonly string[], words: readonly string[]): string {
  const [only] = missing;
  if (missing.length > 1) return '';
  if (only === 'volume') return '; where none is known, add a column volume of zeros';
  // Whose local time it is would be a guess wherever the cells do not say.
  const isLocal = only === 'time' && words.includes('local time');
  return isLocal ? '; local times are ambiguous, export the file again in GMT' : '';
}

function isEpoch(cell: string | undefined): boolean {
  return cell !== undefined && /^\d{9,19}$/.test(cell);
}

/** A cell in quotes without them. */
export function unquote(cell: string): string {
  return cell.length > 1 && cell.startsWith('"') && cell.endsWith('"')
    ? cell.slice(1, -1).trim()
    : cell;
}
