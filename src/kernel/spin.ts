// Kernel `spin`: tasks of a stated cost, for tests, demonstrations and measurements of the mesh itself. Mode
// `sleep` only lets time pass, so many slots fit on one core; mode `spin` runs a fixed number of loop rounds
// per nominal millisecond, so a slow or throttled core takes longer, as real work would.

import type { TaskRunner, WorkRun } from './job.ts';
import { MAX_COST_MS } from './limits.ts';
import { exp, log } from './math.ts';
import { Random, mix32 } from './random.ts';
import type { SpinSpec } from './spec.ts';

/** Loop rounds of one nominal millisecond. Measured 2026-11 on a 2-core x64 box (EPYC, Node 24): one round
 * takes 1.48 ns. "Nominal": another machine takes its own time for them, which is the point. */
const ROUNDS_PER_MS = 675_000;

/** Rounds of one pass of the unrolled loop. */
const STRIDE = 32;
/** A few seconds of work. */
const STRIDES_PER_STEP = 67_108_864;

const COLUMNS = ['value', 'costMs', 'error'] as const;

export function compileSpin(spec: SpinSpec): TaskRunner {
  const costMs = (task: number): number => costOf(spec, task);
  let workRuns: readonly WorkRun[] | undefined;
  return {
    taskCount: spec.tasks,
    columns: COLUMNS,
    rankBy: undefined,
    get workRuns() {
      workRuns ??= spinWorkRuns(spec);
      return workRuns;
    },
    run(task, rows, offset) {
      const cost = costMs(task);
      const start = mix32(spec.seed ^ mix32(task + 1));
      const rounds = spec.mode === 'spin' ? Math.round(cost * ROUNDS_PER_MS) : 1;
      rows[offset] = spinRounds(start, rounds) / 4_294_967_296;
      rows[offset + 1] = cost;
      rows[offset + 2] = 0;
    },
    waitMs: (task) => (spec.mode === 'sleep' ? costMs(task) : 0),
    label: (task) => ({ name: spec.mode, params: { task, costMs: costMs(task) } }),
    trades: () => [],
  };
}

/** Returns 0..2^32-1. In steps, because `rounds` may be larger than 32 bits and a loop's counter must not be. */
function spinRounds(start: number, rounds: number): number {
  let state = start | 0;
  const strides = Math.ceil(rounds / STRIDE);
  for (let left = strides; left > 0; left -= STRIDES_PER_STEP) {
    state = spinStrides(state, Math.min(left, STRIDES_PER_STEP));
  }
  return state >>> 0;
}

/** Each round needs the one before, so no compiler can shorten or delete the loop. Unrolled, and free of sums
 * that may overflow, so that V8's tiers agree on its speed: a short loop was inlined into its caller after some
 * 500 tasks, in a tier that took four times as long for a round. */
function spinStrides(start: number, strides: number): number {
  let s = start | 0;
  for (let left = strides | 0; left > 0; left = (left - 1) | 0) {
    s = Math.imul(s ^ (s >>> 15), 0x735a_2d97) ^ 0x6d2b_79f5;
    s = Math.imul(s ^ (s >>> 15), 0x735a_2d97) ^ 0x6d2b_79f5;
    s = Math.imul(s ^ (s >>> 15), 0x735a_2d97) ^ 0x6d2b_79f5;
    s = Math.imul(s ^ (s >>> 15), 0x735a_2d97) ^ 0x6d2b_79f5;
    s = Math.imul(s ^ (s >>> 15), 0x735a_2d97) ^ 0x6d2b_79f5;
    s = Math.imul(s ^ (s >>> 15), 0x735a_2d97) ^ 0x6d2b_79f5;
    s = Math.imul(s ^ (s >>> 15), 0x735a_2d97) ^ 0x6d2b_79f5;
    s = Math.imul(s ^ (s >>> 15), 0x735a_2d97) ^ 0x6d2b_79f5;
    s = Math.imul(s ^ (s >>> 15), 0x735a_2d97) ^ 0x6d2b_79f5;
    s = Math.imul(s ^ (s >>> 15), 0x735a_2d97) ^ 0x6d2b_79f5;
    s = Math.imul(s ^ (s >>> 15), 0x735a_2d97) ^ 0x6d2b_79f5;
    s = Math.imul(s ^ (s >>> 15), 0x735a_2d97) ^ 0x6d2b_79f5;
    s = Math.imul(s ^ (s >>> 15), 0x735a_2d97) ^ 0x6d2b_79f5;
    s = Math.imul(s ^ (s >>> 15), 0x735a_2d97) ^ 0x6d2b_79f5;
    s = Math.imul(s ^ (s >>> 15), 0x735a_2d97) ^ 0x6d2b_79f5;
    s = Math.imul(s ^ (s >>> 15), 0x735a_2d97) ^ 0x6d2b_79f5;
    s = Math.imul(s ^ (s >>> 15), 0x735a_2d97) ^ 0x6d2b_79f5;
    s = Math.imul(s ^ (s >>> 15), 0x735a_2d97) ^ 0x6d2b_79f5;
    s = Math.imul(s ^ (s >>> 15), 0x735a_2d97) ^ 0x6d2b_79f5;
    s = Math.imul(s ^ (s >>> 15), 0x735a_2d97) ^ 0x6d2b_79f5;
    s = Math.imul(s ^ (s >>> 15), 0x735a_2d97) ^ 0x6d2b_79f5;
    s = Math.imul(s ^ (s >>> 15), 0x735a_2d97) ^ 0x6d2b_79f5;
    s = Math.imul(s ^ (s >>> 15), 0x735a_2d97) ^ 0x6d2b_79f5;
    s = Math.imul(s ^ (s >>> 15), 0x735a_2d97) ^ 0x6d2b_79f5;
    s = Math.imul(s ^ (s >>> 15), 0x735a_2d97) ^ 0x6d2b_79f5;
    s = Math.imul(s ^ (s >>> 15), 0x735a_2d97) ^ 0x6d2b_79f5;
    s = Math.imul(s ^ (s >>> 15), 0x735a_2d97) ^ 0x6d2b_79f5;
    s = Math.imul(s ^ (s >>> 15), 0x735a_2d97) ^ 0x6d2b_79f5;
    s = Math.imul(s ^ (s >>> 15), 0x735a_2d97) ^ 0x6d2b_79f5;
    s = Math.imul(s ^ (s >>> 15), 0x735a_2d97) ^ 0x6d2b_79f5;
    s = Math.imul(s ^ (s >>> 15), 0x735a_2d97) ^ 0x6d2b_79f5;
    s = Math.imul(s ^ (s >>> 15), 0x735a_2d97) ^ 0x6d2b_79f5;
  }
  return s;
}

function costOf(spec: SpinSpec, task: number): number {
  const cost = spec.costMs;
  if (typeof cost === 'number') return cost;
  if ('lognormal' in cost) {
    const { mean, sigma } = cost.lognormal;
    // `mean` is the mean of the costs, not of their logarithms.
    const mu = log(mean) - (sigma * sigma) / 2;
    return Math.min(MAX_COST_MS, exp(mu + sigma * normal(new Random(spec.seed, task))));
  }
  return cost[task % cost.length] ?? 0;
}

/** A standard normal draw by Marsaglia's polar method (Marsaglia, Bray 1964): no sine, no cosine. */
function normal(random: Random): number {
  for (;;) {
    const u = 2 * random.nextUnit() - 1;
    const v = 2 * random.nextUnit() - 1;
    const s = u * u + v * v;
    if (s < 1 && s > 0) return u * Math.sqrt((-2 * log(s)) / s);
  }
}

function spinWorkRuns(spec: SpinSpec): WorkRun[] {
  const units = (task: number): number => Math.max(1, Math.round(costOf(spec, task) * 1000));
  if (typeof spec.costMs === 'number') return [{ tasks: spec.tasks, units: units(0) }];
  const runs: { tasks: number; units: number }[] = [];
  for (let task = 0; task < spec.tasks; task++) {
    const last = runs.at(-1);
    const cost = units(task);
    if (last?.units === cost) last.tasks++;
    else runs.push({ tasks: 1, units: cost });
  }
  return runs;
}
