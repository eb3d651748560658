// Owns the promise that containers do not notice the daemon's death: no line, no exit code, no door is lost.

import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { busybox } from '../fixtures/busybox.ts';
import { PROGRAMS } from '../support/clis.ts';
import { type Daemon, startDaemon } from '../support/daemon.ts';
import { follow } from '../support/following.ts';
import { eventually } from '../support/patience.ts';

const LINES = 3000;

let daemon: Daemon;
before(async () => {
  daemon = await startDaemon();
  await daemon.load((await busybox()).archive);
});
after(async () => {
  await daemon?.[Symbol.asyncDispose]();
});

async function crash(): Promise<void> {
  await daemon.kill9();
  await daemon.start();
}

const must = async (...args: string[]) => {
  const said = await daemon.gantry(...args);
  assert.equal(said.code, 0, `${args.join(' ')}: ${said.stderr}`);
  return said.stdout;
};

test('not one log line is lost or doubled while the daemon is killed again and again', async () => {
  const script = `i=0; while [ $i -lt ${LINES} ]; do i=$((i+1)); echo $i; usleep 1500; done`;
  await must('run', '-d', '--name', 'counter', 'busybox', 'sh', '-c', script);
  for (let round = 0; round < 5; round++) {
    await sleep(300 + round * 150);
    await crash();
  }
  assert.equal(await must('wait', 'counter'), '0\n');
  const expected = Array.from({ length: LINES }, (_, index) => `${index + 1}\n`).join('');
  assert.equal(await must('logs', 'counter'), expected);
});

test('an exit code is kept that came while no daemon ran', async () => {
  await must('run', '-d', '--name', 'leaver', 'busybox', 'sh', '-c', 'echo before; sleep 1; echo after; exit 42');
  await daemon.kill9();
  await sleep(1500);
  await daemon.start();
  assert.equal(await must('inspect', '-f', '{{.State.Status}} {{.State.ExitCode}}', 'leaver'), 'exited 42\n');
  assert.equal(await must('logs', 'leaver'), 'before\nafter\n');
});

test('a container that removes itself is gone though it ended while no daemon ran', async () => {
  await must('run', '-d', '--rm', '--name', 'brief', 'busybox', 'sleep', '1');
  await daemon.kill9();
  await sleep(1500);
  await daemon.start();
  await eventually('the removal', async () => (await daemon.gantry('inspect', 'brief')).code === 1);
});

test('a restart policy is carried out for what ended while no daemon ran', async () => {
  await must('run', '-d', '--restart', 'always', '--name', 'phoenix', 'busybox', 'sh', '-c', 'echo up; sleep 1');
  await daemon.kill9();
  await sleep(1500);
  await daemon.start();
  await eventually('a second run', async () => (await must('logs', 'phoenix')).split('up').length > 2);
  await must('rm', '-f', 'phoenix');
});

test('exec, attach, stdin, pause, stop and rm work on what an earlier daemon started', async () => {
  await must('run', '-d', '-i', '--name', 'open', 'busybox', 'sh', '-c', 'while read x; do echo "got $x"; done');
  await crash();
  assert.equal(await must('exec', 'open', 'echo', 'inside'), 'inside\n');
  await using log = follow(PROGRAMS.gantry, ['logs', '-f', 'open'], { DOCKER_HOST: daemon.host });
  // The container's stdin outlives an attacher's, so the attachment lasts until it is cut.
  const attached = daemon.gantry('attach', 'open', { input: 'word\n', timeoutMs: 3000 });
  await log.until('got word');
  assert.match((await attached).stdout, /got word/);
  await must('run', '-d', '--name', 'idle', 'busybox', 'sleep', '1000');
  await crash();
  await must('pause', 'idle');
  await crash();
  assert.equal(await must('inspect', '-f', '{{.State.Status}}', 'idle'), 'paused\n');
  await must('unpause', 'idle');
  await must('stop', '-t', '0', 'idle');
  assert.equal(await must('inspect', '-f', '{{.State.ExitCode}}', 'idle'), '137\n');
});

test('an orderly stop of the daemon leaves containers running too', async () => {
  await must('run', '-d', '--name', 'stayer', 'busybox', 'sleep', '1000');
  const pid = (await must('inspect', '-f', '{{.State.Pid}}', 'stayer')).trim();
  assert.equal(await daemon.stop(), 0);
  assert.doesNotThrow(() => process.kill(Number(pid), 0));
  await daemon.start();
  assert.equal((await must('inspect', '-f', '{{.State.Pid}}', 'stayer')).trim(), pid);
});
