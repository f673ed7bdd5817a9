// Prepares job files that exist in memory only.
import {
  type Prepared,
  type PreparedJob,
  formatProblems,
  prepareJob,
} from '../../../src/node/jobfile/prepare.ts';
import type { PrepareInput } from '../../../src/node/jobfile/prepare.ts';

export const CSV = [
  'Date,Open,High,Low,Close,Adj Close,Volume',
  '2024-01-01,10,12,9,11,11,100',
  '2024-01-02,11,13,10,12,12,110',
  '2024-01-03,12,14,11,13,13,120',
  '2024-01-04,13,15,12,14,14,130',
  '',
].join('\n');

export const STRATEGY = { long: { enter: ['close > 11'] } };

export function prepare(
  file: unknown,
  {
    data = CSV,
    overrides = {},
  }: { data?: string; overrides?: PrepareInput['overrides'] & object } = {},
): Promise<Prepared> {
  return prepareJob({
    fileName: 'strategies.json',
    text: typeof file === 'string' ? file : JSON.stringify(file, null, 2),
    readFile(path) {
      if (path !== 'candles.csv')
        return Promise.reject(Object.assign(new Error('no'), { code: 'ENOENT' }));
      return Promise.resolve(new TextEncoder().encode(data));
    },
    overrides,
  });
}

/** A file with `part` in place of the defaults. */
export function fileWith(part: object): object {
  return { version: 1, data: 'candles.csv', strategies: [STRATEGY], ...part };
}

export async function accepted(
  file: unknown,
  more: Parameters<typeof prepare>[1] = {},
): Promise<PreparedJob> {
  const result = await prepare(file, more);
  if (!result.ok) throw new Error(formatProblems(result.problems));
  return result.prepared;
}

/** `path: message` of every problem, the hint in brackets. */
export async function refused(
  file: unknown,
  more: Parameters<typeof prepare>[1] = {},
): Promise<string[]> {
  const result = await prepare(file, more);
  if (result.ok) throw new Error('the file was accepted');
  return result.problems.map(
    ({ path, message, hint }) => `${path}: ${message}${hint === undefined ? '' : ` (${hint})`}`,
  );
}
