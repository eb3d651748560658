// Owns that the entry files work from anywhere.

import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { mkdtempSync, rmSync, symlinkSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { delimiter, join } from 'node:path';
import { test } from 'node:test';
import { fileURLToPath } from 'node:url';

const BIN = fileURLToPath(new URL('../bin', import.meta.url));
const env: NodeJS.ProcessEnv = { ...process.env, NODE_TEST_CONTEXT: undefined };
const say = (program: string, args: string[], more: { cwd?: string; env?: NodeJS.ProcessEnv } = {}) =>
  execFileSync(program, args, { encoding: 'utf8', env, ...more });

for (const name of ['gantry', 'gantryd']) {
  test(`${name} starts by its path, through links, by PATH, from any folder`, () => {
    const folder = mkdtempSync(join(tmpdir(), 'gantry-bin-'));
    try {
      symlinkSync(join(BIN, name), join(folder, 'first'));
      symlinkSync('first', join(folder, 'second'));
      const wanted = say(join(BIN, name), ['--version'], { cwd: '/' });
      assert.match(wanted, /^\S+ version \d+\.\d+/i);
      assert.equal(say(join(folder, 'second'), ['--version']), wanted);
      assert.equal(say('./second', ['--version'], { cwd: folder }), wanted);
      assert.equal(
        say(name, ['--version'], { cwd: '/', env: { ...env, PATH: `${BIN}${delimiter}${env.PATH}` } }),
        wanted,
      );
      assert.equal(say('sh', [name, '--version'], { cwd: BIN }), wanted);
    } finally {
      rmSync(folder, { recursive: true, force: true });
    }
  });
}
