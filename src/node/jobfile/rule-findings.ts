// What the form alone cannot tell: rules that do not parse, unknown variables, parameter values that an
// indicator cannot take, periods longer than the data. Works on files whose form is faulty too (it skips what
// it cannot read), so that a user sees the faults of both kinds at once.

import { variableCount, variableValue } from '../../kernel/grid.ts';
import { findIndicator } from '../../kernel/indicators/catalog.ts';
import {
  type Expression,
  type IndicatorCall,
  constantValue,
  isConstant,
  variablesOf,
  variablesOfRule,
} from '../../kernel/language/ast.ts';
import { parameterFault } from '../../kernel/language/call.ts';
import {
  type NamedIndicators,
  parseCondition,
  parseExpression,
  parseNamed,
  parseRule,
} from '../../kernel/language/parse.ts';
import { isNeverPositive } from '../../kernel/language/sign.ts';
import { timeframeMsOf } from '../../kernel/language/timeframe.ts';
import { RuleError } from '../../kernel/language/token.ts';
import { MAX_RULE_DEPTH } from '../../kernel/limits.ts';
import type { VariableSpec } from '../../kernel/spec.ts';
import { nameFault, namedIndicators } from './named.ts';
import type { Finding, Path } from './place.ts';
import { comparisonText } from './rule-text.ts';
import { comparisonSchema } from './schema.ts';
import { looseVariable } from './variable.ts';

export interface RuleFindings {
  readonly findings: readonly Finding[];
  readonly warnings: readonly string[];
}

/** What rules are measured against; undefined while the data is unknown. */
export interface DataExtent {
  /** Of the shortest dataset. */
  readonly barCount: number;
  /** Of the dataset with the longest bars. */
  readonly stepMs: number;
}

export function ruleFindings(file: unknown, extent: DataExtent | undefined): RuleFindings {
  const findings: Finding[] = [];
  const warnings: string[] = [];
  const fileVariables = variablesAt(file, []);
  const usedOfFile = new Set<string>();
  const everywhere = listAt(file, 'strategies').flatMap((strategy) => [
    ...variablesAt(strategy, []),
  ]);
  const common: SharedByStrategies = { extent, findings, sound: new Set() };
  const shared = new StrategyCheck(new Map([...fileVariables, ...everywhere]), common);
  const sharedConditions = shared.conditions(file, []);
  const grids: ReadonlySet<string>[] = [];
  for (const [index, strategy] of listAt(file, 'strategies').entries()) {
    const path: Path = ['strategies', index];
    const own = variablesAt(strategy, path);
    const check = new StrategyCheck(new Map([...fileVariables, ...own]), common);
    check.strategy(strategy, path);
    grids.push(new Set([...own.keys(), ...check.used]));
    for (const name of check.used) if (!own.has(name)) usedOfFile.add(name);
    for (const name of own.keys()) {
      if (check.used.has(name)) continue;
      warnings.push(`${path.join('.')}: variable "${name}" is in no rule; its tasks are all alike`);
    }
  }
  for (const name of fileVariables.keys()) {
    if (!usedOfFile.has(name)) warnings.push(`variable "${name}" is in no rule and counts nowhere`);
  }
  for (const { text, names } of sharedConditions) {
    if (grids.some((grid) => [...names].every((name) => grid.has(name)))) continue;
    warnings.push(`where "${text}" counts nowhere: no strategy has all of its variables`);
  }
  return { findings, warnings };
}

interface Condition {
  readonly text: string;
  /** Of its variables. */
  readonly names: ReadonlySet<string>;
}

interface Variable {
  readonly path: Path;
  readonly spec: VariableSpec | undefined;
}

interface SharedByStrategies {
  readonly extent: DataExtent | undefined;
  /** Grows. */
  readonly findings: Finding[];
  /** Texts of rules that were found to be right; grows. */
  readonly sound: Set<string>;
}

class StrategyCheck {
  readonly used = new Set<string>();
  readonly #variables: ReadonlyMap<string, Variable>;
  readonly #scope: ReadonlySet<string>;
  readonly #extent: DataExtent | undefined;
  readonly #findings: Finding[];
  readonly #sound: Set<string>;
  #named: NamedIndicators = new Map();

  constructor(
    variables: ReadonlyMap<string, Variable>,
    { extent, findings, sound }: SharedByStrategies,
  ) {
    this.#variables = variables;
    this.#scope = new Set(variables.keys());
    this.#extent = extent;
    this.#findings = findings;
    this.#sound = sound;
  }

  /** The `where` list of the file or of a strategy. */
  conditions(owner: unknown, path: Path): Condition[] {
    const conditions: Condition[] = [];
    for (const [index, text] of listAt(owner, 'where').entries()) {
      if (typeof text !== 'string') continue;
      this.#parsing([...path, 'where', index], true, () => {
        const names = variablesOfRule(parseCondition(text, this.#scope));
        for (const name of names) this.used.add(name);
        conditions.push({ text, names });
      });
    }
    return conditions;
  }

  strategy(strategy: unknown, path: Path): void {
    this.conditions(strategy, path);
    this.#indicators(fieldOf(strategy, 'indicators'), [...path, 'indicators']);
    for (const side of ['long', 'short']) {
      for (const list of ['enter', 'exit']) {
        for (const [index, rule] of listAt(fieldOf(strategy, side), list).entries()) {
          this.#rule(rule, [...path, side, list, index], 0);
        }
      }
    }
    for (const key of ['stopLoss', 'takeProfit', 'trailingStop', 'breakeven']) {
      this.#number(fieldOf(strategy, key), [...path, key], {
        isRight: (value) => value > 0 && Number.isFinite(value),
        wanted: 'a distance must be above 0',
        mayVary: true,
      });
    }
    this.#number(fieldOf(strategy, 'maxBars'), [...path, 'maxBars'], {
      isRight: (value) => Number.isInteger(value) && value >= 1,
      wanted: 'maxBars must be a whole number from 1 on',
    });
    this.#number(fieldOf(strategy, 'cooldown'), [...path, 'cooldown'], {
      isRight: (value) => Number.isInteger(value) && value >= 0,
      wanted: 'cooldown must be a whole number from 0 on',
    });
    for (const kind of ['equity', 'cash', 'units', 'risk']) {
      const isShare = kind === 'equity' || kind === 'risk';
      const most = isShare ? 1 : Number.MAX_VALUE;
      const bound = isShare ? 'above 0 and at most 1' : 'above 0';
      this.#number(fieldOf(fieldOf(strategy, 'size'), kind), [...path, 'size', kind], {
        isRight: (value) => value > 0 && value <= most,
        wanted: `the size must be ${bound}`,
      });
    }
  }

  #indicators(indicators: unknown, path: Path): void {
    this.#named = namedIndicators(indicators);
    for (const [name, text] of this.#named) {
      const key = Object.keys(indicators as object).find((each) => each.toLowerCase() === name);
      const at = [...path, key ?? name];
      const message = nameFault(name);
      if (message !== undefined) this.#findings.push({ path, key: key ?? name, message });
      this.#parsing(at, true, () => parseNamed(text, this.#scope));
    }
  }

  #rule(rule: unknown, path: Path, depth: number): void {
    if (depth > MAX_RULE_DEPTH) {
      const message = `more than ${MAX_RULE_DEPTH} levels of any, all and not`;
      this.#findings.push({ path, message });
      return;
    }
    if (typeof rule === 'string') {
      this.#comparison(rule, path, true);
      return;
    }
    for (const key of ['any', 'all']) {
      for (const [index, part] of listAt(rule, key).entries()) {
        this.#rule(part, [...path, key, index], depth + 1);
      }
    }
    const inner = fieldOf(rule, 'not');
    if (inner !== undefined) this.#rule(inner, [...path, 'not'], depth + 1);
    const object = comparisonSchema.safeParse(rule);
    if (object.success) this.#comparison(comparisonText(object.data), path, false);
  }

  #comparison(text: string, path: Path, isText: boolean): void {
    // Where nothing can be named, a text means the same in every strategy.
    const isPlain = this.#scope.size === 0 && this.#named.size === 0;
    if (isPlain && this.#sound.has(text)) return;
    const before = this.#findings.length;
    this.#parsing(path, isText, () => {
      const { left, right } = parseRule(text, this.#scope, this.#named);
      for (const side of [left, right]) this.#expression(side, path);
    });
    if (isPlain && this.#findings.length === before) this.#sound.add(text);
  }

  /** A number, or an expression of constants (with `mayVary` of series too), with a bound on its value. */
  #number(value: unknown, path: Path, { isRight, wanted, mayVary = false }: NumberCheck): void {
    if (typeof value === 'number' && !isRight(value)) {
      this.#findings.push({ path, message: `${wanted}, not ${value}` });
    }
    if (typeof value !== 'string') return;
    this.#parsing(path, true, () => {
      const expression = parseExpression(value, this.#scope, this.#named);
      this.#expression(expression, path);
      if (!isConstant(expression)) {
        if (mayVary && isNeverPositive(expression)) {
          throw new RuleError(`${wanted}, and this is at no bar`, wholeOf(value));
        }
        if (mayVary) return;
        throw new RuleError('here only a number or a $variable is possible', wholeOf(value));
      }
      if (variablesOf(expression).size === 0) {
        const result = constantValue(expression, () => NaN);
        if (!isRight(result)) throw new RuleError(`${wanted}, not ${result}`, wholeOf(value));
      }
      if (expression.kind !== 'variable') return;
      this.#everyValue(expression.name, (each) =>
        isRight(each) ? undefined : `${wanted}, not ${each}`,
      );
    });
  }

  #parsing(path: Path, isText: boolean, parse: () => void): void {
    try {
      parse();
    } catch (error) {
      if (!(error instanceof RuleError)) throw error;
      const { message, hint, offset, length } = error;
      const within = isText ? { within: { offset, length } } : {};
      this.#findings.push({ path, message, hint, ...within });
    }
  }

  /** Walks an expression that parsed: notes its variables, checks their values as parameters. */
  #expression(expression: Expression, path: Path, barCount = this.#extent?.barCount): void {
    for (const name of variablesOf(expression)) this.used.add(name);
    switch (expression.kind) {
      case 'indicator':
        this.#call(expression, path, barCount);
        if (expression.source !== null) this.#expression(expression.source, path, barCount);
        break;
      case 'offset':
      case 'negate':
        this.#expression(expression.operand, path, barCount);
        break;
      case 'timeframe':
        if (timeframeMsOf(expression.timeframe) < (this.#extent?.stepMs ?? 0)) {
          const message = `@${expression.timeframe} is shorter than the bars of the data`;
          this.#findings.push({ path, message });
        }
        // How many of the higher bars there are shows when a task runs.
        this.#expression(expression.operand, path, Infinity);
        break;
      case 'arithmetic':
        this.#expression(expression.left, path, barCount);
        this.#expression(expression.right, path, barCount);
        break;
      case 'number':
      case 'variable':
      case 'field':
        break;
    }
  }

  #call(call: IndicatorCall, path: Path, barCount: number | undefined): void {
    const definition = findIndicator(call.name);
    if (definition === undefined) return;
    const largest = call.parameters.map((parameter, index) => {
      const bounds = definition.parameters[index];
      if (parameter.kind !== 'variable' || bounds === undefined) {
        return constantValue(parameter, () => NaN);
      }
      return this.#everyValue(parameter.name, (value) => {
        const fault = parameterFault(bounds, value);
        return fault && `${definition.name}: ${fault}`;
      });
    });
    const lookback = definition.lookback(largest);
    if (barCount !== undefined && lookback >= barCount) {
      this.#findings.push({
        path,
        message: `${definition.name}(${largest.join(', ')}) needs ${lookback + 1} bars, the data has ${barCount}`,
      });
    }
  }

  /** Reports the first value with a fault, at the variable's range. Returns the largest value. */
  #everyValue(name: string, faultOf: (value: number) => string | undefined): number {
    const variable = this.#variables.get(name);
    if (variable?.spec === undefined) return NaN;
    const count = variableCount(variable.spec);
    // A long range is regular: its ends and its first steps tell.
    const looked = Math.min(count, VALUES_LOOKED_AT);
    let largest = -Infinity;
    for (let i = 0; i <= looked; i++) {
      const value = variableValue(variable.spec, i === looked ? count - 1 : i);
      largest = Math.max(largest, value);
      const message = faultOf(value);
      if (message === undefined) continue;
      if (!this.#findings.some((found) => found.message === message)) {
        this.#findings.push({ path: variable.path, message });
      }
      return NaN;
    }
    return largest;
  }
}

interface NumberCheck {
  readonly isRight: (value: number) => boolean;
  readonly wanted: string;
  readonly mayVary?: boolean;
}

/** A list in the file has at most so many values; every one of them is looked at. */
const VALUES_LOOKED_AT = 65_536;

function wholeOf(text: string): { offset: number; length: number } {
  return { offset: 0, length: text.length };
}

function variablesAt(owner: unknown, path: Path): Map<string, Variable> {
  const vars = fieldOf(owner, 'vars');
  if (typeof vars !== 'object' || vars === null || Array.isArray(vars)) return new Map();
  return new Map(
    Object.entries(vars).map(([name, range]) => [
      name,
      { path: [...path, 'vars', name], spec: looseVariable(name, range) },
    ]),
  );
}

function fieldOf(value: unknown, key: string): unknown {
  if (typeof value !== 'object' || value === null || !Object.hasOwn(value, key)) return undefined;
  return (value as Record<string, unknown>)[key];
}

function listAt(value: unknown, key: string): readonly unknown[] {
  const list = fieldOf(value, key);
  return Array.isArray(list) ? list : [];
}
