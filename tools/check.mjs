#!/usr/bin/env node
// Owns the gate that needs no root and no container: types, lint and format, layers, sizes, unused code, generated types; as `npm run check` also
// the unit tests. Plain JavaScript for Node 18. Installs nothing.

import { spawnSync } from 'node:child_process';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { chooseNode } from './setup/modules.mjs';
import { complain, done, run, SetupFailure } from './setup/step.mjs';

const ROOT = dirname(dirname(fileURLToPath(import.meta.url)));

/** Name → arguments for the chosen Node, run in ROOT. */
const CHECKS = {
  Types: ['node_modules/typescript/bin/tsc', '-p', '.', '--noEmit'],
  'Lint and format': ['node_modules/@biomejs/biome/bin/biome', 'check', '.'],
  Layers: ['tools/layers.ts'],
  Sizes: ['tools/sizes.ts'],
  'Unused code': ['node_modules/knip/bin/knip.js', '--no-progress'],
  'Error codes': ['tools/error-codes.ts'],
  'API routes': ['tools/api-routes.ts'],
  'Generated types': ['tools/generate-docker-types.ts', '--check'],
};

/** Runs every check, whatever the others say. @throws SetupFailure naming those that failed, with their words. */
export async function check(node) {
  const results = await Promise.all(
    Object.entries(CHECKS).map(async ([name, args]) => ({ name, ...(await run(node, args, { cwd: ROOT })) })),
  );
  const failed = results.filter((result) => result.code !== 0);
  for (const result of results) if (result.code === 0) done(result.name);
  if (failed.length > 0) {
    const detail = failed.map((result) => `── ${result.name}\n${result.output}`).join('\n');
    throw new SetupFailure(
      `Failed: ${failed.map((result) => result.name).join(', ')}.`,
      'Try: npx biome check --write',
      detail,
    );
  }
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  try {
    const node = chooseNode(ROOT).path;
    await check(node);
    const tests = spawnSync(node, ['--test', join(ROOT, 'src/**/*.test.ts'), join(ROOT, 'tools/**/*.test.ts')], {
      stdio: 'inherit',
    });
    process.exitCode = tests.status ?? 1;
  } catch (error) {
    complain(error);
    process.exitCode = 1;
  }
}
