// The index is read by other programs at any time: it is written by one at a time, and not again when nothing changed.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import type { Digest } from '../../spec/digest.ts';
import { openDatabase } from '../../store/database.ts';
import { BLOB_TYPE, type RegistryEvent } from '../types.ts';
import { LayoutIndex } from './layout-index.ts';
import { MIGRATIONS } from './schema.ts';

const event = (more: Partial<RegistryEvent> = {}): RegistryEvent => ({
  id: 'x',
  action: 'push',
  at: '',
  repository: 'app',
  digest: `sha256:${'a'.repeat(64)}` as Digest,
  mediaType: 'application/vnd.oci.image.manifest.v1+json',
  sizeBytes: 1,
  actor: { name: '', kind: 'anonymous' },
  ...more,
});

test('a writing that takes longer than the pause is never met by the next one, and nothing is left out', async () => {
  using database = openDatabase(':memory:');
  database.migrate(MIGRATIONS);
  let atOnce = 0;
  let most = 0;
  let beganMs = 0;
  const write = async (): Promise<void> => {
    beganMs = performance.now();
    most = Math.max(most, ++atOnce);
    await sleep(1500);
    atOnce--;
  };
  const index = new LayoutIndex({ database, log: () => {} }, write);
  await sleep(1100);
  // The first is under way; its pause is over before it is.
  let lastMs = 0;
  for (let i = 0; i < 3; i++) {
    index.listener(event());
    lastMs = performance.now();
    await sleep(500);
  }
  await index[Symbol.asyncDispose]();
  assert.equal(most, 1);
  assert.ok(beganMs >= lastMs, 'the last change is in no writing');
});

test('blobs and pulls change nothing in it', async () => {
  using database = openDatabase(':memory:');
  database.migrate(MIGRATIONS);
  let writings = 0;
  const index = new LayoutIndex({ database, log: () => {} }, async () => void writings++);
  await sleep(1200);
  index.listener(event({ mediaType: BLOB_TYPE }));
  index.listener(event({ action: 'pull' }));
  await index[Symbol.asyncDispose]();
  assert.equal(writings, 1, 'the one of the start');
});
