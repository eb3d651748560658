// Checks that no wait on an unpack worker, or on the source of its bytes, is without a limit.

import assert from 'node:assert/strict';
import { existsSync, mkdtempSync, readdirSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { isGantryError } from '../../../lib/errors.ts';
import { TAR_END } from '../../../lib/tar/index.ts';
import type { UnpackTarget } from './messages.ts';
import { createUnpacker, type Unpacker } from './pool.ts';

const folder = mkdtempSync(join(tmpdir(), 'gantry-pool-'));
after(() => rmSync(folder, { recursive: true, force: true }));

let last = 0;
function newTarget(): UnpackTarget {
  const directory = join(folder, `${++last}`);
  return { directory, skeleton: `${directory}.skeleton`, replaced: `${directory}.replaced` };
}

const NEVER = new AbortController().signal;
/** A worker that takes everything and says nothing; or what `script` does at each message. */
const workerOf = (script: string): URL =>
  new URL(`data:text/javascript,import{parentPort as p}from"node:worker_threads";p.on("message",(m)=>{${script}})`);

function silent(script = ''): Unpacker {
  return createUnpacker({ workerUrl: workerOf(script), silenceMs: 200, giveUpMs: 100 });
}

async function* once(...pieces: readonly Uint8Array[]): AsyncGenerator<Uint8Array> {
  yield* pieces;
}

/** Gives one piece and then waits for ever; `closed` tells whether it was closed. */
function endless(): { readonly source: AsyncIterable<Uint8Array>; readonly pending: () => boolean } {
  let pending = false;
  const source = async function* (): AsyncGenerator<Uint8Array> {
    yield TAR_END;
    pending = true;
    await new Promise(() => {});
  };
  return { source: source(), pending: () => pending };
}

const isStuck = (error: unknown): boolean =>
  isGantryError(error, 'system') && error.code === 'WORKER_STUCK' && /made no progress for/.test(error.message);

test('a worker that says nothing any more is given up with a word, and the next job gets another', async () => {
  await using unpacker = silent();
  await assert.rejects(unpacker.unpack(once(TAR_END), { target: newTarget() }, NEVER), isStuck);
  await assert.rejects(unpacker.check({ target: newTarget(), replaced: [], plainHex: '', plainBytes: 0 }), isStuck);
  await assert.rejects(unpacker.read({ kind: 'config', bytes: Buffer.from('{}') }), isStuck);
});

test('a worker that is full and says nothing any more is given up too', async () => {
  await using unpacker = silent();
  const much = once(...Array.from({ length: 64 }, () => Buffer.alloc(512 * 1024)));
  await assert.rejects(unpacker.unpack(much, { target: newTarget() }, NEVER), isStuck);
});

test('a worker that shows signs of life has all the time it needs', async () => {
  const script = `
    if (m.kind === 'end') {
      let n = 0;
      const timer = setInterval(() => {
        p.postMessage({ kind: 'consumed', job: m.job, bytes: 0 });
        if (++n < 12) return;
        clearInterval(timer);
        p.postMessage({ kind: 'done', job: m.job, result: { plainHex: 'x' } });
      }, 50);
    }`;
  await using unpacker = createUnpacker({ workerUrl: workerOf(script), silenceMs: 400 });
  const result = await unpacker.unpack(once(TAR_END), { target: newTarget() }, NEVER);
  assert.equal(result.plainHex, 'x');
});

test('a source that is slow is not the worker’s fault', async () => {
  await using unpacker = createUnpacker({ silenceMs: 1_000 });
  const slow = async function* (): AsyncGenerator<Uint8Array> {
    for (let i = 0; i < 4; i++) {
      await sleep(400);
      yield TAR_END.subarray(i * 256, (i + 1) * 256);
    }
  };
  const result = await unpacker.unpack(slow(), { target: newTarget() }, NEVER);
  assert.equal(result.plainBytes, 1024);
});

test('a call that is called off ends though its source never comes to an end, and leaves nothing', async () => {
  await using unpacker = createUnpacker();
  const target = newTarget();
  const stop = new AbortController();
  const { source, pending } = endless();
  const work = unpacker.unpack(source, { target }, stop.signal);
  while (!pending()) await sleep(5);
  stop.abort();
  await assert.rejects(work, (error) => isGantryError(error, 'cancelled'));
  assert.ok(!existsSync(target.directory) && !existsSync(target.skeleton));
});

test('a call that is called off ends though its worker never answers', async () => {
  await using unpacker = createUnpacker({ workerUrl: workerOf(''), silenceMs: 60_000, giveUpMs: 100 });
  const stop = new AbortController();
  const { source, pending } = endless();
  const work = unpacker.unpack(source, { target: newTarget() }, stop.signal);
  while (!pending()) await sleep(5);
  stop.abort();
  await assert.rejects(work, isStuck);
});

test('a layer that fails ends the call though its source still waits, and its source is closed', async () => {
  await using unpacker = createUnpacker();
  let closed = false;
  const source = async function* (): AsyncGenerator<Uint8Array> {
    try {
      // More than a worker takes ahead: the feeding stands still when the job fails.
      for (let i = 0; i < 64; i++) yield Buffer.alloc(512 * 1024, 'garbage');
    } finally {
      closed = true;
    }
  };
  await assert.rejects(unpacker.unpack(source(), { target: newTarget() }, NEVER), /invalid tar header/);
  for (let i = 0; i < 100 && !closed; i++) await sleep(10);
  assert.ok(closed);
  const { source: never } = endless();
  const bad = async function* (): AsyncGenerator<Uint8Array> {
    yield Buffer.alloc(1 << 20, 'garbage');
    yield* never;
  };
  await assert.rejects(unpacker.unpack(bad(), { target: newTarget() }, NEVER), /invalid tar header/);
});

test('workers end when there is nothing to do, and when the pool is closed', async () => {
  const threads = (): number => readdirSync('/proc/self/task').length;
  const unpacker = createUnpacker({ idleMs: 50 });
  await unpacker.unpack(once(TAR_END), { target: newTarget() }, NEVER);
  const busy = threads();
  for (let i = 0; i < 200 && threads() >= busy; i++) await sleep(20);
  assert.ok(threads() < busy);
  await unpacker.unpack(once(TAR_END), { target: newTarget() }, NEVER);
  await unpacker[Symbol.asyncDispose]();
  for (let i = 0; i < 200 && threads() >= busy; i++) await sleep(20);
  assert.ok(threads() < busy);
});
