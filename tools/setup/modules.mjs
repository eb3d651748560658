// Owns the npm packages and which Node runs Gantry: the machine's own when it is new enough, else the one of the lock file.

import { spawnSync } from 'node:child_process';
import { existsSync, mkdirSync, readFileSync, rmSync, symlinkSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { busy, done, run, SetupFailure } from './step.mjs';

const OLDEST_NODE = 24;
const readJson = (path) => JSON.parse(readFileSync(path, 'utf8'));

/** Whether npm must have installed this lock entry here: needed on every machine, or made for this one. */
function belongsHere(entry) {
  if (!entry.optional) return true;
  const made = (for_, have) => for_ !== undefined && [for_].flat().includes(have);
  return made(entry.os, 'linux') && made(entry.cpu, process.arch) && ![entry.libc].flat().includes('musl');
}

/** Whether node_modules holds what the lock file names, by npm's own note of what it installed. */
function isCurrent(root) {
  const note = join(root, 'node_modules', '.package-lock.json');
  if (!existsSync(note)) return false;
  const have = readJson(note).packages;
  return Object.entries(readJson(join(root, 'package-lock.json')).packages)
    .filter(([path, entry]) => path !== '' && belongsHere(entry))
    .every(([path, entry]) => have[path]?.integrity === entry.integrity && existsSync(join(root, path)));
}

/** @throws SetupFailure when npm is missing or cannot install what the lock file names. */
export async function installModules(root) {
  if (isCurrent(root)) return done('npm packages');
  busy('Installing the npm packages of the lock file');
  // No install scripts: everything native comes ready-made in packages of its own.
  const installed = await run('npm', ['ci', '--ignore-scripts', '--no-audit', '--no-fund'], { cwd: root });
  if (installed.code === 127) throw new SetupFailure('npm is missing.', 'Install it: apt-get install npm');
  if (installed.code !== 0) {
    throw new SetupFailure(
      'npm could not install the packages of package-lock.json.',
      'See its words above.',
      installed.output,
    );
  }
  done('npm packages', 'installed');
}

/** The Node that runs Gantry: `{path, version}`. @throws SetupFailure when there is none that starts. */
export function chooseNode(root) {
  if (Number(process.versions.node.split('.')[0]) >= OLDEST_NODE)
    return { path: process.execPath, version: process.version };
  const path = join(root, 'node_modules', `node-linux-${process.arch}`, 'bin', 'node');
  const tried = spawnSync(path, ['--version'], { encoding: 'utf8' });
  if (tried.status === 0) return { path, version: tried.stdout.trim() };
  const complaint = (tried.error?.message ?? tried.stderr).trim().split('\n')[0];
  throw new SetupFailure(
    `Node ${OLDEST_NODE} or newer is needed, this is ${process.version}, and the one from npm does not start: ${complaint}`,
    `Install Node ${OLDEST_NODE} or newer, then run it again.`,
  );
}

/** Links the chosen Node where `bin/` and the documentation look for it. */
export function linkNode(root, node) {
  for (const link of [join(root, 'dist', 'node'), join(root, 'node_modules', 'node', 'bin', 'node')]) {
    if (spawnSync(link, ['--version'], { encoding: 'utf8' }).stdout?.trim() === node.version) continue;
    mkdirSync(dirname(link), { recursive: true });
    rmSync(link, { force: true });
    symlinkSync(node.path, link);
  }
  done(`Node ${node.version}`);
}
