#!/usr/bin/env node
// Owns `npm run bench`: the set-up, then the benchmark in the Node that set-up chose. Measures nothing itself.

import { spawnSync } from 'node:child_process';
import { join } from 'node:path';
import { complain } from './setup/step.mjs';
import { ROOT, setup } from './setup.mjs';

try {
  const node = await setup({ tests: true });
  const args = ['--disable-warning=ExperimentalWarning', join(ROOT, 'bench/main.ts'), ...process.argv.slice(2)];
  process.exitCode = spawnSync(node, args, { stdio: 'inherit' }).status ?? 1;
} catch (error) {
  complain(error);
  process.exitCode = 1;
}
