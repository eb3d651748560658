// Owns reading this process's mount table: on which mount a path lies, and whether mounts below it travel. Mounts nothing.

import { readFile, realpath } from 'node:fs/promises';

/** The mount that a path lies on. */
export interface MountPlace {
  readonly mountPoint: string;
  /** Mounts made there show up in its peers, and theirs there. */
  readonly isShared: boolean;
  /** Mounts made in its master show up there. */
  readonly isSlave: boolean;
}

/** @throws NodeJS.ErrnoException when the path is not there */
export async function mountOf(path: string): Promise<MountPlace> {
  const [real, table] = await Promise.all([realpath(path), readFile('/proc/self/mountinfo', 'utf8')]);
  return findMount(real, table);
}

/** Of mounts on one place the last counts. @source proc_pid_mountinfo(5) */
export function findMount(path: string, mountinfo: string): MountPlace {
  let found: MountPlace = { mountPoint: '/', isShared: false, isSlave: false };
  for (const line of mountinfo.split('\n')) {
    const [, , , , escaped, , ...rest] = line.split(' ');
    if (escaped === undefined) continue;
    const mountPoint = unescapeOctal(escaped);
    const holds = path === mountPoint || path.startsWith(mountPoint === '/' ? '/' : `${mountPoint}/`);
    if (!holds || mountPoint.length < found.mountPoint.length) continue;
    const tags = rest.slice(0, rest.indexOf('-'));
    found = {
      mountPoint,
      isShared: tags.some((tag) => tag.startsWith('shared:')),
      isSlave: tags.some((tag) => tag.startsWith('master:')),
    };
  }
  return found;
}

/** A path of the table as it is. */
export function unescapeOctal(text: string): string {
  return text.replace(/\\([0-7]{3})/g, (_, digits: string) => String.fromCharCode(Number.parseInt(digits, 8)));
}
