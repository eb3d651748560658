// Owns: many shims at once with attachers that come, go, stall and hang up at random. Refuses: exact contents (other files).
import assert from 'node:assert/strict';
import { existsSync, mkdtempSync, readdirSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { withSpawner } from './begin.ts';
import { Attach, alive, Control, pause, readText, removeDir, runDir, unframe } from './link.ts';

const { begin, spawner } = withSpawner();

// Deterministic, so that a failure can be had again.
const random = (seed: number) => () => {
  seed = (seed * 1_103_515_245 + 12_345) % 2_147_483_648;
  return seed / 2_147_483_648;
};

test('forty shims under restless attachers all tell their exit, and a steady attacher gets everything', async (t) => {
  const next = random(7);
  const logs = mkdtempSync(join(tmpdir(), 'gantry-shim-stress-'));
  t.after(() => rmSync(logs, { recursive: true, force: true }));
  await Promise.all(
    Array.from({ length: 40 }, async (_, i) => {
      const script = `seq 1 30000; seq 1 3000 >&2; cat > /dev/null; exit ${i}`;
      const { dir, control } = await begin(t, script, [
        ['stdin', 'open'],
        ['log-path', join(logs, String(i))],
        ['log-max-size', 100_000],
        ['log-max-files', 1],
      ]);
      const steady = new Attach(dir, { stdout: true, stderr: true });
      await steady.ready;
      await control.command('start');
      for (let k = 0; k < 8; k++) {
        const restless = new Attach(dir, { stdin: next() < 0.5, stdout: next() < 0.8, stderr: next() < 0.5 });
        if (next() < 0.3) restless.socket.pause();
        if (next() < 0.5) restless.socket.write(Buffer.alloc(Math.floor(next() * 200_000)));
        await pause(next() * 5);
        if (next() < 0.5) restless.socket.destroy();
        else restless.socket.end();
        if (next() < 0.5) setTimeout(() => restless.socket.destroy(), 20);
      }
      await control.command('close-stdin');
      assert.equal((await control.event('exited')).code, String(i));
      await steady.ended;
      const { stdout, stderr } = unframe(steady.bytes);
      assert.ok(stdout.toString().endsWith('\n29999\n30000\n'));
      assert.equal(stdout.toString().split('\n').length, 30_001);
      assert.equal(stderr.toString().split('\n').length, 3001);
    }),
  );
});

test('a start whose runtime hangs can be abandoned', async () => {
  const dir = runDir();
  await spawner().request([
    ['op', 'spawn'],
    ['dir', dir],
    ['arg', 'sleep'],
    ['arg', '100'],
    ['pid-file', 'pid'],
  ]);
  const control = new Control(dir);
  await control.command('start');
  assert.equal((await control.command('abandon')).ok, '1');
  const failed = await control.event('failed');
  assert.deepEqual([failed.stage, failed.text], ['runtime', 'the runtime was killed by signal 9']);
  await control.closed;
  assert.match(readText(dir, 'exit'), /^stage=runtime\n/);
  assert.equal(existsSync(join(dir, 'exit.tmp')), false);
  removeDir(dir);
});

test('a shim holds no descriptor it does not need', async (t) => {
  const { control, shimPid } = await begin(t, 'exec sleep 100', [
    ['stdin', 'open'],
    ['auto-start', 1],
  ]);
  await control.event('started');
  // /dev/null thrice, socket, dir, epoll, signals, three pipes, this connection.
  assert.ok(readdirSync(`/proc/${shimPid}/fd`).length <= 11);
  assert.ok(alive(shimPid));
});
