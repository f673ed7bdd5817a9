// From a job to something that runs: the one door through which slots enter the kernel.

import { type EngineOptions, compileBacktest } from './backtest.ts';
import type { Candles, TaskRunner } from './job.ts';
import type { JobSpec } from './spec.ts';
import { SERIES_CACHE_BYTES } from './limits.ts';
import { cutIntoSegments, segmentsOf } from './segments.ts';
import { compileSpin } from './spin.ts';
import { SYMBOLS_KEPT, joinSymbols } from './symbols.ts';

/** `datasets` by the SHA-256 (hex) of their binary form. Throws an Error when one that the job names is
 * missing. */
export function compileJob(
  spec: JobSpec,
  datasets: ReadonlyMap<string, Candles>,
  options: EngineOptions = {},
): TaskRunner {
  switch (spec.kernel) {
    case 'spin':
      return compileSpin(spec);
    case 'backtest': {
      const cacheBytes = options.cacheBytes ?? SERIES_CACHE_BYTES;
      const parts = spec.datasets.map((dataset) => {
        const candles = datasets.get(dataset.sha256);
        if (candles === undefined) throw new Error(`dataset ${dataset.sha256} is missing`);
        const alone = { ...spec, datasets: [dataset], sample: null, segments: undefined };
        const share = {
          ...options,
          cacheBytes: cacheBytes / SYMBOLS_KEPT,
          dataset: dataset.sha256,
        };
        return { symbol: dataset.symbol, compile: () => compileBacktest(alone, candles, share) };
      });
      const [{ sha256 } = { sha256: '' }] = spec.datasets;
      const whole =
        parts.length > 1
          ? joinSymbols(parts, spec.sample)
          : compileBacktest(spec, datasets.get(sha256) as Candles, { ...options, dataset: sha256 });
      const { segments, datasets: ranges } = spec;
      const runner =
        segments === undefined ? whole : cutIntoSegments(whole, segments.of, segmentsOf(spec));
      return { ...runner, ranges };
    }
  }
}
