// Owns the part of the contract about volume: large blobs, and many of them.

import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import { assertSame, bytesOf, type Cases, digestOf, listed, MAX, newId, pieces, upload } from './support.ts';

export const VOLUME_CASES: Cases = {
  'large blobs of many pieces are put together right': async (storage) => {
    const bytes = randomBytes(23 << 20);
    const id = newId();
    await storage.begin(id);
    let at = 0;
    for (const size of [1000, 6 << 20, 100, 200, 9 << 20]) {
      await storage.append(id, pieces(bytes.subarray(at, at + size)), { offsetBytes: at, ...MAX });
      at += size;
    }
    await storage.append(id, pieces(bytes.subarray(at)), { offsetBytes: at, ...MAX });
    await storage.finish(id, digestOf(bytes));
    assert.equal(digestOf(await bytesOf(storage, digestOf(bytes))), digestOf(bytes));
  },

  'a large blob that comes in one piece is kept, by either hash': async (storage) => {
    const bytes = randomBytes(24 << 20);
    for (const algorithm of ['sha256', 'sha512']) {
      const digest = await upload(storage, bytes, digestOf(bytes, algorithm));
      assertSame(await bytesOf(storage, digest), bytes);
      const range = { start: (8 << 20) - 1, end: (16 << 20) + 1 };
      assertSame(await bytesOf(storage, digest, range), bytes.subarray(range.start, range.end));
    }
  },

  'uploads side by side do not mix, and every blob is listed': async (storage) => {
    const all = Array.from({ length: 12 }, () => randomBytes(50_000));
    const digests = await Promise.all(all.map((bytes) => upload(storage, bytes)));
    const found = await listed(storage.blobs());
    assert.deepEqual(found.map(({ digest }) => digest).sort(), [...digests].sort());
    assert.ok(found.every(({ sizeBytes }) => sizeBytes === 50_000));
  },

  'a store of more than a thousand blobs and uploads lists every one, once': async (storage) => {
    const ids = Array.from({ length: 1005 }, newId);
    const all = ids.map((id) => Buffer.from(id));
    for (let i = 0; i < ids.length; i += 50) {
      const end = Math.min(i + 50, ids.length);
      await Promise.all(all.slice(i, end).map((bytes) => storage.put(digestOf(bytes), bytes)));
      await Promise.all(ids.slice(i, end).map((id) => storage.begin(id)));
    }
    const blobs = (await listed(storage.blobs())).map(({ digest }) => digest);
    assert.deepEqual(blobs.sort(), all.map((bytes) => digestOf(bytes)).sort());
    const uploads = (await listed(storage.uploads())).map(({ id }) => id);
    assert.deepEqual(uploads.sort(), [...ids].sort());
  },
};
