// What is wrong with one value, and with one key, in a user's words instead of the schema library's.

import type { z } from 'zod';
import { nearest } from '../../kernel/language/suggest.ts';
import type { Finding, Path } from './place.ts';

export type Issue = z.core.$ZodIssue;

/** `value` is what stands at `path` of the file. */
export function valueFinding(issue: Issue, path: Path, value: unknown): Finding {
  if (value === undefined && path.length > 0) {
    return { path: path.slice(0, -1), message: `"${path.at(-1)}" is missing` };
  }
  const key = String(path.at(-1) ?? '');
  if (path.includes('vars') && typeof value === 'string') {
    return { path, message: 'text as a variable’s value is known but not built yet' };
  }
  if (issue.code === 'invalid_type') {
    // JSON has no infinity, but 1e999 becomes one.
    if (value === Infinity || value === -Infinity)
      return { path, message: 'the number is too large' };
    return { path, message: `expected ${withArticle(issue.expected)}, not ${nameOf(value)}` };
  }
  if (issue.code === 'invalid_value') {
    const allowed = issue.values.map((allowed) => JSON.stringify(allowed));
    const near = nearest(String(value), issue.values.map(String));
    const message =
      allowed.length === 1 ? `must be ${allowed[0]}` : `must be one of ${allowed.join(', ')}`;
    return { path, message, hint: near && `did you mean ${JSON.stringify(near)}?` };
  }
  if (issue.code === 'invalid_format') return { path, message: formatMessage(key, value) };
  if (issue.code === 'too_small' || issue.code === 'too_big') {
    return { path, message: boundMessage(issue) };
  }
  return { path, message: issue.message };
}

/** `known` is what may have been meant; `keys` is what stands in the hint when nothing is near. */
export function unknownKeyFinding(
  path: Path,
  key: string,
  known: readonly string[],
  keys: readonly string[] = known,
): Finding {
  const near = nearest(key, known);
  return {
    path,
    key,
    message: `unknown key "${shortened(key)}"`,
    hint: near === undefined ? `keys here: ${keys.join(', ')}` : `did you mean "${near}"?`,
  };
}

export function valueAt(file: unknown, path: Path): unknown {
  let value = file;
  for (const part of path) {
    if (typeof value !== 'object' || value === null || !Object.hasOwn(value, part)) {
      return undefined;
    }
    value = (value as Record<string | number, unknown>)[part];
  }
  return value;
}

export function nameOf(value: unknown): string {
  if (value === null) return 'null';
  if (Array.isArray(value)) return 'a list';
  return withArticle(typeof value);
}

function withArticle(kind: string): string {
  const names: Record<string, string> = {
    string: 'text',
    int: 'a whole number',
    array: 'a list',
    record: 'an object',
    object: 'an object',
  };
  return names[kind] ?? `a ${kind}`;
}

function boundMessage(issue: z.core.$ZodIssueTooSmall | z.core.$ZodIssueTooBig): string {
  // A message of our own says more than the bound does.
  if (!/^Too (small|big)/.test(issue.message)) return issue.message;
  const isLow = issue.code === 'too_small';
  const bound = isLow ? issue.minimum : issue.maximum;
  const word = isLow ? 'at least' : 'at most';
  if (issue.origin === 'string') return `needs ${word} ${bound} characters`;
  if (issue.origin === 'array') return `needs ${word} ${bound} entries`;
  if (issue.inclusive === true) return `must be ${word} ${bound}`;
  return `must be ${isLow ? 'above' : 'below'} ${bound}`;
}

function formatMessage(key: string, value: unknown): string {
  switch (key) {
    case 'timeframe':
      return 'must be a number and m, h, d or w, such as "5m"';
    case 'from':
    case 'to':
      return 'must be a date such as "2024-01-31" or "2024-01-31T00:00:00Z"';
    case 'sha256':
      return 'must be 64 hexadecimal digits in small letters';
    default:
      return `must be a number or "$name", not ${JSON.stringify(typeof value === 'string' ? shortened(value) : value)}`;
  }
}

/** Characters of a user's own text that a message repeats. */
const QUOTED_CHARS_MAX = 60;

function shortened(text: string): string {
  return text.length > QUOTED_CHARS_MAX ? `${text.slice(0, QUOTED_CHARS_MAX)}…` : text;
}
