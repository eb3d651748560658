// Owns aligning tab-separated text into columns, as Go's tabwriter does with Docker's settings. Pure.

/** How columns are padded. */
export interface TableOptions {
  readonly minWidth: number;
  readonly padding: number;
}

/** Docker's lists: columns at least ten wide, three spaces between. */
const LIST_TABLE: TableOptions = { minWidth: 10, padding: 3 };

/**
 * `text` with every tab-ended cell padded to its column's width. A column is a run of neighbouring lines that all
 * have that cell, so a line without tabs starts a new table.
 * @source Go text/tabwriter
 */
export function alignTable(text: string, options: TableOptions = LIST_TABLE): string {
  const lines = text.split('\n').map((line) => line.split('\t'));
  const widths: number[][] = lines.map(() => []);
  measure(lines, widths, 0, lines.length, 0, options);
  return lines.map((cells, row) => padRow(cells, widths[row] ?? [])).join('\n');
}

function measure(
  lines: readonly string[][],
  widths: number[][],
  from: number,
  to: number,
  column: number,
  options: TableOptions,
): void {
  let row = from;
  while (row < to) {
    if (!hasCell(lines, row, column)) {
      row++;
      continue;
    }
    let end = row;
    let width = options.minWidth;
    let empty = true;
    while (end < to && hasCell(lines, end, column)) {
      const length = [...(lines[end]?.[column] ?? '')].length;
      if (length > 0) empty = false;
      width = Math.max(width, length + options.padding);
      end++;
    }
    if (empty && options.minWidth === 0) width = 0;
    for (const line of widths.slice(row, end)) line[column] = width;
    measure(lines, widths, row, end, column + 1, options);
    row = end;
  }
}

/** The last cell of a line is not tab-ended, so it belongs to no column. */
function hasCell(lines: readonly string[][], row: number, column: number): boolean {
  return column < (lines[row]?.length ?? 0) - 1;
}

function padRow(cells: readonly string[], widths: readonly number[]): string {
  return cells
    .map((cell, column) =>
      column === cells.length - 1 ? cell : cell + ' '.repeat(Math.max(0, (widths[column] ?? 0) - [...cell].length)),
    )
    .join('');
}
