// Lists on a pipe: a header line, tabs, raw numbers; nothing that a script would have to cut away.

export type Cell = string | number | null;

export function renderTsv(columns: readonly string[], rows: readonly (readonly Cell[])[]): string {
  return [columns, ...rows].map((cells) => cells.map(tsvCell).join('\t')).join('\n');
}

function tsvCell(cell: Cell): string {
  if (cell === null) return '';
  // A tab or a line end inside a cell would shift every column after it.
  return typeof cell === 'number' ? String(cell) : cell.replaceAll(/[\t\r\n]/g, ' ');
}
