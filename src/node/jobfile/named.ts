// The names that a strategy gives to what its rules say often.

import { indicatorNames } from '../../kernel/indicators/catalog.ts';
import { FIELDS } from '../../kernel/language/ast.ts';
import type { NamedIndicators } from '../../kernel/language/parse.ts';

/** Rules are read in small letters. What is no text is left out here and reported by the form. */
export function namedIndicators(indicators: unknown): NamedIndicators {
  if (typeof indicators !== 'object' || indicators === null || Array.isArray(indicators)) {
    return new Map();
  }
  const texts = Object.entries(indicators).filter(
    (entry): entry is [string, string] => typeof entry[1] === 'string',
  );
  return new Map(texts.map(([name, text]) => [name.toLowerCase(), text]));
}

/** Why a name cannot be taken, or undefined. */
export function nameFault(name: string): string | undefined {
  const word = name.toLowerCase();
  const isTaken = [...FIELDS, ...indicatorNames(), 'crosses', 'cross'].includes(word);
  return isTaken ? `the name "${name}" means something already` : undefined;
}
