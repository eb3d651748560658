// The file-system driver keeps the contract, and what damage does to its files is noticed.

import assert from 'node:assert/strict';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { algorithmOf, hexOf } from '../../../spec/digest.ts';
import { storageContract } from '../contract/index.ts';
import { digestBytes } from '../hashing.ts';
import { openFileStorage } from './filesystem.ts';

const folder = (): string => mkdtempSync(join(tmpdir(), 'gantry-test-storage-'));

storageContract('files', async () => {
  const root = folder();
  return {
    open: () => openFileStorage(root),
    damage: async (digest, bytes) => {
      writeFileSync(join(root, 'content/blobs', algorithmOf(digest), hexOf(digest)), bytes);
    },
    async [Symbol.asyncDispose]() {
      rmSync(root, { recursive: true, force: true });
    },
  };
});

test('the content is an OCI image layout, and a blob that was changed on disk is not handed out', async () => {
  const root = folder();
  try {
    await using storage = await openFileStorage(root);
    const digest = digestBytes('sha256', Buffer.from('true'));
    await storage.put(digest, Buffer.from('true'));
    assert.equal(readFileSync(join(root, 'content/oci-layout'), 'utf8'), '{"imageLayoutVersion":"1.0.0"}');
    const path = join(root, 'content/blobs/sha256', digest.slice(7));
    assert.equal(storage.localPath?.(digest), path);
    writeFileSync(path, 'fals');
    await assert.rejects(storage.readSmall(digest, 100), { code: 'BLOB_DAMAGED' });
  } finally {
    rmSync(root, { recursive: true, force: true });
  }
});
