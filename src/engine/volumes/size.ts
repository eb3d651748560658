// Owns measuring a folder the engine owns. Follows no link and counts hard-linked files once.

import { lstat, readdir } from 'node:fs/promises';
import { join } from 'node:path';

/** Bytes of the regular files below `dir`; what vanishes meanwhile counts nothing. */
export async function folderBytes(dir: string): Promise<number> {
  const seen = new Set<string>();
  const count = async (path: string): Promise<number> => {
    const entries = await readdir(path, { withFileTypes: true }).catch(() => []);
    let bytes = 0;
    for (const entry of entries) {
      const child = join(path, entry.name);
      if (entry.isDirectory()) bytes += await count(child);
      else if (entry.isFile()) bytes += await fileBytes(child, seen);
    }
    return bytes;
  };
  return count(dir);
}

async function fileBytes(path: string, seen: Set<string>): Promise<number> {
  const facts = await lstat(path).catch(() => undefined);
  if (!facts) return 0;
  if (facts.nlink > 1) {
    const key = `${facts.dev}:${facts.ino}`;
    if (seen.has(key)) return 0;
    seen.add(key);
  }
  return facts.size;
}
