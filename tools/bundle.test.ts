// Pins that bundling leaves nothing running: `npm start` bundles first and then stays.

import assert from 'node:assert/strict';
import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';

const { bundle } = (await import(new URL('bundle.mjs', import.meta.url).href)) as {
  bundle(root: string): Promise<readonly string[]>;
};

/** Children of this process, by the name of their program. */
function children(): string[] {
  return readdirSync('/proc/self/task').flatMap((task) =>
    readFileSync(`/proc/self/task/${task}/children`, 'utf8')
      .split(' ')
      .filter(Boolean)
      .map((pid) => readFileSync(`/proc/${pid}/comm`, 'utf8').trim()),
  );
}

test('the bundler ends with its work', async () => {
  const root = mkdtempSync(join(tmpdir(), 'gantry-bundle-'));
  try {
    for (const folder of ['bin', 'dist', 'src']) mkdirSync(join(root, folder));
    for (const name of ['gantry', 'gantryd', 'gantry-registry']) {
      writeFileSync(join(root, 'bin', `${name}.ts`), `console.log('${name}');`);
    }
    assert.ok((await bundle(root)).includes('gantry.cjs'));
    for (let tries = 0; tries < 100 && children().length > 0; tries++) await sleep(50);
    assert.deepEqual(children(), []);
  } finally {
    rmSync(root, { recursive: true, force: true });
  }
});
