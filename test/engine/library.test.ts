// Owns a program that runs containers in its own process and throws: it leaves none of them running, nor any for the next.

import assert from 'node:assert/strict';
import { mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { openEngine } from '../../src/index.ts';
import { busybox } from '../fixtures/busybox.ts';
import { run } from '../support/commands.ts';
import { eventually } from '../support/patience.ts';

const PROGRAM = `
  import { createReadStream } from 'node:fs';
  import { openEngine, run } from ${JSON.stringify(fileURLToPath(new URL('../../src/index.ts', import.meta.url)))};
  const [root, archive] = process.argv.slice(2);
  const engine = await openEngine({ root, bridge: 'none' });
  const [image] = await engine.images.load(createReadStream(archive), () => {}, AbortSignal.timeout(60_000));
  void run(engine, { image, command: ['sleep', '987654'], network: 'none' });
  for (;;) {
    const [view] = engine.containers.list({ all: false, filters: new Map() });
    if (view?.record.state.phase === 'running') throw new Error('a bug of the program, pid ' + view.record.state.pid);
    await new Promise((resolve) => setTimeout(resolve, 10));
  }
`;

test('a program that throws takes its container along', async () => {
  const root = mkdtempSync(join(tmpdir(), `gantry-test-${process.env.GANTRY_TEST_RUN ?? 'dev'}-`));
  try {
    const program = join(root, 'program.ts');
    writeFileSync(program, PROGRAM);
    const said = await run(process.execPath, [program, root, (await busybox()).archive], {
      env: { NODE_TEST_CONTEXT: undefined },
    });
    assert.equal(said.code, 1);
    const pid = /a bug of the program, pid (\d+)/.exec(said.stderr)?.[1];
    assert.ok(pid, said.stderr);
    await eventually('the end of its process', () => !readdirSync('/proc').includes(pid));
    await using engine = await openEngine({ root, bridge: 'none' });
    await eventually('no container', () => engine.containers.list({ all: true, filters: new Map() }).length === 0);
  } finally {
    rmSync(root, { recursive: true, force: true });
  }
});
