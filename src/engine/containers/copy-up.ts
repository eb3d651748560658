// Owns the first copy of an image's content into an empty volume. Resolves the image's path below its root only.

import { execFile } from 'node:child_process';
import { constants } from 'node:fs';
import { chmod, chown, open } from 'node:fs/promises';
import { promisify } from 'node:util';
import { libc } from '../../host/libc.ts';
import { openRooted, type Rooted } from '../../host/rooted/index.ts';
import { bytesOfText } from '../../lib/bytes.ts';
import { GantryError } from '../../lib/errors.ts';

const run = promisify(execFile);
const COPY_TIMEOUT_MS = 600_000;

/**
 * Copies what `path` holds below `rootfs` into the folder `target`, with owners, modes, times, links and xattrs, and gives
 * `target` the path's own owner and mode. A path that is absent or no directory copies nothing.
 * @throws VOLUME_COPY_FAILED
 */
export async function copyContent(rootfs: string, path: string, target: string): Promise<void> {
  using root: Rooted = openRooted(rootfs);
  const source = root.tryOpenDir(bytesOfText(path));
  if (source < 0) return;
  try {
    await copyFolder(source, target);
  } finally {
    libc.close(source);
  }
}

async function copyFolder(source: number, target: string): Promise<void> {
  // Reached by descriptor: no name in the hostile tree is resolved again.
  const from = `/proc/${process.pid}/fd/${source}`;
  await using folder = await open(from, constants.O_RDONLY | constants.O_DIRECTORY);
  const facts = await folder.stat();
  try {
    await run('cp', ['--archive', '--no-target-directory', '--', `${from}/.`, target], { timeout: COPY_TIMEOUT_MS });
  } catch (cause) {
    throw new GantryError(
      'system',
      'VOLUME_COPY_FAILED',
      `copying image content into the volume failed: ${String(cause)}`,
      { cause },
    );
  }
  await chown(target, facts.uid, facts.gid);
  await chmod(target, facts.mode & 0o7777);
}
