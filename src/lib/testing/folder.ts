// Owns the folders of tests: each goes at the end of the process at the latest, whatever still wrote into it after its test.

import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

const made = new Set<string>();

process.once('exit', () => {
  for (const path of made) rmSync(path, { recursive: true, force: true });
});

/** A new folder for `what`, a word. Its owner removes it when its test ends. */
export function testFolder(what: string): string {
  const path = mkdtempSync(join(tmpdir(), `gantry-${what}-`));
  made.add(path);
  return path;
}
