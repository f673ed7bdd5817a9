// One borderless table. Cells may carry colour; the last column gives way when the terminal is narrow.
import { stripVTControlCharacters } from 'node:util';

export interface Column {
  readonly title: string;
  readonly align: 'left' | 'right';
}

const GAP = '  ';

export function renderTable(
  columns: readonly Column[],
  rows: readonly (readonly string[])[],
  width: number,
): string[] {
  const titles = columns.map((column) => column.title);
  const widths = columns.map((_, at) =>
    Math.max(...[titles, ...rows].map((cells) => visibleWidth(cells[at] ?? ''))),
  );
  return [titles, ...rows].map((cells) => {
    const padded = columns.map(({ align }, at) => pad(cells[at] ?? '', widths[at] ?? 0, align));
    return cutToWidth(padded.join(GAP).trimEnd(), width);
  });
}

function visibleWidth(text: string): number {
  return stripVTControlCharacters(text).length;
}

function pad(text: string, width: number, align: 'left' | 'right'): string {
  const fill = ' '.repeat(Math.max(0, width - visibleWidth(text)));
  return align === 'left' ? text + fill : fill + text;
}

/** Colour that would be cut in the middle is dropped from the whole line: a wrong colour hides more than none. */
export function cutToWidth(line: string, width: number): string {
  if (visibleWidth(line) <= width) return line;
  return `${stripVTControlCharacters(line).slice(0, Math.max(0, width - 1))}…`;
}

/** A bar of `width` cells in eighths, e.g. ████▎; `share` is 0..1. */
export function renderBar(share: number, width: number): string {
  const eighths = Math.round(Math.min(1, Math.max(0, share)) * width * 8);
  const rest = ' ▏▎▍▌▋▊▉'[eighths % 8] ?? '';
  return ('█'.repeat(Math.floor(eighths / 8)) + (eighths % 8 === 0 ? '' : rest)).padEnd(width);
}
