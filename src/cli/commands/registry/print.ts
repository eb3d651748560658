// Owns printing rows of a registry's answers: columns by name, through the formats that every list has.
import type { Flags } from '../../grammar/flags.ts';
import { type ListStyle, readListFormat, renderList } from '../../render/list.ts';
import type { Session } from '../../session.ts';
import { TYPE_NAME } from '../../template/index.ts';

/** Prints `rows`, whose members are the columns, in this order. */
export function printRows(
  session: Session,
  flags: Flags,
  columns: readonly string[],
  rows: readonly Readonly<Record<string, string>>[],
): void {
  const style: ListStyle = {
    table: columns.map((column) => `{{.${column}}}`).join('\\t'),
    quiet: `{{.${columns[0]}}}`,
    headings: Object.fromEntries(columns.map((column) => [column, headingOf(column)])),
  };
  const format = readListFormat(flags.text('format'), false, style);
  const maps = rows.map((row) => ({
    [TYPE_NAME]: 'registry row',
    ...Object.fromEntries(columns.map((column) => [column, () => row[column] ?? ''])),
  }));
  session.out(renderList(format, style, maps));
}

/** `UpdatedAt` is `UPDATED AT`. */
function headingOf(column: string): string {
  return column.replace(/(?<=[a-z])(?=[A-Z])/g, ' ').toUpperCase();
}
