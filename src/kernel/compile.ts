// From a job to something that runs: the one door through which slots enter the kernel.

import { type EngineOptions, compileBacktest } from './backtest.ts';
import type { Candles, TaskRunner } from './job.ts';
import type { JobSpec } from './spec.ts';
import { compileSpin } from './spin.ts';

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
      const candles = datasets.get(spec.dataset.sha256);
      if (candles === undefined) throw new Error(`dataset ${spec.dataset.sha256} is missing`);
      return compileBacktest(spec, candles, options);
    }
  }
}
