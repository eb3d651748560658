// Owns the part of the contract about interruptions: a client that fails, and a restart.

import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import { assertSame, bytesOf, type Cases, digestOf, failing, listed, MAX, newId, pieces, upload } from './support.ts';

export const INTERRUPTION_CASES: Cases = {
  'what arrived before a failure is kept, and the upload goes on from there': async (storage) => {
    const bytes = randomBytes(3000);
    const id = newId();
    await storage.begin(id);
    await assert.rejects(storage.append(id, failing(bytes.subarray(0, 1000)), { offsetBytes: 0, ...MAX }), /went away/);
    assert.equal(await storage.uploadSize(id), 1000);
    await storage.append(id, pieces(bytes.subarray(1000)), { offsetBytes: 1000, ...MAX });
    await storage.finish(id, digestOf(bytes));
    assertSame(await bytesOf(storage, digestOf(bytes)), bytes);
  },

  'bytes sent again after a failure count by what was sent last, not by what was lost': async (storage) => {
    const [first, other] = [randomBytes(1000), randomBytes(1000)];
    const id = newId();
    await storage.begin(id);
    await assert.rejects(storage.append(id, pieces(first, 100), { offsetBytes: 0, maxBytes: 950 }), {
      code: 'SIZE_INVALID',
    });
    if ((await storage.uploadSize(id)) === undefined) return;
    await storage.append(id, pieces(other.subarray(0, 900)), { offsetBytes: 0, ...MAX });
    await assert.rejects(storage.finish(id, digestOf(first.subarray(0, 900))), { code: 'DIGEST_INVALID' });
    assert.equal(await storage.size(digestOf(first.subarray(0, 900))), undefined);
  },

  'an upload that failed at once, or got nothing, is one of no bytes still': async (storage) => {
    const id = newId();
    await storage.begin(id);
    assert.equal(await storage.append(id, pieces(Buffer.alloc(0)), { offsetBytes: 0, ...MAX }), 0);
    await assert.rejects(storage.append(id, failing(Buffer.alloc(0)), { offsetBytes: 0, ...MAX }), /went away/);
    assert.equal(await storage.uploadSize(id), 0);
    const [found, ...more] = await listed(storage.uploads());
    assert.deepEqual([found?.id, found?.sizeBytes, more], [id, 0, []]);
    assert.equal(await storage.finish(id, digestOf(Buffer.alloc(0))), 0);
  },

  'uploads and blobs outlive a restart': async (storage, subject) => {
    const bytes = randomBytes(300_000);
    const kept = await upload(storage, randomBytes(100));
    const id = newId();
    await storage.begin(id);
    await storage.append(id, pieces(bytes.subarray(0, 100_000)), { offsetBytes: 0, ...MAX });
    await storage[Symbol.asyncDispose]();
    await using again = await subject.open();
    assert.equal(await again.size(kept), 100);
    assert.equal(await again.uploadSize(id), 100_000);
    await again.append(id, pieces(bytes.subarray(100_000)), { offsetBytes: 100_000, ...MAX });
    await again.finish(id, digestOf(bytes));
    assertSame(await bytesOf(again, digestOf(bytes)), bytes);
  },
};
