// Owns the registry's root folder: made when absent; an unusable one is refused in words. Knows nothing of what lies in it.

import { GantryError, messageOf } from '../lib/errors.ts';
import { makeFoldersSync } from '../lib/make-folders.ts';

/** Makes the absolute path `root`, for its owner alone, and the folders above it. @throws ROOT_UNUSABLE */
export function makeRoot(root: string): void {
  try {
    makeFoldersSync(root, 0o700);
  } catch (error) {
    throw rootUnusable(root, error);
  }
}

/** What opening the root failed with, in words where the machine refused; anything else as it is. */
export function rootUnusable(root: string, error: unknown): unknown {
  const { code } = error as { code?: unknown };
  const isOfMachine = typeof code === 'string' && (/^E[A-Z0-9]+$/.test(code) || code === 'ERR_SQLITE_ERROR');
  const isOfRecords = error instanceof GantryError && /^(RECORDS_(DAMAGED|IO|READ_ONLY)|DISK_FULL)$/.test(error.code);
  if (!isOfRecords && (error instanceof GantryError || !isOfMachine)) return error;
  const isRefused = code === 'EACCES' || code === 'EPERM' || code === 'EROFS';
  const hint = isRefused
    ? 'choose a folder that this user may write, such as --root ~/.local/share/gantry-registry'
    : undefined;
  return new GantryError('system', 'ROOT_UNUSABLE', `cannot use the root ${root} (--root): ${messageOf(error)}`, {
    cause: error,
    hint,
  });
}
