// Owns docs/request-fields.md: the table as a page. Run as a program it writes the page.

import { writeFileSync } from 'node:fs';
import { FIELDS } from './table.ts';
import type { Fate, Part } from './types.ts';

export const DOCUMENT = new URL('../../../docs/request-fields.md', import.meta.url);

const HEAD = `# Fields of requests

What becomes of each field of the bodies that make containers, execs, networks and volumes. *Honoured*: it does what Docker
does with it, as the test of this name shows. *Refused*: the request fails and says these words. *Ignored*: it changes
nothing, in Docker on Linux neither.
This page is written by \`test/conformance/fields/render.ts\` from the table beside it, which names every test that shows a
fate; \`fields.test.ts\` fails on a field without a row.
`;

/** The page. */
export function renderFields(): string {
  return `${[HEAD, ...Object.entries(FIELDS).map(([schema, part]) => section(schema, part))].join('\n')}`;
}

function section(schema: string, part: Part): string {
  const title = `## ${schema}\n`;
  if (typeof part.endpoint === 'string') return `${title}\nThe endpoint does not exist yet: \`${part.endpoint}\`.\n`;
  const rows = Object.entries(part as Readonly<Record<string, Fate>>).map(
    ([field, fate]) => `| \`${field}\` | ${fate.is} | ${detail(fate).replaceAll('|', '\\|')} |`,
  );
  return [title, '| Field | Fate | |', '|---|---|---|', ...rows, ''].join('\n');
}

function detail(fate: Fate): string {
  if (fate.is === 'refused') return `\`${fate.words}\``;
  return fate.is === 'ignored' ? fate.why : `“${fate.by[0]?.name.trim()}”`;
}

if (import.meta.main) writeFileSync(DOCUMENT, renderFields());
