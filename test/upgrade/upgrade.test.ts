// Owns the promise to those who upgrade: roots and running containers of the last release go on under today's daemon, and going back is
// refused without harm.

import assert from 'node:assert/strict';
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { busybox } from '../fixtures/busybox.ts';
import { startDaemon } from '../support/daemon.ts';
import { eventually } from '../support/patience.ts';
import { buildReleased, noReleased } from './released.ts';

const TICKING = 'trap "exit 7" TERM; n=0; while :; do n=$((n+1)); echo tick $n; sleep 0.1; done';

test('containers of the last release run on, and everything about them works; the old program refuses to come back', {
  skip: await noReleased(),
}, async () => {
  using released = await buildReleased();
  await using daemon = await startDaemon({ program: released.gantryd });
  const today = join(import.meta.dirname, '../../bin/gantryd');
  // Whatever happens, the records are of today's form in the end.
  using _ = {
    [Symbol.dispose]: () => {
      daemon.program = today;
    },
  };
  const must = async (...args: string[]): Promise<string> => {
    const said = await daemon.gantry(...args);
    assert.equal(said.code, 0, `${args.join(' ')}: ${said.stderr}`);
    return said.stdout.trim();
  };
  const state = (name: string) => must('inspect', '-f', '{{.State.Status}} {{.State.ExitCode}}', name);
  await daemon.load((await busybox()).archive);
  await must('volume', 'create', '--label', 'a=b', 'kept');
  await must('run', '-d', '--name', 'ticking', '-v', 'kept:/data', '-l', 'x=y', 'busybox', 'sh', '-c', TICKING);
  await must('exec', 'ticking', 'sh', '-c', 'echo precious > /data/file');
  await must('run', '-dt', '--name', 'terminal', 'busybox', 'sh', '-c', 'sleep 1000');
  await must('create', '--name', 'waiting', 'busybox', 'echo', 'late');
  await daemon.gantry('run', '--name', 'ended', 'busybox', 'sh', '-c', 'echo output; exit 3');
  const ticks = async (): Promise<number> => Number((await must('logs', '--tail', '1', 'ticking')).split(' ')[1] ?? 0);
  const address = await must('inspect', '-f', '{{.NetworkSettings.IPAddress}}', 'ticking');
  const before = await ticks();

  await daemon.kill9();
  daemon.program = today;
  await daemon.start();

  assert.equal(await state('ticking'), 'running 0');
  await eventually('the log goes on', async () => (await ticks()) > before + 2);
  assert.equal((await must('logs', 'ticking')).split('\n').indexOf('tick 1'), 0, 'no line is lost');
  assert.equal(await must('exec', 'ticking', 'cat', '/data/file'), 'precious');
  assert.equal(await must('inspect', '-f', '{{.NetworkSettings.IPAddress}}', 'ticking'), address);
  assert.equal(await must('inspect', '-f', '{{index .Config.Labels "x"}}', 'ticking'), 'y');
  assert.equal(await must('volume', 'inspect', '-f', '{{index .Labels "a"}}', 'kept'), 'b');
  assert.equal(await state('ended'), 'exited 3');
  assert.equal(await must('logs', 'ended'), 'output');
  assert.equal(await must('start', '-a', 'waiting'), 'late');
  await must('kill', 'terminal');
  await eventually('its exit', async () => (await state('terminal')) === 'exited 137');
  assert.equal(await must('run', '--rm', 'busybox', 'echo', 'new'), 'new');
  assert.ok(existsSync(join(daemon.dataRoot, 'gantry.db.before-versions')), 'the records as they were are kept');

  await daemon.kill9();
  daemon.program = released.gantryd;
  const log = daemon.log().length;
  await assert.rejects(daemon.start());
  assert.match(daemon.log().slice(log), /already exists/, 'it had no better words yet for records of a newer program');
  daemon.program = today;
  await daemon.start();
  assert.equal(await state('ticking'), 'running 0');
  await must('stop', 'ticking');
  assert.equal(await state('ticking'), 'exited 7');
});
