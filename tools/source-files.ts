// Owns finding the source files below a folder, for the tools that read them. Opens none.

import { existsSync, readdirSync } from 'node:fs';
import { join } from 'node:path';

/** The paths of all source files below `folder`, sorted within each folder; none when it is not there. */
export function* sourcesUnder(folder: string): Generator<string> {
  if (!existsSync(folder)) return;
  const entries = readdirSync(folder, { withFileTypes: true }).sort((a, b) => (a.name < b.name ? -1 : 1));
  for (const entry of entries) {
    const path = join(folder, entry.name);
    if (entry.isDirectory()) yield* sourcesUnder(path);
    else if (/\.[cm]?[jt]s$/.test(entry.name)) yield path;
  }
}
