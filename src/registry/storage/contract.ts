// Owns the contract of storage drivers as tests: every driver runs them. @see types.ts

import assert from 'node:assert/strict';
import { createHash, randomBytes } from 'node:crypto';
import { test } from 'node:test';
import { type Digest, parseAnyDigest } from '../../spec/digest.ts';
import type { ByteRange, Storage } from './types.ts';

/** A store that can be closed and opened again. */
export interface Subject extends AsyncDisposable {
  open(): Promise<Storage>;
  /** Puts other bytes in a blob's place, behind the driver's back. */
  damage(digest: Digest, bytes: Uint8Array): Promise<void>;
}

const MAX = { maxBytes: 1 << 30 };

function digestOf(bytes: Uint8Array, algorithm = 'sha256'): Digest {
  const digest = parseAnyDigest(`${algorithm}:${createHash(algorithm).update(bytes).digest('hex')}`);
  if (!digest) throw new TypeError('no digest');
  return digest;
}

const newId = (): string => randomBytes(16).toString('hex');

async function* pieces(bytes: Uint8Array, size = 64 * 1024): AsyncGenerator<Uint8Array> {
  for (let at = 0; at < bytes.length; at += size) yield bytes.subarray(at, at + size);
}

async function* failing(bytes: Uint8Array): AsyncGenerator<Uint8Array> {
  yield bytes;
  throw new Error('the client went away');
}

async function bytesOf(storage: Storage, digest: Digest, range?: ByteRange): Promise<Buffer> {
  const got: Buffer[] = [];
  for await (const piece of await storage.read(digest, range)) got.push(Buffer.from(piece as Uint8Array));
  return Buffer.concat(got);
}

/** A failed comparison of large contents must not print them. */
function assertSame(got: Buffer, wanted: Uint8Array): void {
  assert.equal(got.length, wanted.length);
  assert.equal(digestOf(got), digestOf(wanted));
}

async function upload(storage: Storage, bytes: Uint8Array, digest = digestOf(bytes)): Promise<Digest> {
  const id = newId();
  await storage.begin(id);
  await storage.append(id, pieces(bytes), { offsetBytes: 0, ...MAX });
  await storage.finish(id, digest);
  return digest;
}

async function listed<T>(rows: AsyncIterable<T>): Promise<T[]> {
  const all: T[] = [];
  for await (const row of rows) all.push(row);
  return all;
}

/** Registers the contract's tests for one driver; `make` gives a fresh, empty subject. */
export function storageContract(name: string, make: () => Promise<Subject>): void {
  const check = (what: string, act: (storage: Storage, subject: Subject) => Promise<void>): void => {
    test(`${name}: ${what}`, async () => {
      await using subject = await make();
      await using storage = await subject.open();
      await act(storage, subject);
    });
  };

  check('what was uploaded is read back, whole and in parts, by either hash', async (storage) => {
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
  });

  check('a blob of no bytes is a blob', async (storage) => {
    const digest = await upload(storage, Buffer.alloc(0));
    assert.equal(await storage.size(digest), 0);
    assertSame(await bytesOf(storage, digest), Buffer.alloc(0));
  });

  check('content of another digest is refused and leaves nothing', async (storage) => {
    const bytes = randomBytes(1000);
    const wanted = digestOf(Buffer.from('other'));
    await assert.rejects(upload(storage, bytes, wanted), { code: 'DIGEST_INVALID' });
    await assert.rejects(storage.put(wanted, bytes), { code: 'DIGEST_INVALID' });
    assert.equal(await storage.size(wanted), undefined);
    assert.deepEqual(await listed(storage.uploads()), []);
    assert.deepEqual(await listed(storage.blobs()), []);
  });

  check('an upload cannot be seen as a blob before it is finished', async (storage) => {
    const bytes = randomBytes(1000);
    const id = newId();
    await storage.begin(id);
    await storage.append(id, pieces(bytes), { offsetBytes: 0, ...MAX });
    assert.equal(await storage.size(digestOf(bytes)), undefined);
    await assert.rejects(storage.read(digestOf(bytes)), { code: 'NO_SUCH_BLOB' });
    const [found] = await listed(storage.uploads());
    assert.deepEqual([found?.id, found?.sizeBytes], [id, 1000]);
  });

  check('pieces come in order, and one out of order changes nothing', async (storage) => {
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
  });

  check('pieces that are handed over are stored right, those that are not stay with their owner', async (storage) => {
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
  });

  check('what arrived before a failure is kept, and the upload goes on from there', async (storage) => {
    const bytes = randomBytes(3000);
    const id = newId();
    await storage.begin(id);
    await assert.rejects(storage.append(id, failing(bytes.subarray(0, 1000)), { offsetBytes: 0, ...MAX }), /went away/);
    assert.equal(await storage.uploadSize(id), 1000);
    await storage.append(id, pieces(bytes.subarray(1000)), { offsetBytes: 1000, ...MAX });
    await storage.finish(id, digestOf(bytes));
    assertSame(await bytesOf(storage, digestOf(bytes)), bytes);
  });

  check('too many bytes are refused, and the upload is as it was', async (storage) => {
    const id = newId();
    await storage.begin(id);
    await storage.append(id, pieces(randomBytes(500)), { offsetBytes: 0, maxBytes: 1000 });
    await assert.rejects(storage.append(id, pieces(randomBytes(501), 100), { offsetBytes: 500, maxBytes: 1000 }), {
      code: 'SIZE_INVALID',
    });
    assert.equal(await storage.uploadSize(id), 500);
  });

  check('uploads and blobs outlive a restart', async (storage, subject) => {
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
  });

  check('large blobs of many pieces are put together right', async (storage) => {
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
  });

  check('a large blob that comes in one piece is kept, by either hash', async (storage) => {
    const bytes = randomBytes(24 << 20);
    for (const algorithm of ['sha256', 'sha512']) {
      const digest = await upload(storage, bytes, digestOf(bytes, algorithm));
      assertSame(await bytesOf(storage, digest), bytes);
      const range = { start: (8 << 20) - 1, end: (16 << 20) + 1 };
      assertSame(await bytesOf(storage, digest, range), bytes.subarray(range.start, range.end));
    }
  });

  check('an upload is forgotten when it is aborted, and what was never begun is unknown', async (storage) => {
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
  });

  check('small blobs are read in one go, within bounds', async (storage) => {
    const bytes = randomBytes(1000);
    await storage.put(digestOf(bytes), bytes);
    await storage.put(digestOf(bytes), bytes);
    assert.deepEqual(await storage.readSmall(digestOf(bytes), 1000), bytes);
    await assert.rejects(storage.readSmall(digestOf(bytes), 999), { code: 'BLOB_TOO_LARGE' });
    await assert.rejects(storage.readSmall(digestOf(Buffer.from('x')), 999), { code: 'NO_SUCH_BLOB' });
  });

  check('a blob that was removed is gone, and removing it again is no error', async (storage) => {
    const digest = await upload(storage, randomBytes(100));
    await storage.remove(digest);
    await storage.remove(digest);
    assert.equal(await storage.size(digest), undefined);
  });

  check('uploads side by side do not mix, and every blob is listed', async (storage) => {
    const all = Array.from({ length: 12 }, () => randomBytes(50_000));
    const digests = await Promise.all(all.map((bytes) => upload(storage, bytes)));
    const found = await listed(storage.blobs());
    assert.deepEqual(found.map(({ digest }) => digest).sort(), [...digests].sort());
    assert.ok(found.every(({ sizeBytes }) => sizeBytes === 50_000));
  });

  check('a small blob that was damaged is noticed, whether its size changed or not', async (storage, subject) => {
    const digest = digestOf(Buffer.from('true'));
    for (const other of ['fals', 'tru', 'truest']) {
      await storage.put(digest, Buffer.from('true'));
      await subject.damage(digest, Buffer.from(other));
      await assert.rejects(storage.readSmall(digest, 100), { code: 'BLOB_DAMAGED', kind: 'system' });
    }
  });

  check('bytes sent again after a failure count by what was sent last, not by what was lost', async (storage) => {
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
  });

  check('an upload that failed at once, or got nothing, is one of no bytes still', async (storage) => {
    const id = newId();
    await storage.begin(id);
    assert.equal(await storage.append(id, pieces(Buffer.alloc(0)), { offsetBytes: 0, ...MAX }), 0);
    await assert.rejects(storage.append(id, failing(Buffer.alloc(0)), { offsetBytes: 0, ...MAX }), /went away/);
    assert.equal(await storage.uploadSize(id), 0);
    const [found, ...more] = await listed(storage.uploads());
    assert.deepEqual([found?.id, found?.sizeBytes, more], [id, 0, []]);
    assert.equal(await storage.finish(id, digestOf(Buffer.alloc(0))), 0);
  });

  check('an upload tells when bytes last came', async (storage) => {
    const before = Date.now();
    const id = newId();
    await storage.begin(id);
    await storage.append(id, pieces(randomBytes(10)), { offsetBytes: 0, ...MAX });
    const [found] = await listed(storage.uploads());
    // Stores keep whole seconds.
    assert.ok(found && found.touchedAtMs > before - 2000 && found.touchedAtMs < Date.now() + 2000);
  });

  check('a store of more than a thousand blobs and uploads lists every one, once', async (storage) => {
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
  });
}
