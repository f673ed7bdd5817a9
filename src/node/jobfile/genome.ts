// One genome of the old miner (`entry_rules` and `params`) as a strategy of the job file. What has an equal meaning
// is translated; what has none is an error that names it, or a warning that counts it. Nothing is left out
// silently.

import { nearest } from '../../kernel/language/suggest.ts';
import type { Finding, Path } from './place.ts';
import { strategySchema } from './schema.ts';
import { timeframeMs } from './timeframe.ts';

export interface TranslatedGenome {
  /** In the job file's form, unchecked. */
  readonly strategy: object;
  /** Where the parts of the strategy stand in the genome. */
  readonly origins: Readonly<Record<string, Path>>;
  readonly findings: readonly Finding[];
  /** What is to be said once for all genomes that it is true of. */
  readonly remarks: readonly string[];
  /** Bar length that the genome was made for, in ms. */
  readonly timeframeMs: number | undefined;
}

/** Parameters that are distances, and the strategy's words for them. */
const DISTANCES: ReadonlyMap<string, string> = new Map([
  ['sl_pct', 'stopLoss'],
  ['tp_pct', 'takeProfit'],
  ['trailing_stop_pct', 'trailingStop'],
  ['breakeven_after', 'breakeven'],
]);
/** Distances that 0 switches off. */
const OPTIONAL: ReadonlySet<string> = new Set(['trailing_stop_pct', 'breakeven_after']);
const OTHERS = ['size_pct', 'max_positions', 'timeframe', 'direction', 'leverage'];
const PARAMETERS = [...DISTANCES.keys(), ...OTHERS];
const GENOME_KEYS: ReadonlySet<string> = new Set(['entry_rules', 'exit_rules', 'params', 'name']);

export function isGenome(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && 'entry_rules' in value;
}

export function translateGenome(
  genome: Record<string, unknown>,
  path: Path,
  fallbackName: string,
): TranslatedGenome {
  const translation = new Translation(path);
  for (const key of Object.keys(genome)) translation.key(key);
  const { params } = genome;
  if (typeof params === 'object' && params !== null && !Array.isArray(params)) {
    for (const [name, value] of Object.entries(params)) translation.parameter(name, value);
  } else {
    translation.complain(['params'], 'a genome needs its "params", an object');
  }
  const { name: given = fallbackName } = genome;
  const name = typeof given === 'string' ? given : fallbackName;
  if (typeof given !== 'string') translation.complain(['name'], 'expected text');
  return translation.result(name, genome['entry_rules'], genome['exit_rules']);
}

class Translation {
  readonly #path: Path;
  readonly #findings: Finding[] = [];
  readonly #remarks: string[] = [];
  readonly #strategy: Record<string, unknown> = {};
  readonly #origins: Record<string, Path> = {};
  #side: 'long' | 'short' = 'long';
  #timeframeMs: number | undefined;

  constructor(path: Path) {
    this.#path = path;
  }

  complain(at: Path, message: string, hint?: string): void {
    this.#findings.push({ path: [...this.#path, ...at], message, hint });
  }

  key(key: string): void {
    if (GENOME_KEYS.has(key)) return;
    if (Object.hasOwn(strategySchema.shape, key)) {
      this.complain([key], `"${key}" does not go with "entry_rules"`);
    } else this.#remarks.push(`key "${key}" is not read`);
  }

  parameter(name: string, value: unknown): void {
    const at = ['params', name];
    if (value === null) return;
    const distance = DISTANCES.get(name);
    if (distance !== undefined) {
      if (value === 0 && OPTIONAL.has(name)) return;
      if (typeof value !== 'number') this.complain(at, 'expected a number');
      else if (value >= 1 && name !== 'tp_pct') {
        this.complain(at, `a fraction is meant, such as 0.02 for 2 percent, not ${value}`);
      } else this.#set(distance, value, at);
      return;
    }
    switch (name) {
      case 'size_pct':
        if (typeof value === 'number') this.#set('size', { equity: value }, at);
        else this.complain(at, 'expected a number');
        break;
      case 'max_positions':
        if (value === 1) break;
        if (typeof value !== 'number') this.complain(at, 'expected a number');
        else this.#remarks.push('"max_positions" is not 1, and one position is held at a time');
        break;
      case 'leverage':
        if (value !== 1) this.complain(at, 'there is no leverage here: a genome needs 1');
        break;
      case 'direction':
        this.#direction(value, at);
        break;
      case 'timeframe':
        this.#timeframe(value, at);
        break;
      default: {
        const near = nearest(name, PARAMETERS);
        const hint =
          near === undefined ? `there are ${PARAMETERS.join(', ')}` : `did you mean "${near}"?`;
        this.complain(at, `unknown parameter "${name}"`, hint);
      }
    }
  }

  result(name: string, entryRules: unknown, exitRules: unknown): TranslatedGenome {
    this.#strategy['name'] = name;
    const exit = exitRules === undefined ? {} : { exit: plainRules(exitRules) };
    this.#strategy[this.#side] = { enter: plainRules(entryRules), ...exit };
    this.#origins[`${this.#side}.enter`] = ['entry_rules'];
    this.#origins[`${this.#side}.exit`] = ['exit_rules'];
    return {
      strategy: this.#strategy,
      origins: this.#origins,
      findings: this.#findings,
      remarks: this.#remarks,
      timeframeMs: this.#timeframeMs,
    };
  }

  #set(key: string, value: unknown, at: Path): void {
    this.#strategy[key] = value;
    this.#origins[key] = at;
  }

  #direction(value: unknown, at: Path): void {
    const word = String(value).toLowerCase();
    if (word === 'long' || word === 'short') this.#side = word;
    else this.complain(at, 'must be "long" or "short": one list of rules gives one side');
  }

  #timeframe(value: unknown, at: Path): void {
    const [, count, unit] = /^([1-9]\d*) ?(m|h|d|w)(?:in)?$/.exec(String(value)) ?? [];
    if (count === undefined || unit === undefined) {
      this.complain(at, 'must be a number and m, h, d or w, such as "5m"');
    } else this.#timeframeMs = timeframeMs(`${count}${unit}`);
  }
}

/** Fields in small letters, as old files do not always have them. */
function plainRules(rules: unknown): unknown {
  if (!Array.isArray(rules)) return rules;
  return rules.map((rule: unknown) => {
    if (typeof rule !== 'object' || rule === null || !('left' in rule && 'right' in rule))
      return rule;
    return { ...rule, left: plainOperand(rule.left), right: plainOperand(rule.right) };
  });
}

function plainOperand(operand: unknown): unknown {
  if (typeof operand !== 'object' || operand === null || !('field' in operand)) return operand;
  const { field } = operand;
  return typeof field === 'string' ? { ...operand, field: field.toLowerCase() } : operand;
}
