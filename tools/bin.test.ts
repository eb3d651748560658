// Owns that the entry files work from anywhere.

import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, rmSync, symlinkSync, utimesSync, writeFileSync } from 'node:fs';
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

const { handOverCall } = (await import(new URL('bundle.mjs', import.meta.url).href)) as {
  handOverCall(entry: string, inputs: readonly string[]): string;
};

test('in a checkout what was edited runs, not the bundle made before; an installed bundle looks at nothing', () => {
  const root = mkdtempSync(join(tmpdir(), 'gantry-bin-'));
  try {
    for (const folder of ['bin', 'dist', '.git']) mkdirSync(join(root, folder));
    const [bundle, source] = [join(root, 'dist/p.cjs'), join(root, 'bin/p.ts')];
    writeFileSync(source, "console.log('source', process.argv[2]);");
    writeFileSync(bundle, `${handOverCall('bin/p.ts', ['bin/p.ts', 'node_modules/x.js'])}console.log('bundle');`);
    const run = () => say(process.execPath, ['--disable-warning=ExperimentalWarning', bundle, '--env-file']).trim();
    assert.equal(run(), 'bundle');
    const later = Date.now() / 1000 + 10;
    utimesSync(source, later, later);
    assert.equal(run(), 'source --env-file');
    rmSync(join(root, '.git'), { recursive: true });
    assert.equal(run(), 'bundle');
  } finally {
    rmSync(root, { recursive: true, force: true });
  }
});
