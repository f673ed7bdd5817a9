// From a sound job file to the normalised spec: canonical rules, no defaults left open, only those variables
// that a strategy uses.

import { variablesOf, variablesOfRule } from '../../kernel/language/ast.ts';
import {
  type NamedIndicators,
  parseCondition,
  parseExpression,
  parseRule,
} from '../../kernel/language/parse.ts';
import { printExpression, printRule } from '../../kernel/language/print.ts';
import type {
  BacktestSpec,
  RuleSpec,
  SideSpec,
  SizeSpec,
  SpinSpec,
  StrategySpec,
  VariableSpec,
} from '../../kernel/spec.ts';
import { dataEntries } from './load-data.ts';
import type { DateRange } from './split.ts';
import type { BacktestInput, RuleInput, SpinInput, StrategyInput } from './schema.ts';
import { comparisonText } from './rule-text.ts';
import { namedIndicators } from './named.ts';
import { variableSpec } from './variable.ts';

/** `file` has passed all checks; `sha256s` name the binary forms of its datasets, in order; `ranges` are the
 * bars of each that count. */
export function buildBacktestSpec(
  file: BacktestInput,
  sha256s: readonly string[],
  ranges: readonly DateRange[],
): BacktestSpec {
  const entries = dataEntries(file.data);
  const printed: PrintedRules = new Map();
  return {
    version: 1,
    kernel: 'backtest',
    datasets: entries.map(({ data }, index) => ({
      sha256: sha256s[index] ?? '',
      symbol: data.symbol ?? (entries.length > 1 ? stemOf(data.file) : null),
      fromMs: ranges[index]?.fromMs ?? null,
      toMs: ranges[index]?.toMs ?? null,
      ...(ranges[index]?.foldEdgesMs === undefined
        ? {}
        : { foldEdgesMs: ranges[index].foldEdgesMs }),
    })),
    broker: file.broker,
    strategies: file.strategies.map((strategy, index) =>
      buildStrategy(strategy, index, { file, printed }),
    ),
    sample: file.sample ?? null,
    rank: COLUMN_OF[file.rank] ?? file.rank,
    ...(file.filter === undefined ? {} : { filter: file.filter }),
    ...(file.keep === undefined ? {} : { keep: file.keep }),
  };
}

/** Net profit orders tasks as the final equity does. The Deflated Sharpe Ratio takes sums that a row does not have: by the
 * plain one are chosen whose sums are asked for. */
const COLUMN_OF: Readonly<Record<string, string>> = { netProfit: 'finalEquity', dsr: 'sharpe' };

export function buildSpinSpec({ tasks, costMs, mode, seed }: SpinInput): SpinSpec {
  return { version: 1, kernel: 'spin', tasks, costMs, mode, seed };
}

/** `btc-5m` of `data/btc-5m.csv.gz`. */
function stemOf(file: string): string {
  const name = file.split(/[\\/]/).at(-1) ?? file;
  return name.replace(/\.(csv|json|gz|txt)/gi, '') || name;
}

/** Rules without variables and names in their canonical form, by their text: a miner's thousands of strategies share some
 * hundred rules. */
type PrintedRules = Map<string, string>;

interface RuleScope {
  /** Variables that the strategy's rules name; grows. */
  readonly used: Set<string>;
  readonly named: NamedIndicators;
  readonly printed: PrintedRules;
}

function buildStrategy(
  input: StrategyInput,
  index: number,
  { file, printed }: { readonly file: BacktestInput; readonly printed: PrintedRules },
): StrategySpec {
  const used = new Set<string>();
  const named = namedIndicators(input.indicators);
  const scope: RuleScope = { used, named, printed };
  const expression = (value: number | string | undefined): string | null => {
    if (value === undefined) return null;
    const parsed = parseExpression(String(value), undefined, named);
    variablesOf(parsed, used);
    return printExpression(parsed);
  };
  const side = (rules: StrategyInput['long']): SideSpec | null =>
    rules === undefined
      ? null
      : {
          enter: rules.enter.map((rule) => buildRule(rule, scope)),
          exit: rules.exit.map((rule) => buildRule(rule, scope)),
        };
  const condition = (text: string): string => {
    const parsed = parseCondition(text);
    variablesOfRule(parsed, used);
    return printRule(parsed);
  };
  const [kind, size] = Object.entries(input.size)[0] as [SizeSpec['kind'], number | string];
  const rest = {
    name: input.name ?? `strategy-${index + 1}`,
    long: side(input.long),
    short: side(input.short),
    stopLoss: expression(input.stopLoss),
    takeProfit: expression(input.takeProfit),
    trailingStop: expression(input.trailingStop),
    breakeven: expression(input.breakeven),
    maxBars: expression(input.maxBars),
    cooldown: expression(input.cooldown),
    reverse: input.reverse,
    size: { kind, value: expression(size) ?? '1' },
  };
  const where = input.where.map(condition);
  const vars: VariableSpec[] = [];
  for (const [name, range] of Object.entries(file.vars)) {
    // A strategy's own variable of the same name hides the file's.
    const isShared = used.has(name) && !Object.hasOwn(input.vars, name);
    if (isShared) vars.push(variableSpec(name, range));
  }
  for (const [name, range] of Object.entries(input.vars)) vars.push(variableSpec(name, range));
  return { ...rest, vars, where: [...sharedConditions(file, vars), ...where] };
}

/** Conditions of the whole file count in the strategies that have all of their variables. */
function sharedConditions(file: BacktestInput, vars: readonly VariableSpec[]): string[] {
  const names = new Set(vars.map(({ name }) => name));
  return file.where
    .map((text) => parseCondition(text))
    .filter((condition) => [...variablesOfRule(condition)].every((name) => names.has(name)))
    .map((condition) => printRule(condition));
}

function buildRule(input: RuleInput, scope: RuleScope): RuleSpec {
  const part = (rule: RuleInput): RuleSpec => buildRule(rule, scope);
  if (typeof input === 'object' && 'not' in input) return { not: part(input.not) };
  if (typeof input === 'object' && 'any' in input) return { any: input.any.map(part) };
  if (typeof input === 'object' && 'all' in input) return { all: input.all.map(part) };
  const text = typeof input === 'string' ? input : comparisonText(input);
  const { used, named, printed } = scope;
  const known = named.size === 0 ? printed.get(text) : undefined;
  if (known !== undefined) return known;
  const rule = parseRule(text, undefined, named);
  const canonical = printRule(rule);
  const names = variablesOfRule(rule);
  for (const name of names) used.add(name);
  if (named.size === 0 && names.size === 0) printed.set(text, canonical);
  return canonical;
}
