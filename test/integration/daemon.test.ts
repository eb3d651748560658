// Owns the daemon as an administrator meets it: several side by side, and one clear line when it cannot start.

import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { busybox } from '../fixtures/busybox.ts';
import { freePort } from '../support/addresses.ts';
import { run } from '../support/commands.ts';
import { apiCall, startDaemon } from '../support/daemon.ts';
import { eventually } from '../support/patience.ts';

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

test('a reader of its log that goes away costs the lines and nothing else', async () => {
  const root = mkdtempSync(join(tmpdir(), `gantry-test-${process.env.GANTRY_TEST_RUN ?? 'dev'}-`));
  const socket = join(root, 'sock');
  const roots = ['--data-root', join(root, 'data'), '--exec-root', join(root, 'run'), '--pidfile', join(root, 'pid')];
  const args = [...roots, '--host', `unix://${socket}`, '--bridge', 'none', '--log-level', 'debug'];
  const child = spawn(GANTRYD, args, { stdio: ['ignore', 'pipe', 'pipe'], env: { ...process.env, ...env } });
  const ended = once(child, 'exit');
  try {
    child.stdout.destroy();
    child.stderr.once('data', () => child.stderr.destroy());
    await once(child.stderr, 'close');
    const ticks = (): number => {
      const fields = readFileSync(`/proc/${child.pid}/stat`, 'utf8').split(') ')[1]?.split(' ') ?? [];
      return Number(fields[11]) + Number(fields[12]);
    };
    const answered = async (): Promise<boolean> =>
      (await apiCall(socket, 'GET', '/containers/none/json').catch(() => undefined))?.status === 404;
    await eventually('an answer, which is logged', answered);
    const before = ticks();
    await sleep(1000);
    assert.ok(ticks() - before < 30, `${ticks() - before} ticks of processor time in a second`);
    assert.equal((await apiCall(socket, 'GET', '/info')).status, 200);
  } finally {
    child.kill('SIGTERM');
    const late = setTimeout(() => child.kill('SIGKILL'), 10_000);
    await ended;
    clearTimeout(late);
    rmSync(root, { recursive: true, force: true });
  }
  assert.equal(child.exitCode, 0, 'it ends in order');
});
