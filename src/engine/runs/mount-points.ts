// Owns making the places that mounts are put at where they are links into nothing, which crun does not follow. Leaves all other
// places to the runtime.

import { posix } from 'node:path';
import { errno, libc, must, O_CLOEXEC, O_CREAT, O_EXCL, O_NOFOLLOW, O_WRONLY, SystemError } from '../../host/libc.ts';
import { ParentDirs, type Rooted } from '../../host/rooted/index.ts';
import { type ByteString, bytesOfText, cstringOf } from '../../lib/bytes.ts';
import type { BundleMount } from '../../runtime/bundle/index.ts';
import type { ContainerRecord } from '../containers/types.ts';

/** As many as the kernel follows. @source path_resolution(7) */
const MOST_LINKS = 40;
const MODE = 0o755;

interface Place {
  readonly path: string;
  readonly isDirectory: boolean;
}

/** Makes missing mount points and the working directory of a container below `root`, its root file system. @throws SystemError */
export function makeMountPoints(root: Rooted, { config }: ContainerRecord, mounts: readonly BundleMount[]): void {
  const places: readonly Place[] = [
    ...mounts.map(({ destination, sourceIsDirectory }) => ({ path: destination, isDirectory: sourceIsDirectory })),
    ...(config.WorkingDir ? [{ path: config.WorkingDir, isDirectory: true }] : []),
  ];
  for (const place of places) {
    // Below another mount it is that one's content that counts.
    const isBelowMount = mounts.some(({ destination }) => place.path.startsWith(`${destination}/`));
    if (isBelowMount || exists(root, place.path)) continue;
    const target = danglingTarget(root, place.path);
    if (target !== undefined) make(root, target, place.isDirectory);
  }
}

function exists(root: Rooted, path: string): boolean {
  return typeAt(root, bytesOfText(path), true) !== undefined;
}

/** undefined = nothing there. Whatever else is wrong is the runtime's to say. */
function typeAt(root: Rooted, path: ByteString, follow: boolean): string | undefined {
  try {
    return root.stat(path, { follow }).type;
  } catch (error) {
    if (!(error instanceof SystemError)) throw error;
    return error.errno === errno.ENOENT ? undefined : 'unknown';
  }
}

/** Where `path` leads when links on its way end in nothing; undefined when there is no such link. */
function danglingTarget(root: Rooted, path: string): ByteString | undefined {
  const rest = bytesOfText(path).split('/');
  let done: string[] = [];
  let links = 0;
  while (rest.length > 0) {
    const part = rest.shift() ?? '';
    if (part === '' || part === '.') continue;
    if (part === '..') {
      done.pop();
      continue;
    }
    const here = [...done, part].join('/') as ByteString;
    const type = typeAt(root, here, false);
    if (type === undefined) {
      const target = posix.normalize(`/${[here, ...rest].join('/')}`).slice(1);
      return links === 0 ? undefined : (target as ByteString);
    }
    if (type !== 'symlink') {
      done.push(part);
      continue;
    }
    if (++links > MOST_LINKS) return undefined;
    const target = root.readLink(here);
    if (target.startsWith('/')) done = [];
    rest.unshift(...target.split('/'));
  }
  return undefined;
}

function make(root: Rooted, target: ByteString, isDirectory: boolean): void {
  using parents = new ParentDirs(root);
  const path = target.replace(/\/$/, '') as ByteString;
  if (isDirectory) {
    parents.get(path);
    return;
  }
  const slash = path.lastIndexOf('/');
  const parent = parents.get(path.slice(0, Math.max(0, slash)) as ByteString);
  const name = cstringOf(path.slice(slash + 1) as ByteString);
  const flags = O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC;
  libc.close(must(libc.openat(parent, name, flags, MODE), 'openat', name));
}
