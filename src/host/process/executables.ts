// Owns finding programs on the search path. Runs none.

import { constants } from 'node:fs';
import { access, stat } from 'node:fs/promises';

/** Where system programs lie, also when the engine was started with a poor PATH. */
const ALWAYS = ['/usr/local/sbin', '/usr/local/bin', '/usr/sbin', '/usr/bin', '/sbin', '/bin'];

/** Absolute path of `name` (a path is taken as it is); undefined when no executable file is there. */
export async function findExecutable(name: string, path = process.env.PATH ?? ''): Promise<string | undefined> {
  const places = name.includes('/') ? [name] : directories(path).map((directory) => `${directory}/${name}`);
  for (const place of places) if (await isExecutable(place)) return place;
  return undefined;
}

function directories(path: string): string[] {
  return [...new Set([...path.split(':').filter((part) => part.startsWith('/')), ...ALWAYS])];
}

async function isExecutable(path: string): Promise<boolean> {
  try {
    await access(path, constants.X_OK);
    return (await stat(path)).isFile();
  } catch {
    return false;
  }
}
