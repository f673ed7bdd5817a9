// The doctor's findings: what is fine in as many columns as fit, then what is not, each with its cure below.
import type { Finding } from '../../doctor/finding.ts';
import { printable } from './format.ts';
import type { Paint } from './terminal.ts';

const MARKS = { ok: '✓', warning: '!', failure: '✗' } as const;
const STYLES = { ok: 'green', warning: 'yellow', failure: 'red' } as const;
const COLUMN_MIN = 46;

export function renderFindings(
  findings: readonly Finding[],
  width: number,
  paint: Paint,
): string[] {
  const fine = findings.filter(({ level }) => level === 'ok');
  const others = findings.filter(({ level }) => level !== 'ok');
  return [
    ...inColumns(fine, width, paint),
    ...others.flatMap((finding) => [
      ...wrap(`${MARKS[finding.level]} ${printable(finding.text)}`, width, 2).map((line, at) =>
        at === 0 ? marked(line, finding.level, paint) : line,
      ),
      ...wrap(`    → ${printable(finding.fix ?? '')}`, width, 6),
    ]),
    ...(others.length === 0 ? [paint('bold', 'nothing to mend')] : []),
  ];
}

/** Two beside each other where both fit; a long one has its line, wrapped like the others. */
function inColumns(findings: readonly Finding[], width: number, paint: Paint): string[] {
  const texts = findings.map(({ text }) => `${MARKS.ok} ${printable(text)}`);
  const cell = width >= COLUMN_MIN * 2 ? Math.floor(width / 2) : 0;
  const short = texts.filter((text) => text.length <= cell - 2);
  const lines = texts
    .filter((text) => text.length > cell - 2)
    .flatMap((text) =>
      wrap(text, width, 2).map((line, at) => (at === 0 ? marked(line, 'ok', paint) : line)),
    );
  const pairs: string[] = [];
  for (let at = 0; at < short.length; at += 2) {
    const [left = '', right] = short.slice(at, at + 2);
    const first = marked(right === undefined ? left : left.padEnd(cell), 'ok', paint);
    pairs.push(right === undefined ? first : first + marked(right, 'ok', paint));
  }
  return [...pairs, ...lines];
}

function marked(line: string, level: Finding['level'], paint: Paint): string {
  return `${paint(STYLES[level], line.slice(0, 1))}${line.slice(1)}`;
}

/** A command that is cut off cannot be typed: long lines go on below, indented. A word longer than the screen is left
 * to the terminal to break. */
function wrap(text: string, width: number, indent: number): string[] {
  const lines: string[] = [];
  let line = '';
  for (const word of text.split(/(?<=\S) /)) {
    if (line !== '' && line.length + 1 + word.length > width) {
      lines.push(line);
      line = ' '.repeat(indent) + word;
    } else line = line === '' ? word : `${line} ${word}`;
  }
  return [...lines, line];
}
