// Conditions on the values of a row: `--where` of the command line and `filter` of a job file are the same words.
import { compareValues } from './language/ast.ts';

type Comparison = '<' | '<=' | '>' | '>=' | '=' | '!=';

/** A row passes when its value of `column` compares so; an undefined value passes nothing. */
export interface RowFilter {
  readonly column: string;
  readonly comparison: Comparison;
  readonly value: number;
}

const TEXT_CHARS_MAX = 1000;
const CONDITION = /^([A-Za-z][A-Za-z0-9_]*)\s*(<=|>=|!=|==|<|>|=)\s*([-+]?[0-9.][0-9._eE+-]*)(%?)$/;

/** Reads `trades>30`, or several of those joined by `and`, `,` or `&&`. Throws an Error that quotes what cannot be read. */
export function parseFilters(text: string): readonly RowFilter[] {
  if (text.length > TEXT_CHARS_MAX) throw unreadable(text.slice(0, 40));
  return text
    .split(/\s+and\s+|,|&&/)
    .map((condition) => condition.trim())
    .map(parseCondition);
}

function parseCondition(condition: string): RowFilter {
  const match = CONDITION.exec(condition);
  const [, column, operator, digits, percent] = match ?? [];
  const value = Number((digits ?? '').replaceAll('_', ''));
  if (column === undefined || operator === undefined || !Number.isFinite(value)) {
    throw unreadable(condition);
  }
  return {
    column,
    comparison: operator === '==' ? '=' : (operator as Comparison),
    value: percent === '%' ? value / 100 : value,
  };
}

function unreadable(condition: string): Error {
  return new Error(`cannot read the condition "${condition}"`);
}

export function passes(
  filters: readonly RowFilter[],
  valueOf: (column: string) => number,
): boolean {
  return filters.every(({ column, comparison, value }) =>
    holds(valueOf(column), comparison, value),
  );
}

function holds(left: number, comparison: Comparison, right: number): boolean {
  if (comparison === '!=') return left !== right && !Number.isNaN(left);
  return compareValues(comparison === '=' ? '==' : comparison, left, right);
}
