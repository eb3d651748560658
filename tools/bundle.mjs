// Owns the step from the TypeScript source to what users run: dist/gantry.cjs, dist/gantryd.cjs, dist/gantry-registry.cjs and the daemon's workers.
// Plain JavaScript for Node 18. Leaves packages with native code (koffi) outside the bundles.
//
// CommonJS, and Node's own modules loaded at first use, because both halve the start: `gantry --version` 66 → 27 ms of CPU.

import { existsSync, mkdirSync, readdirSync, renameSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { basename, join, relative } from 'node:path';

const ENTRIES = ['bin/gantry.ts', 'bin/gantryd.ts', 'bin/gantry-registry.ts'];
const EXTERNAL = ['koffi', 'esbuild', '@node-rs/bcrypt', '@aws-sdk/client-s3', 'prom-client', 'jose'];
/** What stands for `import.meta` in CommonJS. */
const META = {
  define: { 'import.meta.url': '__metaUrl', 'import.meta.dirname': '__dirname', 'import.meta.main': 'false' },
  banner: { js: "const __metaUrl = require('node:url').pathToFileURL(__filename).href;" },
};

function* filesUnder(folder) {
  for (const entry of readdirSync(folder, { withFileTypes: true })) {
    const path = join(folder, entry.name);
    if (entry.isDirectory()) yield* filesUnder(path);
    else yield path;
  }
}

const bundleName = (entry) => `${basename(entry, '.ts')}.cjs`;

/** Whether a bundle is missing or older than a source file. */
export function isStale(root) {
  const made = ENTRIES.map((entry) => join(root, 'dist', bundleName(entry)));
  if (!made.every((path) => existsSync(path))) return true;
  const since = Math.min(...made.map((path) => statSync(path).mtimeMs));
  const sources = ['package-lock.json', 'tools/bundle.mjs', ...ENTRIES].map((name) => join(root, name));
  for (const path of [...sources, ...filesUnder(join(root, 'src'))]) if (statSync(path).mtimeMs > since) return true;
  return false;
}

const BUILTIN = /^(\s*)(?:var )?(import_\w+) = ((?:__toESM\()?require\("node:[\w/]+"\)(?:, 1\))?);$/gm;

/**
 * Makes every module of Node's own load at its first use: `import_x = require("node:x")` goes, `import_x.f` becomes
 * `lazy_x().f` (and `new import_x.F()` `new (lazy_x()).F()`). A module whose name is also used bare stays as it is.
 */
export function loadLazily(text) {
  const modules = new Map();
  for (const [, , name, load] of text.matchAll(BUILTIN)) modules.set(name, load);
  for (const [name] of modules) {
    const uses = text.match(new RegExp(`\\b${name}\\b(?!\\.)`, 'g')) ?? [];
    const known = text.match(new RegExp(`\\b${name} = |\\bvar [\\w$, ]*\\b${name}\\b[\\w$, ]*;`, 'g')) ?? [];
    if (uses.length > known.length) modules.delete(name);
  }
  const rest = text
    .replace(BUILTIN, (line, indent, name) => (modules.has(name) ? `${indent};` : line))
    .replace(/\b(new )?(import_\w+)\./g, (use, isNew, name) => {
      if (!modules.has(name)) return use;
      const call = `${name.replace('import_', 'lazy_')}()`;
      return isNew ? `new (${call}).` : `${call}.`;
    });
  const loaders = [...modules].map(([name, load]) => {
    const kept = name.replace('import_', 'kept_');
    return `let ${kept};function ${name.replace('import_', 'lazy_')}(){return ${kept}??=${load}}`;
  });
  return `${loaders.join('\n')}\n${rest}`;
}

/** Common options: one file, readable function names in stack traces. */
const OPTIONS = {
  bundle: true,
  platform: 'node',
  target: 'node24',
  external: EXTERNAL,
  legalComments: 'none',
  logLevel: 'silent',
};

/**
 * In a checkout a bundle that is older than a source of its own hands the process to the source: whoever edits a file runs what
 * was edited. One look at each source costs a quarter of a `find` over all of them.
 */
function handOver({ entry, sources, root, file, fs, process }) {
  if (!fs.existsSync(`${root}/.git`)) return;
  const madeMs = fs.statSync(file).mtimeMs;
  const isNewer = (source) => {
    const facts = fs.statSync(`${root}/${source}`, { throwIfNoEntry: false });
    return facts === undefined || facts.mtimeMs > madeMs;
  };
  if (!sources.some(isNewer)) return;
  const { execPath, execArgv, argv } = process;
  process.execve(execPath, [execPath, ...execArgv, '--', `${root}/${entry}`, ...argv.slice(2)]);
}

/** The call of `handOver` that a bundle begins with. */
export function handOverCall(entry, inputs) {
  const sources = JSON.stringify(inputs.filter((path) => !path.startsWith('node_modules/')).sort());
  const facts = `entry:${JSON.stringify(entry)},sources:${sources},root:__dirname+'/..',file:__filename,fs:require('node:fs'),process`;
  return `(${handOver})({${facts}});\n`;
}

async function buildEntry(esbuild, root, entry, out) {
  const options = { ...OPTIONS, ...META, absWorkingDir: root, entryPoints: [entry], format: 'cjs', write: false };
  const { outputFiles, metafile } = await esbuild.build({ ...options, metafile: true });
  const text = handOverCall(entry, Object.keys(metafile.inputs)) + loadLazily(outputFiles[0].text);
  const { code } = await esbuild.transform(text, {
    minifyWhitespace: true,
    minifySyntax: true,
    target: 'node24',
    legalComments: 'none',
  });
  writeFileSync(join(out, bundleName(entry)), code);
}

/** `x.worker.ts` becomes `dist/x.worker.js`, a module beside the bundle that starts it. */
async function buildWorkers(esbuild, root, out) {
  const workers = [...filesUnder(join(root, 'src'))].filter((path) => path.endsWith('.worker.ts'));
  const entryPoints = workers.map((path) => ({ in: relative(root, path), out: basename(path, '.ts') }));
  const banner = { js: "import{createRequire as __cr}from'node:module';const require=__cr(import.meta.url);" };
  await esbuild.build({
    ...OPTIONS,
    absWorkingDir: root,
    entryPoints,
    outdir: out,
    format: 'esm',
    banner,
    minifySyntax: true,
  });
}

/** Builds all bundles; their names. Each is renamed into place, so a running `bin/gantry` never sees half of one. */
export async function bundle(root) {
  const esbuild = await import('esbuild');
  const dist = join(root, 'dist');
  const fresh = join(dist, `.new-${process.pid}`);
  mkdirSync(fresh, { recursive: true });
  try {
    await buildWorkers(esbuild, root, fresh);
    for (const entry of ENTRIES) await buildEntry(esbuild, root, entry, fresh);
    const names = readdirSync(fresh);
    for (const name of names) renameSync(join(fresh, name), join(dist, name));
    return names;
  } finally {
    rmSync(fresh, { recursive: true, force: true });
    // Its helper process, 57 MB, would live as long as this one.
    await esbuild.stop();
  }
}
