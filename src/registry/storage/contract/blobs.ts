// Owns the part of the contract about blobs: what was stored is read back, and nothing else.

import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import { assertSame, bytesOf, type Cases, digestOf, listed, upload } from './support.ts';

export const BLOB_CASES: Cases = {
  'what was uploaded is read back, whole and in parts, by either hash': async (storage) => {
    for (const algorithm of ['sha256', 'sha512']) {
      const bytes = randomBytes(200_000);
      const digest = await upload(storage, bytes, digestOf(bytes, algorithm));
      assert.equal(await storage.size(digest), bytes.length);
      assertSame(await bytesOf(storage, digest), bytes);
      for (const range of [
        { start: 0, end: 1 },
        { start: 99_999, end: 150_000 },
        { start: 199_999, end: 200_000 },
        { start: 5, end: 5 },
      ]) {
        assertSame(await bytesOf(storage, digest, range), bytes.subarray(range.start, range.end));
      }
    }
  },

  'a blob of no bytes is a blob': async (storage) => {
    const digest = await upload(storage, Buffer.alloc(0));
    assert.equal(await storage.size(digest), 0);
    assertSame(await bytesOf(storage, digest), Buffer.alloc(0));
  },

  'content of another digest is refused and leaves nothing': async (storage) => {
    const bytes = randomBytes(1000);
    const wanted = digestOf(Buffer.from('other'));
    await assert.rejects(upload(storage, bytes, wanted), { code: 'DIGEST_INVALID' });
    await assert.rejects(storage.put(wanted, bytes), { code: 'DIGEST_INVALID' });
    assert.equal(await storage.size(wanted), undefined);
    assert.deepEqual(await listed(storage.uploads()), []);
    assert.deepEqual(await listed(storage.blobs()), []);
  },

  'small blobs are read in one go, within bounds': async (storage) => {
    const bytes = randomBytes(1000);
    await storage.put(digestOf(bytes), bytes);
    await storage.put(digestOf(bytes), bytes);
    assert.deepEqual(await storage.readSmall(digestOf(bytes), 1000), bytes);
    await assert.rejects(storage.readSmall(digestOf(bytes), 999), { code: 'BLOB_TOO_LARGE' });
    await assert.rejects(storage.readSmall(digestOf(Buffer.from('x')), 999), { code: 'NO_SUCH_BLOB' });
  },

  'a blob that was removed is gone, and removing it again is no error': async (storage) => {
    const digest = await upload(storage, randomBytes(100));
    await storage.remove(digest);
    await storage.remove(digest);
    assert.equal(await storage.size(digest), undefined);
  },

  'a small blob that was damaged is noticed, whether its size changed or not': async (storage, subject) => {
    const digest = digestOf(Buffer.from('true'));
    for (const other of ['fals', 'tru', 'truest']) {
      await storage.put(digest, Buffer.from('true'));
      await subject.damage(digest, Buffer.from(other));
      await assert.rejects(storage.readSmall(digest, 100), { code: 'BLOB_DAMAGED', kind: 'system' });
    }
  },
};
