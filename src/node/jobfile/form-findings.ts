// From the schema library's issues to findings in a user's words: unknown keys get a "did you mean", keys that
// are not built yet say so, and of a union only the alternative that was probably meant complains.

import type { z } from 'zod';
import type { Finding, Path } from './place.ts';
import {
  backtestSchema,
  brokerSchema,
  comparisonSchema,
  dataSchema,
  lognormalSchema,
  operandSchema,
  sampleSchema,
  sideSchema,
  spinSchema,
  splitSchema,
  stepsSchema,
  strategySchema,
} from './schema.ts';
import { UNBUILT_KEYS } from './unbuilt.ts';
import { type Issue, nameOf, unknownKeyFinding, valueAt, valueFinding } from './value-finding.ts';

export function formFindings(issues: readonly Issue[], file: unknown): Finding[] {
  return issues.flatMap((issue) => findingsOf(issue, [], file));
}

function findingsOf(issue: Issue, prefix: Path, file: unknown): Finding[] {
  const path = [...prefix, ...issue.path.map((part) => (typeof part === 'symbol' ? '' : part))];
  switch (issue.code) {
    case 'unrecognized_keys':
      return issue.keys.map((key) => unknownKey(path, key));
    case 'invalid_union':
      return unionFindings(issue, path, file);
    case 'invalid_key':
      return [
        {
          path: path.slice(0, -1),
          key: String(path.at(-1)),
          message: 'a variable’s name begins with a small letter, then letters, digits and _',
        },
      ];
    case 'invalid_type':
    case 'invalid_value':
    case 'too_small':
    case 'too_big':
    case 'invalid_format':
    case 'not_multiple_of':
    case 'invalid_element':
    case 'custom':
      return [valueFinding(issue, path, valueAt(file, path))];
  }
}

/** The alternative that fits best: the one of the value's own kind, of those the one with fewest faults. */
function unionFindings(issue: z.core.$ZodIssueInvalidUnion, path: Path, file: unknown): Finding[] {
  const value = valueAt(file, path);
  if (value === undefined) {
    return [{ path: path.slice(0, -1), message: `"${path.at(-1)}" is missing` }];
  }
  const weights = issue.errors.map((branch) => branchWeight(branch, value));
  const best = issue.errors[weights.indexOf(Math.min(...weights))] ?? [];
  if (weights.every((weight) => weight >= WRONG_KIND)) {
    return [{ path, message: `${nameOf(value)} does not fit here` }];
  }
  // A misspelt key makes the right one look missing: only the first of the two helps.
  const unknown = best.filter((inner) => inner.code === 'unrecognized_keys');
  return (unknown.length > 0 ? unknown : best).flatMap((inner) => findingsOf(inner, path, file));
}

/** Heavier than any number of faults inside an alternative of the right kind. */
const WRONG_KIND = 1_000_000;

function branchWeight(branch: readonly Issue[], value: unknown): number {
  let weight = 0;
  for (const issue of branch) {
    if (issue.code === 'invalid_type' && issue.path.length === 0) weight += WRONG_KIND;
    else if (issue.code === 'unrecognized_keys') weight += 10 * issue.keys.length;
    // A key of this alternative is there, only its value is wrong: this is the one that was meant.
    else if (valueAt(value, issue.path as Path) !== undefined) weight += 1;
    else weight += 5;
  }
  return weight;
}

function unknownKey(path: Path, key: string): Finding {
  const { kind, keys } = objectAt(path);
  const unbuilt = UNBUILT_KEYS[kind] ?? [];
  if (unbuilt.includes(key)) {
    return { path, key, message: `key "${key}" is known but not built yet` };
  }
  if (keys.includes(key)) {
    const hint = `one of ${keys.join(', ')}`;
    return { path, key, message: `key "${key}" cannot stand beside the others here`, hint };
  }
  return unknownKeyFinding(path, key, [...keys, ...unbuilt], keys);
}

/** Which object of the format stands at a path, and its keys. */
function objectAt(path: Path): { kind: string; keys: readonly string[] } {
  const last = path.at(-1);
  const isIndex = typeof last === 'number';
  const fileKeys = [...new Set([...keysOf(backtestSchema), ...keysOf(spinSchema)])];
  if (path.length === 0) return { kind: 'file', keys: fileKeys };
  if (last === 'data' || (isIndex && path.at(-2) === 'data')) {
    return { kind: 'data', keys: keysOf(dataSchema) };
  }
  if (last === 'sample') return { kind: 'sample', keys: keysOf(sampleSchema) };
  if (last === 'split') return { kind: 'split', keys: keysOf(splitSchema) };
  if (last === 'broker') return { kind: 'broker', keys: keysOf(brokerSchema) };
  if (isIndex && path.length === 2) return { kind: 'strategy', keys: keysOf(strategySchema) };
  if (path.length === 3 && (last === 'long' || last === 'short')) {
    return { kind: 'side', keys: keysOf(sideSchema) };
  }
  if (path.length === 3 && last === 'size') {
    return { kind: 'size', keys: ['equity', 'cash', 'units', 'risk'] };
  }
  if (path.at(-2) === 'vars') return { kind: 'range', keys: keysOf(stepsSchema) };
  if (last === 'left' || last === 'right') return { kind: 'operand', keys: keysOf(operandSchema) };
  if (last === 'costMs') return { kind: 'costMs', keys: keysOf(lognormalSchema) };
  if (last === 'lognormal') return { kind: 'lognormal', keys: ['mean', 'sigma'] };
  return { kind: 'rule', keys: [...keysOf(comparisonSchema), 'any', 'all', 'not'] };
}

function keysOf(schema: { shape: object }): readonly string[] {
  return Object.keys(schema.shape).filter((key) => key !== '$schema');
}
