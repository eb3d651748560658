// Owns reading and removing directories of a cgroup hierarchy. Knows no controller.

import { readdir, readFile, rmdir, stat } from 'node:fs/promises';
import { setTimeout as sleep } from 'node:timers/promises';
import { GantryError } from '../../lib/errors.ts';

const REMOVE_TRIES = 50;
const REMOVE_PAUSE_MS = 10;

function codeOf(error: unknown): string | undefined {
  return error instanceof Error && 'code' in error ? String(error.code) : undefined;
}

/** The file's text; undefined when it or its cgroup is missing. */
export async function readText(path: string): Promise<string | undefined> {
  try {
    return await readFile(path, 'utf8');
  } catch (error) {
    const code = codeOf(error);
    if (code === 'ENOENT' || code === 'ENODEV' || code === 'EOPNOTSUPP') return undefined;
    throw error;
  }
}

/** A single number; undefined when missing, `max`, or no number. */
export async function readNumber(path: string): Promise<number | undefined> {
  const text = (await readText(path))?.trim();
  return text !== undefined && /^[0-9]+$/.test(text) ? Number(text) : undefined;
}

/** Lines of `key number`. */
export async function readTable(path: string): Promise<Record<string, number>> {
  const table: Record<string, number> = {};
  for (const line of ((await readText(path)) ?? '').split('\n')) {
    const [key, value] = line.split(' ');
    if (key !== undefined && value !== undefined && /^[0-9]+$/.test(value)) table[key] = Number(value);
  }
  return table;
}

/** True when the directory is there. */
export async function isDirectory(path: string): Promise<boolean> {
  try {
    return (await stat(path)).isDirectory();
  } catch (error) {
    if (codeOf(error) === 'ENOENT') return false;
    throw error;
  }
}

/** Names of the directories in `path`; [] when it is missing. */
export async function childDirectories(path: string): Promise<string[]> {
  try {
    const entries = await readdir(path, { withFileTypes: true });
    return entries.filter((entry) => entry.isDirectory()).map(({ name }) => name);
  } catch (error) {
    if (codeOf(error) === 'ENOENT') return [];
    throw error;
  }
}

/** Pids in the cgroup and below. */
export async function pidsBelow(path: string): Promise<number[]> {
  const own = ((await readText(`${path}/cgroup.procs`)) ?? '').split('\n').filter(Boolean).map(Number);
  const children = await childDirectories(path);
  const below = await Promise.all(children.map((name) => pidsBelow(`${path}/${name}`)));
  return [...own, ...below.flat()];
}

/** rmdir bottom up; the kernel may need a moment after the last process ended. @throws CGROUP_BUSY */
export async function removeTree(path: string): Promise<void> {
  for (const name of await childDirectories(path)) await removeTree(`${path}/${name}`);
  for (let tries = 1; ; tries++) {
    try {
      await rmdir(path);
      return;
    } catch (error) {
      const code = codeOf(error);
      if (code === 'ENOENT') return;
      if (code !== 'EBUSY' || tries === REMOVE_TRIES) throw busy(path, error);
    }
    await sleep(REMOVE_PAUSE_MS);
  }
}

function busy(path: string, cause: unknown): GantryError {
  return new GantryError('conflict', 'CGROUP_BUSY', `cannot remove the cgroup ${path}: it still holds processes`, {
    params: { path },
    cause,
  });
}
