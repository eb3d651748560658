// Owns small throwaway disks: ext4 in a file, mounted by a loop device.

import { mkdirSync, mkdtempSync, rmSync, truncateSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { must } from './commands.ts';

export interface SmallDisk extends AsyncDisposable {
  readonly path: string;
}

/** A disk of `mebibytes`, empty, mounted at `path`. */
export async function smallDisk(mebibytes: number): Promise<SmallDisk> {
  const root = mkdtempSync(join(tmpdir(), `gantry-test-${process.env.GANTRY_TEST_RUN ?? 'dev'}-disk-`));
  const image = join(root, 'image');
  const path = join(root, 'disk');
  writeFileSync(image, '');
  truncateSync(image, mebibytes * 1024 * 1024);
  await must('mkfs.ext4', ['-q', '-F', '-m', '0', image]);
  mkdirSync(path);
  await must('mount', ['-o', 'loop', image, path]);
  return {
    path,
    async [Symbol.asyncDispose]() {
      await must('umount', [path]);
      rmSync(root, { recursive: true, force: true });
    },
  };
}
