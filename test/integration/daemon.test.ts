// Owns the daemon as an administrator meets it: several side by side, and one clear line when it cannot start.

import assert from 'node:assert/strict';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { busybox } from '../fixtures/busybox.ts';
import { freePort } from '../support/addresses.ts';
import { run } from '../support/commands.ts';
import { startDaemon } from '../support/daemon.ts';

const GANTRYD = fileURLToPath(new URL('../../bin/gantryd', import.meta.url));
const env = { NODE_TEST_CONTEXT: undefined };

test('two daemons run side by side, each with its own names, images and ports', async () => {
  await using one = await startDaemon();
  await using two = await startDaemon();
  const { archive } = await busybox();
  await one.load(archive);
  assert.equal((await two.gantry('images', '-q')).stdout, '', 'images are not shared');
  await two.load(archive);
  const serve = 'while :; do echo "HTTP/1.0 200 OK\n\n$NAME" | nc -l -p 80; done';
  for (const [daemon, name] of [
    [one, 'one'],
    [two, 'two'],
  ] as const) {
    const port = await freePort();
    const ran = await daemon.gantry(
      'run',
      '-d',
      '--name',
      'same',
      '-e',
      `NAME=${name}`,
      '-p',
      `${port}:80`,
      'busybox',
      'sh',
      '-c',
      serve,
    );
    assert.equal(ran.code, 0, ran.stderr);
    const said = await run('curl', [
      '-s',
      '--retry',
      '10',
      '--retry-all-errors',
      '--retry-delay',
      '0',
      `http://127.0.0.1:${port}/`,
    ]);
    assert.equal(said.stdout.trim(), name);
  }
});

test('what it cannot do it says in one line, with exit code 1', async () => {
  await using daemon = await startDaemon();
  const bad = join(daemon.root, 'bad.json');
  writeFileSync(bad, '{"hosts": ');
  const unknown = join(daemon.root, 'unknown.json');
  writeFileSync(unknown, '{"no-such-key": 1}');
  const other = [
    '--data-root',
    join(daemon.root, 'other'),
    '--exec-root',
    join(daemon.root, 'other-run'),
    '--bridge',
    'none',
  ];
  const socket = ['--host', `unix://${join(daemon.root, 'other.sock')}`, '--pidfile', join(daemon.root, 'other.pid')];
  const cases: Record<string, string[]> = {
    'an unknown flag': ['--no-such-flag'],
    'a file that is no JSON': ['--config-file', bad],
    'an unknown key': ['--config-file', unknown],
    'a taken socket': [...other, '--host', daemon.host, '--pidfile', join(daemon.root, 'other.pid')],
    'a taken bridge': [...other.slice(0, 4), ...socket, '--bridge', daemon.bridge],
    'a data root that can be no folder': [...other, ...socket, '--data-root', '/proc/no-such-folder'],
    'a taken data root': [
      ...socket,
      '--data-root',
      daemon.dataRoot,
      '--exec-root',
      join(daemon.root, 'other-run'),
      '--bridge',
      'none',
    ],
  };
  for (const [what, args] of Object.entries(cases)) {
    const said = await run(GANTRYD, args, { env, timeoutMs: 15_000 });
    assert.equal(said.code, 1, `${what}: ${said.code} ${said.stderr}`);
    const lines = said.stderr
      .trim()
      .split('\n')
      .filter((line) => !line.startsWith('time='));
    assert.equal(lines.length, 1, `${what}: ${said.stderr}`);
  }
  assert.equal((await daemon.api('GET', '/_ping')).status, 200, 'the first goes on');
});
