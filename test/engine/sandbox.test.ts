// Owns sandboxes: namespaces that outlive every process in them, and are gone with their owner.

import assert from 'node:assert/strict';
import { existsSync, mkdirSync, mkdtempSync, readdirSync, readlinkSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { createSandboxes, type Sandboxes } from '../../src/engine/runs/index.ts';
import { type Spawner, startSpawner } from '../../src/runtime/link/index.ts';
import { SHIM, skip } from '../runtime/support/bench.ts';
import { must } from '../support/commands.ts';
import { eventually } from '../support/patience.ts';

const root = mkdtempSync(join(tmpdir(), 'gantry-sandbox-'));
let spawner: Spawner;
let sandboxes: Sandboxes;
before(async () => {
  mkdirSync(join(root, 'shims'));
  spawner = await startSpawner({ binary: SHIM });
  sandboxes = createSandboxes({ spawner, shimsDir: join(root, 'shims') });
});
after(async () => {
  await spawner[Symbol.asyncDispose]();
  rmSync(root, { recursive: true });
});

const inside = (pid: number, flags: readonly string[], ...command: readonly string[]) =>
  must('nsenter', ['--target', String(pid), ...flags, ...command]);

test('processes that come one after the other find the same network, hostname and message queues', {
  skip,
}, async () => {
  await using sandbox = await sandboxes.open({ network: true, ipc: true, uts: true });
  await inside(sandbox.pid, ['--uts'], 'hostname', 'pod');
  await inside(sandbox.pid, ['--net'], 'ip', 'link', 'set', 'lo', 'mtu', '1234');
  await inside(sandbox.pid, ['--ipc'], 'ipcmk', '-Q');
  assert.equal((await inside(sandbox.pid, ['--uts'], 'hostname')).trim(), 'pod');
  assert.match(await inside(sandbox.pid, ['--net'], 'ip', '-o', 'link'), /LOOPBACK,UP.* mtu 1234/);
  assert.match(await inside(sandbox.pid, ['--ipc'], 'ipcs', '-q'), /0x/);
  assert.notEqual(readlinkSync(sandbox.namespace('net')), readlinkSync('/proc/self/ns/net'));
});

test('what a sandbox is not asked for it shares with the engine', { skip }, async () => {
  await using sandbox = await sandboxes.open({ network: false, ipc: false, uts: true });
  for (const kind of ['net', 'ipc'] as const) {
    assert.equal(readlinkSync(sandbox.namespace(kind)), readlinkSync(`/proc/self/ns/${kind}`), kind);
  }
  assert.notEqual(readlinkSync(sandbox.namespace('mnt')), readlinkSync('/proc/self/ns/mnt'));
});

test('a step that fails says so, and nothing stays', { skip }, async () => {
  const steps = [{ verb: 'write', path: '/proc/sys/net/nothing', text: '1' }] as const;
  await assert.rejects(sandboxes.open({ network: true, ipc: false, uts: false, steps }), /nothing/);
});

test('after its end neither holder nor folder is there', { skip }, async () => {
  const sandbox = await sandboxes.open({ network: true, ipc: true, uts: true });
  await sandbox[Symbol.asyncDispose]();
  await eventually('the end of the holder', () => !existsSync(`/proc/${sandbox.pid}`));
  assert.deepEqual(readdirSync(join(root, 'shims')), []);
});
