// Owns the step from the TypeScript source to what users run: dist/gantry.js, dist/gantryd.js and the daemon's workers.
// Plain JavaScript for Node 18. Leaves packages with native code (koffi) outside the bundles.

import { existsSync, mkdirSync, readdirSync, readFileSync, renameSync, rmSync, statSync } from 'node:fs';
import { basename, dirname, join, relative, resolve } from 'node:path';

const ENTRIES = ['bin/gantry.ts', 'bin/gantryd.ts'];
const EXTERNAL = ['koffi', 'esbuild'];
const URL_OF_FILE = /new URL\(\s*(['"])(\.[^'"]*)\1\s*,\s*import\.meta\.url\s*\)/g;

function* filesUnder(folder) {
  for (const entry of readdirSync(folder, { withFileTypes: true })) {
    const path = join(folder, entry.name);
    if (entry.isDirectory()) yield* filesUnder(path);
    else yield path;
  }
}

/** Whether a bundle is missing or older than a source file. */
export function isStale(root) {
  const made = ENTRIES.map((entry) => join(root, 'dist', `${basename(entry, '.ts')}.js`));
  if (!made.every((path) => existsSync(path))) return true;
  const since = Math.min(...made.map((path) => statSync(path).mtimeMs));
  const sources = [
    join(root, 'package-lock.json'),
    join(root, 'tools', 'bundle.mjs'),
    ...ENTRIES.map((entry) => join(root, entry)),
  ];
  for (const path of [...sources, ...filesUnder(join(root, 'src'))]) if (statSync(path).mtimeMs > since) return true;
  return false;
}

/** A name in dist for a worker: its path in src with dashes, so that no two collide. */
const workerName = (root, path) => relative(join(root, 'src'), path).replace(/\.ts$/, '').replace(/[\\/]/g, '-');

/**
 * Rewrites `new URL('./x', import.meta.url)`, because a bundle lies elsewhere than its source: a TypeScript file becomes
 * a worker bundle beside it (added to `workers`), anything else keeps its place in the package.
 */
function rebase(root, workers) {
  return {
    name: 'rebase-urls',
    setup(build) {
      build.onLoad({ filter: /\/(src|bin)\/.*\.ts$/ }, ({ path }) => {
        const contents = readFileSync(path, 'utf8').replace(URL_OF_FILE, (_, _quote, target) => {
          const file = resolve(dirname(path), target);
          const folder = /[\\/]$/.test(target) ? '/' : '';
          if (!file.endsWith('.ts'))
            return `new URL('${relative(join(root, 'dist'), file)}${folder}', import.meta.url)`;
          workers.add(file);
          return `new URL('./${workerName(root, file)}.js', import.meta.url)`;
        });
        return { contents, loader: 'ts', resolveDir: dirname(path) };
      });
    },
  };
}

async function build(esbuild, root, out, entryPoints, workers) {
  await esbuild.build({
    absWorkingDir: root,
    entryPoints,
    outdir: out,
    bundle: true,
    platform: 'node',
    target: 'node24',
    format: 'esm',
    external: EXTERNAL,
    minifySyntax: true,
    minifyWhitespace: true,
    keepNames: false,
    sourcemap: 'linked',
    legalComments: 'none',
    banner: { js: "import{createRequire as __cr}from'node:module';const require=__cr(import.meta.url);" },
    plugins: [rebase(root, workers)],
    logLevel: 'silent',
  });
}

/** Builds all bundles; the names made. Every file appears whole (renamed into place), so a running `bin/gantry` never sees half of one. */
export async function bundle(root) {
  const esbuild = await import('esbuild');
  const dist = join(root, 'dist');
  const fresh = join(dist, `.new-${process.pid}`);
  mkdirSync(fresh, { recursive: true });
  try {
    const workers = new Set();
    await build(
      esbuild,
      root,
      fresh,
      ENTRIES.map((entry) => ({ in: entry, out: basename(entry, '.ts') })),
      workers,
    );
    const seen = new Set();
    while (seen.size < workers.size) {
      const next = [...workers].filter((path) => !seen.has(path));
      for (const path of next) seen.add(path);
      await build(
        esbuild,
        root,
        fresh,
        next.map((path) => ({ in: path, out: workerName(root, path) })),
        workers,
      );
    }
    const names = readdirSync(fresh);
    for (const name of names.filter((name_) => !ENTRIES.includes(`bin/${name_.replace(/\.js$/, '.ts')}`)))
      renameSync(join(fresh, name), join(dist, name));
    for (const entry of ENTRIES) {
      const name = `${basename(entry, '.ts')}.js`;
      if (existsSync(join(fresh, name))) renameSync(join(fresh, name), join(dist, name));
    }
    return names.filter((name) => name.endsWith('.js'));
  } finally {
    rmSync(fresh, { recursive: true, force: true });
  }
}
