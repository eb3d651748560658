// Owns what is compiled here: the shim (C) and the bundles (TypeScript), each only when older than its source.

import { existsSync, readdirSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { bundle, isStale as isBundleStale } from '../bundle.mjs';
import { busy, done, run, SetupFailure } from './step.mjs';

/** Whether the shim must be compiled. */
export function isShimStale(root) {
  const made = join(root, 'shim', 'build', 'gantry-shim');
  if (!existsSync(made)) return true;
  const source = join(root, 'shim', 'src');
  const files = [join(root, 'shim', 'Makefile'), ...readdirSync(source).map((name) => join(source, name))];
  return files.some((path) => statSync(path).mtimeMs > statSync(made).mtimeMs);
}

/** @throws SetupFailure when the compiler refuses. */
export async function buildShim(root) {
  if (!isShimStale(root)) return done('Shim');
  busy('Compiling the shim');
  const made = await run('make', ['-C', join(root, 'shim')]);
  if (made.code !== 0)
    throw new SetupFailure('The shim did not compile.', 'See the words of make above; try: make -C shim', made.output);
  done('Shim', 'compiled');
}

/** @throws SetupFailure when esbuild refuses the source. */
export async function buildBundles(root) {
  if (!isBundleStale(root)) return done('Bundles');
  busy('Bundling the command line and the daemon');
  try {
    const names = await bundle(root);
    done('Bundles', names.join(', '));
  } catch (error) {
    throw new SetupFailure(
      'The bundles could not be built.',
      'See the words of esbuild above; try: npm run check',
      String(error.message ?? error),
    );
  }
}
