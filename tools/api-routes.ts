// Owns the report of which routes of Docker's API are served, in docs/api-routes.md, from the one table of routes.
// Usage: api-routes.ts [--write]

import { readFileSync, writeFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import type { ApiContext } from '../src/api/context.ts';
import { absentHandlers } from '../src/api/routes/absent.ts';
import { notYetHandlers } from '../src/api/routes/not-yet.ts';
import { ROUTES, type RouteSpec } from '../src/spec/docker/routes.ts';

const HEAD = `# Routes of Docker's API

From \`src/spec/docker/routes.ts\` (what each route takes) and \`route-replies.ts\` (what it answers), by \`tools/api-routes.ts\`.
*Not yet*: 501 with a sentence that names what is missing. *Absent*: answered as a Docker Engine without that feature does (no swarm,
no plugins).
`;

/** The report. */
export function page(): string {
  const absent = new Set(Object.keys(absentHandlers()));
  // Only the names are looked at: no handler runs.
  const notYet = new Set(Object.keys(notYetHandlers({ engine: {} } as unknown as ApiContext)));
  const state = ({ id }: RouteSpec): string => (absent.has(id) ? 'absent' : notYet.has(id) ? 'not yet' : 'served');
  const count = (wanted: string): number => ROUTES.filter((route) => state(route) === wanted).length;
  const rows = (ROUTES as readonly RouteSpec[]).map((route) => {
    const answer = route.stream ?? (route.hijack ? 'raw' : '');
    return `| ${route.method} | \`${route.path}\` | ${route.body ?? ''} | ${answer} | ${state(route)} |`;
  });
  const summary = `${count('served')} served, ${count('not yet')} not yet, ${count('absent')} absent.`;
  return [HEAD, `${summary}\n`, '| method | path | body | stream | state |', '|---|---|---|---|---|', ...rows, ''].join(
    '\n',
  );
}

if (import.meta.main) {
  const path = fileURLToPath(new URL('../docs/api-routes.md', import.meta.url));
  if (process.argv.includes('--write')) writeFileSync(path, page());
  const isCurrent = readFileSync(path, 'utf8') === page();
  process.stdout.write(
    isCurrent
      ? `api routes: ${ROUTES.length}, the report is current\n`
      : 'docs/api-routes.md is out of date: --write\n',
  );
  process.exitCode = isCurrent ? 0 : 1;
}
