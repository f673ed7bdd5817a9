// A variable's range as the file gives it, in the form that the kernel counts through.

import type { VariableSpec } from '../../kernel/spec.ts';
import { type RangeInput, stepsSchema } from './schema.ts';

export function variableSpec(name: string, range: RangeInput): VariableSpec {
  if (Array.isArray(range)) return { name, values: range };
  const { from, to, step = 1, count, log = false } = range;
  if (count !== undefined) return { name, from, to, count, log };
  // A billionth of a step more: (0.3 - 0.1) / 0.1 is a hair below 2.
  return { name, from, step, count: Math.floor((to - from) / step + 1e-9) + 1 };
}

/** Undefined when the range is not sound; its faults are reported elsewhere. */
export function looseVariable(name: string, range: unknown): VariableSpec | undefined {
  if (Array.isArray(range)) {
    const isSound = range.length > 0 && range.every((value) => typeof value === 'number');
    return isSound ? { name, values: range } : undefined;
  }
  const parsed = stepsSchema.safeParse(range);
  return parsed.success ? variableSpec(name, parsed.data) : undefined;
}
