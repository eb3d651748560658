// The link to spawner and shims, by the real binary; a shell stands in for the OCI runtime.

import assert from 'node:assert/strict';
import { mkdirSync, mkdtempSync, rmSync } from 'node:fs';
import { createServer } from 'node:net';
import { buffer } from 'node:stream/consumers';
import { after, before, suite, test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import {
  attachShim,
  connectShim,
  readExitRecord,
  type ShimSpec,
  type Spawner,
  startSpawner,
} from '../../src/runtime/link/index.ts';
import { SHIM, skip } from './support/bench.ts';

suite('the link to the shim', { skip }, () => {
  let root: string;
  let spawner: Spawner;
  let count = 0;
  before(async () => {
    root = mkdtempSync('/tmp/gantry-link-');
    spawner = await startSpawner({ binary: SHIM });
  });
  after(async () => {
    await spawner[Symbol.asyncDispose]();
    rmSync(root, { recursive: true });
  });

  /** A shim whose process is `script`, left behind by a shell as a runtime leaves its container. */
  const specOf = (script: string, dir = `${root}/r${++count}`, more: Partial<ShimSpec> = {}): ShimSpec => {
    mkdirSync(dir, { recursive: true });
    const launch = 'sh -c "$1" <&3 & echo $! > "$2"';
    const args = ['sh', '-c', `exec 3<&0; ${launch}`, 'runtime', script, `${dir}/pid`];
    return { dir, steps: [], args, pidFile: 'pid', stdin: 'open', stdinOnce: true, ...more };
  };

  test('megabytes go through attach both ways, whole and in order, also right behind the answer', async () => {
    const spec = specOf('cat; echo done >&2');
    await spawner.spawn(spec);
    const stream = await attachShim(spec.dir, { stdin: true, stdout: true, stderr: true });
    using connection = await connectShim(spec.dir);
    await connection.until('ready');
    await connection.start();
    const sent = Buffer.alloc(3_000_000, 'Stückwerk 0123456789\n');
    stream.end(sent);
    const frames = await buffer(stream);
    const payloads: Record<number, Buffer[]> = { 1: [], 2: [] };
    for (let at = 0; at < frames.length; ) {
      const length = frames.readUInt32BE(at + 4);
      payloads[frames[at] ?? 0]?.push(frames.subarray(at + 8, at + 8 + length));
      at += 8 + length;
    }
    assert.ok(Buffer.concat(payloads[1] ?? []).equals(sent));
    assert.equal(Buffer.concat(payloads[2] ?? []).toString(), 'done\n');
    assert.equal((await connection.until('exited')).code, 0);
    assert.equal((await readExitRecord(spec.dir))?.kind, 'exited');
  });

  test('a run directory with a path longer than a socket address works', async () => {
    const spec = specOf('sleep 0.2; exit 4', `${root}/${'long/'.repeat(30)}x`);
    await spawner.spawn(spec);
    using connection = await connectShim(spec.dir);
    await connection.start();
    assert.equal((await connection.until('exited')).code, 4);
  });

  test('signals arrive, and a second connection is told the present state', async () => {
    const spec = specOf('trap "exit 9" TERM; while :; do sleep 0.02; done', undefined, { autoStart: true });
    await spawner.spawn(spec);
    using first = await connectShim(spec.dir);
    await first.until('started');
    using second = await connectShim(spec.dir);
    const started = await second.until('started');
    assert.ok(started.pid > 0);
    await sleep(100);
    await second.signal(15);
    assert.equal((await first.until('exited')).code, 9);
    assert.equal((await second.until('started')).pid, started.pid, 'what was heard stays known');
    await assert.rejects(second.until('ready'), { code: 'SHIM_GONE' }, 'what was never heard will not come');
  });

  test('an abandoned shim ends without having run anything', async () => {
    const spec = specOf('exit 0');
    await spawner.spawn(spec);
    using connection = await connectShim(spec.dir);
    await connection.until('ready');
    await connection.abandon();
    await connection.until('closed');
    await assert.rejects(connectShim(spec.dir), { code: 'SHIM_GONE' });
  });

  test('a start that fails says at which stage and why', async () => {
    const failing = specOf('', undefined, { args: ['sh', '-c', 'echo because >&2; exit 1'] });
    await spawner.spawn(failing);
    using connection = await connectShim(failing.dir);
    await connection.start();
    await assert.rejects(connection.until('started'), {
      code: 'SHIM_FAILED',
      params: { stage: 'runtime', errno: 0, text: 'because\n' },
    });
    const record = await readExitRecord(failing.dir);
    assert.equal(record?.kind, 'failed');
  });

  test('short commands give code and output, and end at their time limit', async () => {
    const ok = await spawner.run({ args: ['sh', '-c', 'echo out; echo err >&2; exit 3'], timeoutMs: 5000 });
    assert.deepEqual(ok, { code: 3, out: 'out\n', err: 'err\n' });
    await assert.rejects(spawner.run({ args: ['sleep', '10'], timeoutMs: 50 }), { code: 'SHIM_FAILED' });
    await assert.rejects(spawner.run({ args: ['/no/such'], timeoutMs: 5000 }), { code: 'SHIM_FAILED' });
  });

  test('a killed spawner is replaced at the next call; calls under way are told', async () => {
    const underWay = spawner.run({ args: ['sleep', '10'], timeoutMs: 20_000 });
    const lost = assert.rejects(underWay, { code: 'SHIM_GONE' });
    const before = spawner.pid;
    await spawner.run({ args: ['true'], timeoutMs: 5000 });
    process.kill(before, 'SIGKILL');
    await lost;
    assert.equal((await spawner.run({ args: ['true'], timeoutMs: 5000 })).code, 0);
    assert.notEqual(spawner.pid, before);
  });

  test('a newer shim may say what this engine does not know', async () => {
    const dir = `${root}/newer`;
    mkdirSync(dir);
    const frame = (...fields: readonly string[]): Buffer => {
      const payload = Buffer.from(fields.map((field) => `${field}\0`).join(''));
      const head = Buffer.alloc(4);
      head.writeUInt32BE(payload.length);
      return Buffer.concat([head, payload]);
    };
    const server = createServer((socket) => {
      socket.on('error', () => {});
      socket.write(frame('ev=ready', 'version=7', 'pid=1', 'colour=red'));
      socket.write(frame('ev=dances', 'steps=3'));
      socket.write(frame('ev=started', 'version=7', 'pid=2', 'at=5'));
    });
    await new Promise<void>((resolve) => server.listen(`${dir}/sock`, resolve));
    using connection = await connectShim(dir);
    assert.equal((await connection.until('started')).pid, 2);
    assert.equal(connection.version, 7);
    connection[Symbol.dispose]();
    server.close();
  });

  test('a shim says the version of its protocol', async () => {
    const spec = specOf('exit 0');
    await spawner.spawn(spec);
    using connection = await connectShim(spec.dir);
    await connection.until('ready');
    assert.equal(connection.version, 1);
    await connection.abandon();
  });
});
