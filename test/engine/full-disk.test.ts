// Owns an engine whose disk is full: what runs is told truly, what cannot be done says why, and space can be given back.

import assert from 'node:assert/strict';
import { closeSync, openSync, rmSync, writeSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { busybox } from '../fixtures/busybox.ts';
import { startDaemon } from '../support/daemon.ts';
import { smallDisk } from '../support/disk.ts';
import { eventually } from '../support/patience.ts';

/** Takes all that is left, to the last block. */
function fill(path: string): void {
  const fd = openSync(path, 'w');
  try {
    for (const bytes of [1 << 20, 4096, 512]) {
      const block = Buffer.alloc(bytes);
      for (;;) {
        try {
          if (writeSync(fd, block) === 0) break;
        } catch (error) {
          assert.equal((error as NodeJS.ErrnoException).code, 'ENOSPC');
          break;
        }
      }
    }
  } finally {
    closeSync(fd);
  }
}

test('with the disk full exits are told, verbs say why they fail, rm works, and all is well when there is room again', async () => {
  await using disk = await smallDisk(64);
  await using daemon = await startDaemon({ dataRoot: join(disk.path, 'data') });
  await daemon.load((await busybox()).archive);
  const must = async (...args: string[]) => {
    const said = await daemon.gantry(...args);
    assert.equal(said.code, 0, `${args.join(' ')}: ${said.stderr}`);
    return said.stdout.trim();
  };
  const state = (name: string) => must('inspect', '-f', '{{.State.Status}} {{.State.ExitCode}}', name);
  for (const name of ['ending', 'lasting', 'leaving']) {
    await must('run', '-d', '--name', name, 'busybox', 'sh', '-c', 'trap "exit 5" TERM; while :; do sleep 0.05; done');
  }
  await must('create', '--name', 'made', 'busybox', 'true');
  const ballast = join(disk.path, 'ballast');
  fill(ballast);

  await must('stop', 'ending');
  assert.equal(await state('ending'), 'exited 5');
  assert.equal(await must('exec', 'lasting', 'echo', 'inside'), 'inside');
  await must('kill', 'leaving');
  await eventually('the exit', async () => (await state('leaving')) === 'exited 137');
  const created = await daemon.gantry('run', '--rm', 'busybox', 'true');
  if (created.code !== 0) assert.match(created.stderr, /no space left on device/);
  const volume = await daemon.gantry('volume', 'create', 'roomless');
  if (volume.code !== 0) assert.match(volume.stderr, /no space left on device/);

  await daemon.kill9();
  const restarted = await daemon.start().then(
    () => true,
    (error: Error) => {
      assert.match(error.message, /gantryd: .*no space left on device/);
      return false;
    },
  );
  if (!restarted) rmSync(ballast);
  if (!restarted) await daemon.start();
  assert.equal(await state('ending'), 'exited 5');
  assert.equal(await state('leaving'), 'exited 137');
  assert.equal(await state('lasting'), 'running 0');
  for (const name of ['ending', 'leaving']) await must('rm', '-v', name);
  rmSync(ballast, { force: true });
  assert.equal(await must('run', '--rm', 'busybox', 'echo', 'room'), 'room');
  await must('start', '-a', 'made');
  await must('rm', '-f', 'lasting', 'made');
});
