// One scenario, run under all the checks that it allows: what scripts and tests call.
import { quietWindowMs, suiteFor } from './checks/suite.ts';
import type { Scenario } from './scenario.ts';
import type { Check } from './watch.ts';
import { type Outcome, type RunOptions, runScenario, truthsOf } from './world.ts';

export interface JudgeOptions extends Omit<RunOptions, 'checks' | 'watchQuietMs'> {
  /** Beside the suite. */
  readonly more?: readonly Check[];
}

export function judge(scenario: Scenario, options: JudgeOptions): Outcome {
  const truths = truthsOf(scenario);
  const checks = [...suiteFor(scenario, (job) => truths.get(job)), ...(options.more ?? [])];
  return runScenario(scenario, { ...options, checks, watchQuietMs: quietWindowMs(scenario) });
}
