// Checks the blob store: only verified content is visible, and failures leave nothing.

import assert from 'node:assert/strict';
import { mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { digestOfHex } from '../spec/digest.ts';
import { digestOf, openBlobs } from './blobs.ts';

function scratchDir(): { readonly path: string; [Symbol.dispose](): void } {
  const path = mkdtempSync(join(tmpdir(), 'gantry-blobs-'));
  return { path, [Symbol.dispose]: () => rmSync(path, { recursive: true }) };
}

async function* pieces(...texts: readonly string[]): AsyncGenerator<Uint8Array> {
  for (const text of texts) yield Buffer.from(text);
}

test('what was put is read back, and a wrong digest or size is refused without a trace', async () => {
  using dir = scratchDir();
  const blobs = openBlobs(dir.path);
  const digest = await blobs.put(Buffer.from('{}'));
  assert.equal((await blobs.read(digest)).toString(), '{}');
  const other = digestOfHex('0'.repeat(64));
  await assert.rejects(blobs.put(Buffer.from('x'), other), /does not match/);
  await assert.rejects(
    blobs.ingest(() => pieces('a', 'b'), { digest: other }),
    /does not match/,
  );
  const ab = digestOf(Buffer.from('ab'));
  for (const sizeBytes of [1, 3]) {
    await assert.rejects(
      blobs.ingest(() => pieces('a', 'b'), { digest: ab, sizeBytes }),
      /expected . bytes/,
    );
  }
  assert.deepEqual(await blobs.list(), [digest]);
  assert.deepEqual(readdirSync(join(dir.path, 'ingest')), []);
  await assert.rejects(blobs.read(other), /not found/);
  await assert.rejects(blobs.read(digest, 1), /over 1 bytes/);
});

test('one stream serves all who want the same digest', async () => {
  using dir = scratchDir();
  const blobs = openBlobs(dir.path);
  let opened = 0;
  const source = () => {
    opened++;
    return pieces('a', 'b');
  };
  const digest = digestOf(Buffer.from('ab'));
  await Promise.all([1, 2, 3].map(() => blobs.ingest(source, { digest, sizeBytes: 2 })));
  await blobs.ingest(source, { digest });
  assert.equal(opened, 1);
});

test('leftovers of an earlier process go, files of this one stay', async () => {
  using dir = scratchDir();
  writeFileSync(join(openBlobs(dir.path).path(digestOfHex('0'.repeat(64))), '../../../ingest/left'), 'x');
  const blobs = openBlobs(dir.path);
  await using mine = await blobs.scratch();
  await blobs.sweepIngest();
  assert.equal(readdirSync(join(dir.path, 'ingest')).length, 1);
  assert.ok(mine.path.startsWith(dir.path));
});

test('damage on disk is noticed', async () => {
  using dir = scratchDir();
  const blobs = openBlobs(dir.path);
  const digest = await blobs.put(Buffer.from('true'));
  writeFileSync(blobs.path(digest), 'fals');
  await assert.rejects(blobs.read(digest), /damaged/);
});
