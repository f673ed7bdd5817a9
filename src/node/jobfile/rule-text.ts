// Rules that are written as objects, put into the text form, so that there is one language and one parser.

import { findIndicator } from '../../kernel/indicators/catalog.ts';
import type { ComparisonInput, OperandInput } from './schema.ts';

export function comparisonText({ left, op, right }: ComparisonInput): string {
  const words: Readonly<Record<string, string>> = {
    crossesAbove: 'crosses above',
    crossesBelow: 'crosses below',
  };
  return `${operandText(left)} ${words[op] ?? op} ${operandText(right)}`;
}

function operandText(operand: OperandInput): string {
  const { value, field, indicator, output, offset } = operand;
  if (value !== undefined) return String(value);
  const base = field ?? `${indicator}(${argumentsOf(operand).join(', ')})`;
  const named = output === undefined ? base : `${base}.${output}`;
  return offset === undefined ? named : `${named}[${offset}]`;
}

function argumentsOf({ indicator = '', source, period, params = {} }: OperandInput): string[] {
  const args = source === undefined ? [] : [source];
  if (period !== undefined) args.push(String(period));
  const names = findIndicator(indicator.toLowerCase())?.parameters.map(({ name }) => name) ?? [];
  // In the order of the call; a name that the indicator does not know goes last and is refused there.
  const order = (name: string): number =>
    names.includes(name) ? names.indexOf(name) : names.length;
  const given = Object.entries(params).toSorted(([a], [b]) => order(a) - order(b));
  return [...args, ...given.map(([, value]) => String(value))];
}
