// Owns removing whole trees that containers and images wrote, however deep they are.

import { execFile, execFileSync } from 'node:child_process';
import { rmSync } from 'node:fs';
import { rm } from 'node:fs/promises';
import { promisify } from 'node:util';

const run = promisify(execFile);
const OPTIONS = { recursive: true, force: true } as const;

/**
 * Removes `path` and all below it; absent is fine. Node names every file by its whole path and gives up where that is longer than
 * the kernel takes (4096 bytes), which any container can bring about; coreutils' rm goes down folder by folder.
 * @throws the first failure
 */
export async function removeTree(path: string): Promise<void> {
  try {
    await rm(path, { ...OPTIONS, maxRetries: 3 });
  } catch (error) {
    if (!isTooLong(error)) throw error;
    await run('rm', rmArgs(path));
  }
}

/** As removeTree, blocking: for small trees and for workers. */
export function removeTreeSync(path: string): void {
  try {
    rmSync(path, OPTIONS);
  } catch (error) {
    if (!isTooLong(error)) throw error;
    execFileSync('rm', rmArgs(path), { stdio: 'ignore' });
  }
}

function rmArgs(path: string): string[] {
  return ['--recursive', '--force', '--one-file-system', '--', path];
}

function isTooLong(error: unknown): boolean {
  return (error as { code?: unknown }).code === 'ENAMETOOLONG';
}
