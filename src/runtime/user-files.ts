// Owns reading a container's own passwd and group files, which are hostile.

import { SystemError } from '../host/libc.ts';
import type { Rooted } from '../host/rooted/index.ts';
import { bytesOfText } from '../lib/bytes.ts';
import { GantryError, isGantryError } from '../lib/errors.ts';
import type { UserFiles } from './user.ts';

const MOST_BYTES = 4 * 1024 * 1024;

/**
 * The two files' text; an absent one is empty, and so is one that is a mount: as in Docker, users are those of the image and of the
 * container's own layer. @source dockerd 28.5: exec -u with a bind-mounted /etc/passwd
 * @throws USER_FILES when one is not a plain file of bounded size */
export function readUserFiles(root: Rooted): UserFiles {
  return { passwd: readText(root, '/etc/passwd'), group: readText(root, '/etc/group') };
}

function readText(root: Rooted, path: string): string {
  try {
    return root.readFile(bytesOfText(path), MOST_BYTES, { sameMount: true }).toString();
  } catch (error) {
    if (error instanceof SystemError) return '';
    if (isGantryError(error))
      throw new GantryError('invalid', 'USER_FILES', `cannot read the container's ${path}: ${error.message}`);
    throw error;
  }
}
