#!/usr/bin/env node
// Owns the set-up of a machine: `npm run setup`. Safe to repeat, quick when nothing is to do. Plain JavaScript for Node 18,
// because it runs before anything is installed. Starts no engine.

import { dirname } from 'node:path';
import { fileURLToPath } from 'node:url';
import { buildBundles, buildShim, isShimStale } from './setup/build.mjs';
import { checkMachine } from './setup/machine.mjs';
import { chooseNode, installModules, linkNode } from './setup/modules.mjs';
import { installPackages } from './setup/packages.mjs';
import { complain, say } from './setup/step.mjs';

export const ROOT = dirname(dirname(fileURLToPath(import.meta.url)));
export const DATA_ROOT = '/var/lib/gantry';

/** Sets the machine up; answers the Node to run Gantry with. @throws SetupFailure naming exactly what is missing. */
export async function setup({ tests = false } = {}) {
  checkMachine(DATA_ROOT);
  await installPackages({ shim: isShimStale(ROOT), tests });
  await installModules(ROOT);
  const node = chooseNode(ROOT);
  linkNode(ROOT, node);
  await buildShim(ROOT);
  await buildBundles(ROOT);
  return node.path;
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  try {
    await setup({ tests: process.argv.includes('--tests') });
    say('Ready: bin/gantryd is the engine, bin/gantry the command line.');
  } catch (error) {
    complain(error);
    process.exitCode = 1;
  }
}
