// Owns the check of the tables of error codes (`codes.ts` of each capability) against the failures that the source makes: each code in
// one table, each use of the kind that its table says, none unused; and their list in docs/error-codes.md.
// Usage: error-codes.ts [--write] [root]

import { readFileSync, writeFileSync } from 'node:fs';
import { dirname, join, relative } from 'node:path';
import { fileURLToPath } from 'node:url';
import { sourcesUnder } from './source-files.ts';

const ROW = /^ {4}(?<code>[A-Z][A-Z0-9_]*): (?<kinds>'[a-zA-Z]+'(?: \| '[a-zA-Z]+')*);$/gm;
const MADE = /new GantryError\(\s*'(?<kind>[a-zA-Z]+)',\s*'(?<code>[A-Z][A-Z0-9_]*)'/g;
const LITERAL = /'([A-Z][A-Z0-9_]{2,})'/g;
const HEAD = `# Error codes

What \`code\` can be in the API's error bodies and in errors of the library, by the part that it begins in. Written by
\`tools/error-codes.ts\` from the tables beside the code.
`;

/** A source file; paths are relative to the root. */
export interface SourceFile {
  readonly path: string;
  readonly text: string;
}

interface Row {
  readonly table: string;
  readonly kinds: readonly string[];
}

/** What is wrong, a line each. */
export function complaints(files: readonly SourceFile[]): string[] {
  const wrong: string[] = [];
  const rows = new Map<string, Row>();
  for (const { path, text } of files.filter(isTable)) {
    for (const [code, kinds] of rowsOf(text)) {
      const other = rows.get(code)?.table;
      if (other !== undefined) wrong.push(`${path}: ${code} is in ${other} too`);
      rows.set(code, { table: path, kinds });
    }
  }
  const unused = new Set(rows.keys());
  for (const { path, text } of files.filter((file) => !isTable(file))) {
    for (const [, literal = ''] of text.matchAll(LITERAL)) unused.delete(literal);
    for (const { groups: { kind = '', code = '' } = {} } of text.matchAll(MADE)) {
      const row = rows.get(code);
      if (row && !row.kinds.includes(kind)) wrong.push(`${path}: ${code} is ${row.kinds.join(' or ')}, not ${kind}`);
    }
  }
  for (const code of unused) wrong.push(`${rows.get(code)?.table}: nobody uses ${code}`);
  return wrong;
}

/** The tables as a page. */
export function page(files: readonly SourceFile[]): string {
  const sections = files.filter(isTable).map(({ path, text }) => {
    const lines = rowsOf(text).map(([code, kinds]) => `| \`${code}\` | ${kinds.join(', ')} |`);
    return `## ${dirname(path)}\n\n| code | kind |\n|---|---|\n${lines.join('\n')}\n`;
  });
  return [HEAD, ...sections].join('\n');
}

const isTable = ({ path }: SourceFile): boolean => path.endsWith('/codes.ts');

function rowsOf(text: string): [code: string, kinds: readonly string[]][] {
  return [...text.matchAll(ROW)].map(({ groups: { code = '', kinds = '' } = {} }) => [
    code,
    kinds.split(' | ').map((kind) => kind.slice(1, -1)),
  ]);
}

if (import.meta.main) {
  const [given] = process.argv.slice(2).filter((arg) => !arg.startsWith('-'));
  const root = given ?? dirname(dirname(fileURLToPath(import.meta.url)));
  const files = [...sourcesUnder(join(root, 'src'))]
    .filter((file) => !/\.test\.ts$/.test(file))
    .map((file) => ({ path: relative(root, file), text: readFileSync(file, 'utf8') }));
  const path = join(root, 'docs/error-codes.md');
  if (process.argv.includes('--write')) writeFileSync(path, page(files));
  const wrong = complaints(files);
  if (readFileSync(path, 'utf8') !== page(files)) wrong.push(`${relative(root, path)} is out of date: --write`);
  for (const line of wrong) process.stdout.write(`${line}\n`);
  const tables = files.filter(isTable).length;
  process.stdout.write(`error codes: ${tables} tables, ${wrong.length} complaints\n`);
  process.exitCode = wrong.length === 0 && tables > 0 ? 0 : 1;
}
