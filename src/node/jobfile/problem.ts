// What is wrong with an input file, and where. All problems of a file are found at once, and each is shown
// with its line and a caret under the characters that it is about.

export interface Problem {
  /** As the user named it. */
  readonly file: string;
  /** From 1. */
  readonly line: number;
  /** From 1, in UTF-16 units. */
  readonly col: number;
  /** Keys and indexes joined by dots, such as `strategies.1.long.enter.0`; empty in a data file. */
  readonly path: string;
  readonly message: string;
  /** What to do, or what was probably meant. */
  readonly hint?: string;
  /** The source line. */
  readonly excerpt: string;
  readonly caretLength: number;
}

/** Columns of a source line that are shown; a job file may be one long line. */
const EXCERPT_COLUMNS = 120;

export function formatProblems(problems: readonly Problem[]): string {
  return problems.map(formatProblem).join('\n');
}

function formatProblem(problem: Problem): string {
  const { file, line, col, path, message, hint } = problem;
  const at = path === '' ? '' : ` ${path}`;
  const more = hint === undefined ? '' : ` (${hint})`;
  const head = `${printable(file)}:${line}:${col} error${at}: ${message}${more}`;
  return [printable(head), ...excerptLines(problem)].join('\n');
}

/** The line as it stands, or where it is too long a piece around the place; then the carets. */
function excerptLines({ excerpt, col, caretLength }: Problem): string[] {
  if (excerpt.trim() === '') return [];
  const indent = excerpt.length - excerpt.trimStart().length;
  let start = 0;
  if (col - 1 > EXCERPT_COLUMNS - 20) start = Math.max(indent, col - 1 - EXCERPT_COLUMNS / 2);
  const shown = excerpt.slice(start, start + EXCERPT_COLUMNS);
  const lead = start > 0 ? '      …' : '';
  const before = lead.length + col - 1 - start;
  const carets = '^'.repeat(Math.max(1, Math.min(caretLength, shown.length - (col - 1 - start))));
  return [printable(lead + shown).trimEnd(), ' '.repeat(before) + carets];
}

/** Control characters out of a user's file must not steer a terminal; each keeps its column. */
function printable(text: string): string {
  // oxlint-disable-next-line no-control-regex -- these are what is replaced
  return text.replaceAll(/[\u0000-\u001f\u007f-\u009f]/g, ' ');
}
