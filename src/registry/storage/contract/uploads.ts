// Owns the part of the contract about uploads: their order, their bounds and their end.

import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import { assertSame, bytesOf, type Cases, digestOf, listed, MAX, newId, pieces } from './support.ts';

export const UPLOAD_CASES: Cases = {
  'an upload cannot be seen as a blob before it is finished': async (storage) => {
    const bytes = randomBytes(1000);
    const id = newId();
    await storage.begin(id);
    await storage.append(id, pieces(bytes), { offsetBytes: 0, ...MAX });
    assert.equal(await storage.size(digestOf(bytes)), undefined);
    await assert.rejects(storage.read(digestOf(bytes)), { code: 'NO_SUCH_BLOB' });
    const [found] = await listed(storage.uploads());
    assert.deepEqual([found?.id, found?.sizeBytes], [id, 1000]);
  },

  'pieces come in order, and one out of order changes nothing': async (storage) => {
    const bytes = randomBytes(3000);
    const id = newId();
    await storage.begin(id);
    assert.equal(await storage.append(id, pieces(bytes.subarray(0, 1000)), { offsetBytes: 0, ...MAX }), 1000);
    for (const offsetBytes of [0, 999, 1001]) {
      await assert.rejects(storage.append(id, pieces(bytes), { offsetBytes, ...MAX }), { code: 'RANGE_INVALID' });
    }
    assert.equal(await storage.append(id, pieces(bytes.subarray(1000)), { offsetBytes: 1000, ...MAX }), 3000);
    assert.equal(await storage.finish(id, digestOf(bytes)), 3000);
    await assert.rejects(storage.finish(id, digestOf(bytes)), { code: 'NO_SUCH_UPLOAD' });
  },

  'pieces that are handed over are stored right, those that are not stay with their owner': async (storage) => {
    const bytes = randomBytes(9 << 20);
    const owned: Uint8Array[] = [];
    async function* source(): AsyncGenerator<Uint8Array> {
      for await (const piece of pieces(bytes)) {
        const own = Uint8Array.from(piece);
        owned.push(own);
        yield own;
      }
    }
    for (const isHandedOver of [false, true]) {
      const id = newId();
      owned.length = 0;
      await storage.begin(id);
      await storage.append(id, source(), { offsetBytes: 0, isHandedOver, ...MAX });
      await storage.finish(id, digestOf(bytes));
      assertSame(await bytesOf(storage, digestOf(bytes)), bytes);
      const left = owned.reduce((total, piece) => total + piece.length, 0);
      assert.equal(left, isHandedOver ? 0 : bytes.length);
    }
  },

  'too many bytes are refused, and the upload is as it was': async (storage) => {
    const id = newId();
    await storage.begin(id);
    await storage.append(id, pieces(randomBytes(500)), { offsetBytes: 0, maxBytes: 1000 });
    await assert.rejects(storage.append(id, pieces(randomBytes(501), 100), { offsetBytes: 500, maxBytes: 1000 }), {
      code: 'SIZE_INVALID',
    });
    assert.equal(await storage.uploadSize(id), 500);
  },

  'an upload is forgotten when it is aborted, and what was never begun is unknown': async (storage) => {
    const id = newId();
    await storage.begin(id);
    await storage.append(id, pieces(randomBytes(10)), { offsetBytes: 0, ...MAX });
    await storage.abort(id);
    await storage.abort(id);
    assert.equal(await storage.uploadSize(id), undefined);
    for (const unknown of [id, newId(), '../../etc/passwd']) {
      await assert.rejects(storage.append(unknown, pieces(randomBytes(1)), { offsetBytes: 0, ...MAX }), {
        code: 'NO_SUCH_UPLOAD',
      });
      await assert.rejects(storage.finish(unknown, digestOf(randomBytes(1))), { code: 'NO_SUCH_UPLOAD' });
    }
    assert.deepEqual(await listed(storage.uploads()), []);
  },

  'an upload tells when bytes last came': async (storage) => {
    const before = Date.now();
    const id = newId();
    await storage.begin(id);
    await storage.append(id, pieces(randomBytes(10)), { offsetBytes: 0, ...MAX });
    const [found] = await listed(storage.uploads());
    // Stores keep whole seconds.
    assert.ok(found && found.touchedAtMs > before - 2000 && found.touchedAtMs < Date.now() + 2000);
  },
};
