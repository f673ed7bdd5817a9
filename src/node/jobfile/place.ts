// From a place in the meaning (a path of keys, perhaps some characters of a rule) to a place in the text.
// The tree with positions is built only once something is wrong: a sound file is read by JSON.parse alone.

import { type Node, type ParseError, findNodeAtLocation, parseTree } from 'jsonc-parser';
import type { Problem } from './problem.ts';
import type { RepeatedKey } from './repeated-keys.ts';

export type Path = readonly (string | number)[];

/** A complaint before it has a line number. */
export interface Finding {
  readonly path: Path;
  /** Points at this key of the object at `path`, not at its value. */
  readonly key?: string;
  /** Points at these characters of the string at `path`. */
  readonly within?: { readonly offset: number; readonly length: number };
  readonly message: string;
  readonly hint?: string | undefined;
}

/** Problems in order of their place. */
export function locateFindings(
  file: string,
  text: string,
  findings: readonly Finding[],
): Problem[] {
  const tree = parseTree(text);
  const lines = new Lines(text);
  return findings
    .map((finding) => ({ finding, ...placeOf(tree, text, finding) }))
    .toSorted((a, b) => a.offset - b.offset)
    .map(({ finding, offset, length }) => ({
      file,
      ...lines.at(offset),
      path: finding.path.join('.'),
      message: finding.message,
      ...(finding.hint === undefined ? {} : { hint: finding.hint }),
      caretLength: length,
    }));
}

/** What keeps the text from being JSON at all; at least one problem. */
export function syntaxProblems(file: string, text: string): Problem[] {
  const errors: ParseError[] = [];
  parseTree(text, errors, { disallowComments: true, allowTrailingComma: false });
  const lines = new Lines(text);
  const found = errors.length > 0 ? errors : [{ error: 0, offset: 0, length: 1 }];
  // One slip makes a parser stumble over what follows: only the first at a place, and of these the first few, mean
  // something.
  const fresh = found.filter(({ offset }, at) => offset !== found[at - 1]?.offset);
  return fresh.slice(0, 3).map(({ error, offset, length }) => ({
    file,
    ...lines.at(offset),
    path: '',
    message: `this is not JSON: ${SYNTAX[error] ?? 'unexpected text'}`,
    caretLength: Math.max(1, length),
  }));
}

export function problemAt(file: string, text: string, offset: number, message: string): Problem {
  return { file, ...new Lines(text).at(offset), path: '', message, caretLength: 1 };
}

export function repeatedProblems(
  file: string,
  text: string,
  repeated: readonly RepeatedKey[],
): Problem[] {
  const lines = new Lines(text);
  return repeated.map(({ key, first, again }) => {
    const place = first === undefined ? undefined : lines.at(first);
    const message =
      place === undefined
        ? `no key may be called ${key}`
        : `key "${key.slice(0, 40)}" stands here twice; the first is at ${place.line}:${place.col}`;
    return { file, ...lines.at(again), path: '', message, caretLength: key.length + 2 };
  });
}

/** By the parser's numbers of errors. */
const SYNTAX: readonly string[] = [
  'unexpected text',
  'unexpected word',
  'a malformed number',
  'a key in double quotes is expected',
  'a value is expected',
  'a colon is expected',
  'a comma is expected',
  'a closing brace is expected',
  'a closing bracket is expected',
  'the file should have ended here',
  'comments are not allowed',
  'comments are not allowed',
  'a string without its closing quote',
  'a malformed number',
  'a malformed \\u escape',
  'a malformed escape',
  'an invalid character',
];

function placeOf(
  tree: Node | undefined,
  text: string,
  finding: Finding,
): { offset: number; length: number } {
  let path = [...finding.path];
  let node = tree && findNodeAtLocation(tree, path);
  // What is missing is shown where it is missed.
  while (node === undefined && path.length > 0) {
    path = path.slice(0, -1);
    node = tree && findNodeAtLocation(tree, path);
  }
  if (node === undefined) return { offset: 0, length: 1 };
  const { key, within } = finding;
  if (key !== undefined) {
    const property = node.children?.find((child) => child.children?.[0]?.value === key);
    const name = property?.children?.[0];
    if (name !== undefined) return { offset: name.offset, length: name.length };
  }
  if (within !== undefined && node.type === 'string') {
    const starts = characterStarts(text, node.offset);
    const from = starts[Math.min(within.offset, starts.length - 1)] ?? node.offset;
    const to = starts[Math.min(within.offset + within.length, starts.length - 1)] ?? from + 1;
    return { offset: from, length: Math.max(1, to - from) };
  }
  const isContainer = node.type === 'object' || node.type === 'array';
  return { offset: node.offset, length: isContainer ? 1 : node.length };
}

/** Where each character of a JSON string begins in the text (an escape is one character), and its end. */
function characterStarts(text: string, quoteOffset: number): number[] {
  const starts: number[] = [];
  let at = quoteOffset + 1;
  while (at < text.length && text[at] !== '"') {
    starts.push(at);
    if (text[at] !== '\\') at += 1;
    else at += text[at + 1] === 'u' ? 6 : 2;
  }
  starts.push(at);
  return starts;
}

class Lines {
  readonly #text: string;
  readonly #starts: number[] = [0];

  constructor(text: string) {
    this.#text = text;
    for (let at = text.indexOf('\n'); at >= 0; at = text.indexOf('\n', at + 1)) {
      this.#starts.push(at + 1);
    }
  }

  at(offset: number): { line: number; col: number; excerpt: string } {
    let low = 0;
    let high = this.#starts.length - 1;
    while (low < high) {
      const middle = (low + high + 1) >>> 1;
      if ((this.#starts[middle] ?? 0) <= offset) low = middle;
      else high = middle - 1;
    }
    const start = this.#starts[low] ?? 0;
    const end = this.#starts[low + 1] ?? this.#text.length + 1;
    const excerpt = this.#text.slice(start, end - 1).replace(/\r$/, '');
    return { line: low + 1, col: offset - start + 1, excerpt };
  }
}
