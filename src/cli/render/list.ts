// Owns printing a list through a format: a table with headings, JSON lines, or a template a row. Knows no nouns.
import { CommandFailure } from '../failure.ts';
import {
  evaluateTemplate,
  FUNCTION_NAMES,
  fieldsUsed,
  HEADING_FUNCTIONS,
  headingValue,
  parseTemplate,
  rowValue,
  type Template,
  TemplateError,
  type TemplateMap,
} from '../template/index.ts';
import { alignTable } from './table.ts';

const PARSING_ERROR = 'template parsing error';

/** A format as the user means it. */
export interface ListFormat {
  readonly template: Template;
  readonly table: boolean;
}

/** What a noun's list offers. */
export interface ListStyle {
  /** Template after `table `. */
  readonly table: string;
  /** Template of `-q`. */
  readonly quiet: string;
  /** Template of the old `raw` format. */
  readonly raw?: string;
  /** What errors of the template begin with; `template parsing error` when not given. */
  readonly failures?: { readonly parse: string; readonly run: string };
  /** Heading by field. */
  readonly headings: Readonly<Record<string, string>>;
}

/**
 * The format for `source` (`''`, `table`, `table TEMPLATE`, `json`, `raw` or a template).
 * @throws CommandFailure (1) when the template cannot be read
 */
export function readListFormat(source: string, quiet: boolean, style: ListStyle): ListFormat {
  const { text, table } = chooseFormat(source, quiet, style);
  const unescaped = text
    .replace(/^ +| +$/g, '')
    .replaceAll('\\t', '\t')
    .replaceAll('\\n', '\n');
  return { template: readTemplate(unescaped, style), table };
}

function readTemplate(source: string, style: ListStyle): Template {
  try {
    return parseTemplate(source, FUNCTION_NAMES);
  } catch (error) {
    if (!(error instanceof TemplateError)) throw error;
    throw new CommandFailure(1, `${style.failures?.parse ?? PARSING_ERROR}: ${error.message}`, error.hint);
  }
}

function chooseFormat(source: string, quiet: boolean, style: ListStyle): { text: string; table: boolean } {
  if (source === 'json') return { text: '{{json .}}', table: false };
  if (source === 'raw' && style.raw !== undefined)
    return { text: quiet ? (style.raw.split('\n')[0] ?? '') : style.raw, table: false };
  if (quiet) return { text: style.quiet, table: false };
  if (source === '' || source === 'table') return { text: style.table, table: true };
  if (source.startsWith('table')) return { text: source.slice('table'.length), table: true };
  return { text: source, table: false };
}

/** True when the format reads `field`, so that costly fields are asked for only then. */
export function usesField(format: ListFormat, field: string): boolean {
  return fieldsUsed(format.template).has(field);
}

/** Runs a format on `row`, as it was written, for its failures only. @throws CommandFailure (1) */
export function tryFormat(source: string, style: ListStyle, row: TemplateMap): void {
  runRow(readTemplate(source, style), row, style);
}

/**
 * The text of `rows`.
 * @throws CommandFailure (1) when the template fails on a row
 */
export function renderList(format: ListFormat, style: ListStyle, rows: readonly TemplateMap[]): string {
  let text = '';
  for (const row of rows) text += `${runRow(format.template, row, style)}\n`;
  if (!format.table) return text;
  const heading = evaluateTemplate(format.template, headingValue(style.headings), { functions: HEADING_FUNCTIONS });
  return alignTable(`${heading}\n${text}`);
}

/** A table of `columns` (headings by field) for rows whose members take no arguments. */
export function renderTable(columns: Readonly<Record<string, string>>, rows: readonly TemplateMap[]): string {
  const fields = Object.keys(columns);
  const cell = (row: TemplateMap, field: string): string => {
    const member = row[field];
    return String(typeof member === 'function' ? member() : member);
  };
  const lines = [Object.values(columns), ...rows.map((row) => fields.map((field) => cell(row, field)))];
  return alignTable(lines.map((cells) => `${cells.join('\t')}\n`).join(''));
}

function runRow(template: Template, row: TemplateMap, style: ListStyle): string {
  try {
    return evaluateTemplate(template, rowValue(row));
  } catch (error) {
    if (!(error instanceof TemplateError)) throw error;
    throw new CommandFailure(1, `${style.failures?.run ?? PARSING_ERROR}: ${error.message}`, error.hint);
  }
}
