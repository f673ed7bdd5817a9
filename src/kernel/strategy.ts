// A strategy with its rules parsed: one tree for all the tasks of its grid. Parsing is also the check that a
// job from another peer must pass: it throws a RuleError on anything that the language does not allow.

import { Grid } from './grid.ts';
import { type Expression, type Rule, isConstant } from './language/ast.ts';
import { parseCondition, parseExpression, parseRule } from './language/parse.ts';
import { RuleError } from './language/token.ts';
import { MAX_RULE_DEPTH } from './limits.ts';
import type { RuleSpec, SideSpec, SizeSpec, StrategySpec } from './spec.ts';

export interface Strategy {
  readonly name: string;
  readonly grid: Grid;
  readonly long: Side | null;
  readonly short: Side | null;
  readonly stopLoss: Expression | null;
  readonly takeProfit: Expression | null;
  readonly trailingStop: Expression | null;
  readonly breakeven: Expression | null;
  readonly maxBars: Expression | null;
  readonly cooldown: Expression | null;
  readonly reverse: boolean;
  readonly size: { readonly kind: SizeSpec['kind']; readonly value: Expression };
}

export interface Side {
  readonly enter: readonly Rule[];
  readonly exit: readonly Rule[];
}

/** Rules that were parsed before, by their text: a miner's thousands of strategies share some hundred rules. */
export type ParsedRules = Map<string, Rule>;

const parsedBefore = new WeakMap<readonly StrategySpec[], readonly Strategy[]>();

/** All strategies of a job, parsed once however many look at its list; the list must not change any more. */
export function parseStrategies(specs: readonly StrategySpec[]): readonly Strategy[] {
  const known = parsedBefore.get(specs);
  if (known !== undefined) return known;
  const rules: ParsedRules = new Map();
  const strategies = specs.map((spec) => parseStrategy(spec, rules));
  parsedBefore.set(specs, strategies);
  return strategies;
}

/** Equal rules without variables become one object, across all strategies that are parsed with the same `known`. */
export function parseStrategy(spec: StrategySpec, known: ParsedRules = new Map()): Strategy {
  const scope = new Set(spec.vars.map((variable) => variable.name));
  const where = spec.where.map((text) => parseCondition(text, scope));
  const expression = (text: string | null): Expression | null =>
    text === null ? null : parseExpression(text, scope);
  const constant = (text: string | null): Expression | null =>
    text === null ? null : parseConstant(text, scope);
  return {
    name: spec.name,
    grid: new Grid(spec.vars, where),
    long: parseSide(spec.long, scope, known),
    short: parseSide(spec.short, scope, known),
    stopLoss: expression(spec.stopLoss),
    takeProfit: expression(spec.takeProfit),
    trailingStop: expression(spec.trailingStop),
    breakeven: expression(spec.breakeven),
    maxBars: constant(spec.maxBars),
    cooldown: constant(spec.cooldown),
    reverse: spec.reverse,
    size: { kind: spec.size.kind, value: parseConstant(spec.size.value, scope) },
  };
}

/** Throws a RuleError, also for an expression that is no constant. */
function parseConstant(text: string, scope?: ReadonlySet<string>): Expression {
  const expression = parseExpression(text, scope);
  if (isConstant(expression)) return expression;
  throw new RuleError('here only numbers and $variables are possible', {
    offset: 0,
    length: text.length,
  });
}

/** Comparisons in all rules: the measure of what a bar costs. */
export function comparisonCount(strategy: Strategy): number {
  const count = (rule: Rule): number => {
    if (rule.kind === 'compare') return 1;
    if (rule.kind === 'not') return count(rule.rule);
    return rule.rules.reduce((sum, part) => sum + count(part), 0);
  };
  return rulesOf(strategy).reduce((sum, rule) => sum + count(rule), 0);
}

/** All rules of both sides. */
function rulesOf(strategy: Pick<Strategy, 'long' | 'short'>): readonly Rule[] {
  return [strategy.long, strategy.short].flatMap((side) =>
    side === null ? [] : [...side.enter, ...side.exit],
  );
}

function parseSide(
  spec: SideSpec | null,
  scope: ReadonlySet<string>,
  known: ParsedRules,
): Side | null {
  if (spec === null) return null;
  const parse = (rule: RuleSpec): Rule => {
    // With variables in scope a text may mean them, and not be a rule elsewhere.
    if (typeof rule !== 'string' || scope.size > 0) return parseRuleSpec(rule, scope, 0);
    const parsed = known.get(rule) ?? parseRule(rule, scope);
    known.set(rule, parsed);
    return parsed;
  };
  return { enter: spec.enter.map(parse), exit: spec.exit.map(parse) };
}

function parseRuleSpec(spec: RuleSpec, scope: ReadonlySet<string>, depth: number): Rule {
  if (depth > MAX_RULE_DEPTH) {
    throw new RuleError(`more than ${MAX_RULE_DEPTH} levels of any, all and not`, {
      offset: 0,
      length: 1,
    });
  }
  if (typeof spec === 'string') return parseRule(spec, scope);
  const inner = (part: RuleSpec): Rule => parseRuleSpec(part, scope, depth + 1);
  if ('not' in spec) return { kind: 'not', rule: inner(spec.not) };
  if ('any' in spec) return { kind: 'any', rules: spec.any.map(inner) };
  return { kind: 'all', rules: spec.all.map(inner) };
}
