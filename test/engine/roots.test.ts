// Owns that a root belongs to one engine at a time, whoever asks for it and by whatever way.

import assert from 'node:assert/strict';
import { rmSync, symlinkSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { openEngine } from '../../src/library/open.ts';
import { busybox } from '../fixtures/busybox.ts';
import { run } from '../support/commands.ts';
import { startDaemon } from '../support/daemon.ts';

const GANTRYD = fileURLToPath(new URL('../../bin/gantryd', import.meta.url));

test('a second daemon on a taken root is refused at once, in one line, and harms nothing', async () => {
  await using daemon = await startDaemon();
  await daemon.load((await busybox()).archive);
  const ran = await daemon.gantry('run', '-d', '--name', 'kept', 'busybox', 'sleep', '1000');
  assert.equal(ran.code, 0, ran.stderr);
  const link = join(daemon.root, 'link');
  symlinkSync(daemon.dataRoot, link);
  const own = (name: string): string => join(daemon.root, `other-${name}`);
  const cases: Record<string, [data: string, exec: string]> = {
    'the data root': [daemon.dataRoot, own('exec')],
    'the data root by another path': [link, own('exec')],
    'the exec root': [own('data'), daemon.execRoot],
  };
  for (const [what, [data, exec]] of Object.entries(cases)) {
    const roots = ['--data-root', data, '--exec-root', exec, '--pidfile', own('pid')];
    const args = [...roots, '--host', `unix://${own('sock')}`, '--bridge', 'none'];
    const said = await run(GANTRYD, args, { env: { NODE_TEST_CONTEXT: undefined }, timeoutMs: 15_000 });
    assert.equal(said.code, 1, `${what}: ${said.stderr}`);
    assert.match(said.stderr, /^gantryd: the (data|exec) root \S+ is in use by another process \(PID \d+\)[^\n]*\n$/);
  }
  for (const name of ['exec', 'data']) rmSync(own(name), { recursive: true, force: true });
  const inside = await daemon.gantry('exec', 'kept', 'echo', 'unharmed');
  assert.equal(inside.stdout, 'unharmed\n', inside.stderr);
});

test('a program cannot open what a daemon has open, and can when it has ended', async () => {
  await using daemon = await startDaemon();
  const roots = { dataRoot: daemon.dataRoot, execRoot: daemon.execRoot, bridge: 'none' };
  await assert.rejects(openEngine(roots), { code: 'ROOT_TAKEN' });
  assert.equal((await daemon.api('GET', '/_ping')).status, 200);
  await daemon.kill9();
  await using engine = await openEngine(roots);
  assert.deepEqual(engine.containers.list({ all: true, filters: new Map() }), []);
});
