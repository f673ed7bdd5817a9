// A job blob: the spec as canonical JSON, addressed by its hash.
import { prunedPoints } from '../../kernel/grid.ts';
import { parseCondition } from '../../kernel/language/parse.ts';
import {
  MAX_DATASETS,
  MAX_GRID_POINTS,
  MAX_PRUNED_POINTS,
  MAX_TASKS,
  MAX_UNEVEN_TASKS,
} from '../../kernel/limits.ts';
import { segmentsOf } from '../../kernel/segments.ts';
import type { BacktestSpec, JobSpec, StrategySpec } from '../../kernel/spec.ts';
import { parseStrategies } from '../../kernel/strategy.ts';
import { TaskList } from '../../kernel/task-list.ts';
import { canonicalJson } from './canonical-json.ts';
import { filterFindings } from './filter.ts';

/** Bytes of a job blob. 10,000 strategies written out one by one are some 5 MB. */
export const SPEC_BYTES_MAX = 8 * 2 ** 20;

export function writeSpec(spec: JobSpec): Uint8Array {
  return new TextEncoder().encode(canonicalJson(spec));
}

/** Tasks of a spec whose rules parse. */
export function taskCountOf(spec: JobSpec): number {
  if (spec.kernel === 'spin') return spec.tasks;
  return spec.segments === undefined
    ? wholeTasksOf(spec)
    : spec.segments.of.length * segmentsOf(spec);
}

/** Tasks about whole backtests. */
function wholeTasksOf(spec: BacktestSpec): number {
  const each = parseStrategies(spec.strategies).map(({ grid }) => grid.count);
  const counts = spec.datasets.flatMap(() => each);
  return new TaskList(counts, spec.sample).count;
}

/** What bounds across fields a spec breaks, or undefined. Throws a RuleError for a rule that does not parse. */
export function specFault(spec: JobSpec): string | undefined {
  const fault = spec.kernel === 'spin' ? undefined : strategiesFault(spec.strategies);
  if (fault !== undefined) return fault;
  const tasks = taskCountOf(spec);
  if (tasks > MAX_TASKS) return `the job has ${tasks} tasks; ${MAX_TASKS} are allowed`;
  if (spec.kernel === 'spin') {
    const isUneven = typeof spec.costMs !== 'number';
    return isUneven && tasks > MAX_UNEVEN_TASKS
      ? `tasks of different costs: at most ${MAX_UNEVEN_TASKS} in a job`
      : undefined;
  }
  const [filterFault] = filterFindings(spec.filter ?? []);
  if (filterFault !== undefined) return `${filterFault.path.join('.')}: ${filterFault.message}`;
  const edgesFault = foldEdgesFault(spec);
  if (edgesFault !== undefined) return edgesFault;
  const whole = wholeTasksOf(spec);
  return spec.segments?.of.some((task) => task >= whole) === true
    ? 'segments are asked for of a task that the job does not have'
    : undefined;
}

function foldEdgesFault({ datasets }: BacktestSpec): string | undefined {
  const edges = datasets.map(({ foldEdgesMs = [] }) => foldEdgesMs);
  if (edges.some((list) => list.length !== edges[0]?.length))
    return 'the datasets have different numbers of folds';
  const rises = edges.every((list) => list.every((edge, i) => i === 0 || edge >= list[i - 1]!));
  return rises ? undefined : 'the edges of folds do not rise';
}

function strategiesFault(strategies: readonly StrategySpec[]): string | undefined {
  // Before any grid is built: conditions must not cost a peer more than the bound, however many grids there are.
  const points = strategies.reduce((sum, { vars, where }) => {
    const scope = new Set(vars.map((variable) => variable.name));
    const conditions = where.map((text) => parseCondition(text, scope));
    return sum + prunedPoints(vars, conditions);
  }, 0);
  if (points > MAX_PRUNED_POINTS) {
    return `"where" must be tried on ${points} combinations; ${MAX_PRUNED_POINTS} are allowed`;
  }
  for (const strategy of strategies) {
    if (strategy.long === null && strategy.short === null) {
      return `strategy "${strategy.name}" has neither a long nor a short side`;
    }
    const { size, stopLoss, trailingStop } = strategy;
    if (size.kind === 'risk' && stopLoss === null && trailingStop === null) {
      return `strategy "${strategy.name}" has a size by risk and no stop`;
    }
  }
  for (const { name: label, grid } of parseStrategies(strategies)) {
    if (grid.count === 0) return `"where" leaves strategy "${label}" no combination`;
    if (grid.count > MAX_GRID_POINTS / MAX_DATASETS)
      return 'a grid has more combinations than can be counted';
  }
  return undefined;
}
