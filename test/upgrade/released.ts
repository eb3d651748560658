// Owns a checkout of the last released program beside this one: its source out of the history, its shim and bundles made anew.

import { existsSync, mkdirSync, mkdtempSync, rmSync, symlinkSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { must, run } from '../support/commands.ts';

const ROOT = fileURLToPath(new URL('../..', import.meta.url));

/** Moves on with every release: its roots and its live shims are what users have. */
const RELEASED = '56bfa49';

const BUILD = `import('./tools/setup/build.mjs').then(async (build) => {
  await build.buildShim(process.cwd());
  await build.buildBundles(process.cwd());
});`;

export interface Released extends Disposable {
  readonly gantryd: string;
}

/** Why there is none: a clone without history; undefined when there is. */
export async function noReleased(): Promise<string | undefined> {
  const { code } = await run('git', ['-C', ROOT, 'cat-file', '-e', `${RELEASED}^{commit}`]);
  return code === 0 ? undefined : `this clone has no history: ${RELEASED} is missing`;
}

/** Makes the checkout; disposing removes it. @throws Error with the words of what failed */
export async function buildReleased(): Promise<Released> {
  const folder = mkdtempSync(join(tmpdir(), 'gantry-released-'));
  const archive = join(folder, 'source.tar');
  await must('git', ['-C', ROOT, 'archive', '--format=tar', '-o', archive, RELEASED]);
  await must('tar', ['-xf', archive, '-C', folder]);
  symlinkSync(join(ROOT, 'node_modules'), join(folder, 'node_modules'));
  mkdirSync(join(folder, 'dist'), { recursive: true });
  if (!existsSync(join(folder, 'dist', 'node'))) symlinkSync(join(ROOT, 'dist', 'node'), join(folder, 'dist', 'node'));
  await must(join(ROOT, 'dist', 'node'), ['-e', BUILD], { cwd: folder });
  return {
    gantryd: join(folder, 'bin', 'gantryd'),
    [Symbol.dispose]: () => rmSync(folder, { recursive: true, force: true }),
  };
}
