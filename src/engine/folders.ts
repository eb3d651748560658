// Owns the engine's folders and their first making. See docs/architecture.md for the picture.

import { randomUUID } from 'node:crypto';
import { statfs, symlink, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { makeFolders as makePath } from '../lib/make-folders.ts';
import type { Database } from '../store/database.ts';

export interface Folders {
  readonly content: string;
  readonly layers: string;
  readonly containers: string;
  readonly volumes: string;
  readonly shims: string;
  /** Lies over every image: mount points that images may lack, and /.dockerenv. */
  readonly initLayer: string;
  /** Docker's word for the data root's file system. */
  readonly backingFilesystem: string;
}

/** Makes what is missing. Only root may look into any of it: images carry setuid programs. */
export async function makeFolders(dataRoot: string, execRoot: string): Promise<Folders> {
  const make = async (...parts: string[]): Promise<string> => {
    const dir = join(...parts);
    await makePath(dir, 0o710);
    return dir;
  };
  await make(dataRoot);
  await make(execRoot);
  return {
    content: await make(dataRoot, 'content'),
    layers: await make(dataRoot, 'layers'),
    containers: await make(dataRoot, 'containers'),
    volumes: await make(dataRoot, 'volumes'),
    shims: await make(execRoot, 'shims'),
    initLayer: await makeInitLayer(join(dataRoot, 'init-layer')),
    backingFilesystem: FILESYSTEMS.get(Number((await statfs(dataRoot)).type)) ?? 'unknown',
  };
}

/** @source statfs(2) */
const FILESYSTEMS: ReadonlyMap<number, string> = new Map([
  [0xef53, 'extfs'],
  [0x58465342, 'xfs'],
  [0x9123683e, 'btrfs'],
  [0x01021994, 'tmpfs'],
  [0x2fc12fc1, 'zfs'],
]);

/** @source the mount points that dockerd 28.5 makes in each container's own layer */
const INIT_FOLDERS = ['dev/pts', 'dev/shm', 'etc', 'proc', 'sys'];
const INIT_FILES = ['.dockerenv', 'dev/console', 'etc/hosts', 'etc/hostname', 'etc/resolv.conf'];

async function makeInitLayer(dir: string): Promise<string> {
  for (const folder of INIT_FOLDERS) await makePath(join(dir, folder), 0o755);
  for (const file of INIT_FILES) await writeFile(join(dir, file), '', { mode: 0o755 });
  await symlink('/proc/mounts', join(dir, 'etc/mtab')).catch(ifNot('EEXIST'));
  return dir;
}

function ifNot(code: string): (error: NodeJS.ErrnoException) => void {
  return (error) => {
    if (error.code !== code) throw error;
  };
}

/** The engine's id, made once and kept. */
export function engineId(db: Database): string {
  db.migrate({ name: 'engine', steps: ['CREATE TABLE engine (id TEXT NOT NULL) STRICT'] });
  const known = db.sql('SELECT id FROM engine').get();
  if (known) return String(known.id);
  const id = randomUUID();
  db.sql('INSERT INTO engine VALUES (?)').run(id);
  return id;
}
