// Owns making a folder with all that lie above it, and an end where that cannot be. Node's own recursive mkdir repeats for ever where a
// file system says "no such file" for a new name in a folder that exists, as /proc does.

import { mkdirSync, statSync } from 'node:fs';
import { mkdir, stat } from 'node:fs/promises';
import { dirname } from 'node:path';

/** Makes `path` and what lacks above it, all with `mode`; a folder that is there is left as it is. @throws NodeJS.ErrnoException */
export async function makeFolders(path: string, mode = 0o777): Promise<void> {
  try {
    await mkdir(path, { mode });
  } catch (error) {
    if (codeOf(error) === 'EEXIST' && (await stat(path)).isDirectory()) return;
    if (codeOf(error) !== 'ENOENT' || dirname(path) === path) throw error;
    await makeFolders(dirname(path), mode);
    await mkdir(path, { mode }).catch((again: unknown) => {
      // Somebody else made it meanwhile.
      if (codeOf(again) !== 'EEXIST') throw again;
    });
  }
}

/** As makeFolders, blocking: for the start of a program. */
export function makeFoldersSync(path: string, mode = 0o777): void {
  try {
    mkdirSync(path, { mode });
  } catch (error) {
    if (codeOf(error) === 'EEXIST' && statSync(path).isDirectory()) return;
    if (codeOf(error) !== 'ENOENT' || dirname(path) === path) throw error;
    makeFoldersSync(dirname(path), mode);
    try {
      mkdirSync(path, { mode });
    } catch (again) {
      // Somebody else made it meanwhile.
      if (codeOf(again) !== 'EEXIST') throw again;
    }
  }
}

function codeOf(error: unknown): unknown {
  return (error as { code?: unknown }).code;
}
