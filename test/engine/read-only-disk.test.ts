// Owns an engine whose disk turns read-only under it, as the kernel does after errors: what lives stays governable.

import assert from 'node:assert/strict';
import { join } from 'node:path';
import { test } from 'node:test';
import { busybox } from '../fixtures/busybox.ts';
import { must as mustRun } from '../support/commands.ts';
import { startDaemon } from '../support/daemon.ts';
import { smallDisk } from '../support/disk.ts';
import { eventually } from '../support/patience.ts';

test('on a disk that turned read-only containers are stopped, killed and reported; what must be written says why it cannot', async () => {
  await using disk = await smallDisk(64);
  const daemon = await startDaemon({ dataRoot: join(disk.path, 'data') });
  try {
    await daemon.load((await busybox()).archive);
    const must = async (...args: string[]) => {
      const said = await daemon.gantry(...args);
      assert.equal(said.code, 0, `${args.join(' ')}: ${said.stderr}`);
      return said.stdout.trim();
    };
    const state = (name: string) => must('inspect', '-f', '{{.State.Status}} {{.State.ExitCode}}', name);
    for (const name of ['ending', 'lasting', 'leaving']) {
      await must(
        'run',
        '-d',
        '--name',
        name,
        'busybox',
        'sh',
        '-c',
        'trap "exit 5" TERM; while :; do sleep 0.05; done',
      );
    }
    const removed = daemon.gantry(
      'run',
      '--rm',
      '--name',
      'removed',
      'busybox',
      'sh',
      '-c',
      'while [ ! -e /go ]; do sleep 0.05; done; exit 7',
    );
    await eventually('the third', async () => (await daemon.gantry('exec', 'removed', 'true')).code === 0);
    // ext4's own way to simulate the effect of a fatal error.
    await mustRun('mount', ['-o', 'remount,abort', disk.path]);

    await must('stop', 'ending');
    assert.equal(await state('ending'), 'exited 5');
    assert.equal(await must('exec', 'lasting', 'echo', 'inside'), 'inside');
    await must('kill', 'leaving');
    await eventually('the exit', async () => (await state('leaving')) === 'exited 137');
    await must('kill', 'removed');
    assert.equal((await removed).code, 137);
    for (const args of [
      ['run', '-d', 'busybox', 'true'],
      ['rm', 'ending'],
      ['volume', 'create', 'some'],
    ]) {
      const said = await daemon.gantry(...args);
      assert.notEqual(said.code, 0);
      assert.match(said.stderr, /read-only file system/, said.stderr);
      assert.doesNotMatch(said.stderr, /EROFS|disk I\/O error/);
    }
    await must('kill', 'lasting');
  } finally {
    await daemon.discard();
  }
});
