// A block: one strategy with its whole grid, on one dataset. Its tasks follow each other in a job, and its rows depend
// on nothing else in the file but what all strategies share (broker, split, …). So its hash names its rows, in
// whatever job and at whatever place they were computed, and a file in which one strategy was changed shares all the
// others. Grids that only overlap share nothing: a hash per grid point would cost more than most points. A sampled job
// is one block, because its tasks are drawn from all grids together; so is one about segments of single tasks.
import { createHash } from 'node:crypto';
import type { JobSpec } from '../../kernel/spec.ts';
import { parseStrategies } from '../../kernel/strategy.ts';

export interface Block {
  /** SHA-256 in hex. */
  readonly key: string;
  /** First task in its job, and how many follow each other. */
  readonly start: number;
  readonly tasks: number;
}

/** `spec`: as it is read from its blob, whose reader gives every strategy's fields in one order. `kernel`: id with
 * version. Empty for a kernel whose rows are never reused. */
export function blocksOf(spec: JobSpec, kernel: string, taskCount: number): Block[] {
  if (spec.kernel !== 'backtest') return [];
  // Which results are shown first changes no row; nor do names.
  const { rank: _, filter: _f, keep: _k, strategies, datasets, ...shared } = spec;
  const counts = parseStrategies(strategies).map(({ grid }) => grid.count);
  const texts = strategies.map((strategy) => JSON.stringify({ ...strategy, name: undefined }));
  const blocks: Block[] = [];
  let start = 0;
  for (const { symbol: _, foldEdgesMs, ...range } of datasets) {
    // Where folds begin changes sums of segments and no row of a whole backtest.
    const dataset = spec.segments === undefined ? range : { ...range, foldEdgesMs };
    const common = createHash('sha256').update(`${JSON.stringify({ kernel, shared, dataset })}\n`);
    for (const [index, text] of texts.entries()) {
      const tasks = counts[index] ?? 0;
      blocks.push({ key: common.copy().update(text).digest('hex'), start, tasks });
      start += tasks;
    }
  }
  const isPlain = spec.sample === null && spec.segments === undefined && start === taskCount;
  if (isPlain) return blocks;
  const hash = createHash('sha256').update(JSON.stringify({ kernel, taskCount }));
  for (const { key } of blocks) hash.update(key);
  return [{ key: hash.digest('hex'), start: 0, tasks: taskCount }];
}
