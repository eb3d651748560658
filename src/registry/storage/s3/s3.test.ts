// The S3 driver keeps the same contract, on a store that speaks S3; and what the store's failures do not cost.

import assert from 'node:assert/strict';
import { createHash, randomBytes } from 'node:crypto';
import { mkdirSync, writeFileSync } from 'node:fs';
import type { IncomingMessage } from 'node:http';
import { join } from 'node:path';
import { test } from 'node:test';
import { inspect } from 'node:util';
import { algorithmOf, hexOf } from '../../../spec/digest.ts';
import { storageContract } from '../contract/index.ts';
import { digestBytes } from '../hashing.ts';
import { groupsOf } from './compose.ts';
import { openFakeS3 } from './fake.ts';
import { openS3Storage } from './s3.ts';

const ID = 'a'.repeat(32);
const WHOLE = { offsetBytes: 0, maxBytes: 1 << 30 };

async function* once(bytes: Uint8Array): AsyncGenerator<Uint8Array> {
  yield bytes;
}

storageContract('s3', async () => {
  const fake = await openFakeS3();
  return {
    open: () => openS3Storage(fake.config),
    damage: async (digest, bytes) => {
      const name = `some/where/blobs/${algorithmOf(digest)}/${hexOf(digest)}._S3rver_object`;
      writeFileSync(join(fake.folder, name), bytes);
    },
    [Symbol.asyncDispose]: () => fake[Symbol.asyncDispose](),
  };
});

const isPut =
  (part: string) =>
  ({ method, url }: IncomingMessage): boolean =>
    method === 'PUT' && url?.includes(part) === true;

test('bytes that the store refused are not vouched for when others are sent in their place', async () => {
  await using fake = await openFakeS3();
  await using storage = await openS3Storage(fake.config);
  const [first, other] = [randomBytes(1000), randomBytes(1000)];
  await storage.begin(ID);
  fake.fail = isPut('/uploads/');
  await assert.rejects(storage.append(ID, once(first), WHOLE), { code: 'UNAVAILABLE', kind: 'unavailable' });
  fake.fail = () => false;
  assert.equal(await storage.uploadSize(ID), 0);
  await storage.append(ID, once(other), WHOLE);
  await assert.rejects(storage.finish(ID, digestBytes('sha256', first)), { code: 'DIGEST_INVALID' });
  assert.equal(await storage.size(digestBytes('sha256', first)), undefined);
});

test('a blob that could not be put together is not seen, nor is what was made of it', async () => {
  await using fake = await openFakeS3();
  await using storage = await openS3Storage(fake.config);
  const bytes = randomBytes(17 << 20);
  const digest = digestBytes('sha256', bytes);
  await storage.begin(ID);
  await storage.append(ID, once(bytes.subarray(0, 9 << 20)), WHOLE);
  await storage.append(ID, once(bytes.subarray(9 << 20)), { ...WHOLE, offsetBytes: 9 << 20 });
  fake.fail = isPut('partNumber=2');
  await assert.rejects(storage.finish(ID, digest), { code: 'UNAVAILABLE' });
  assert.equal(await storage.size(digest), undefined);
  assert.ok(
    fake.requests.some((line) => /^DELETE .*uploadId=/.test(line)),
    'the multipart upload was not aborted',
  );
});

test('a finished blob is acknowledged although its parts could not be cleared away, and they are listed until they are', async () => {
  await using fake = await openFakeS3();
  await using storage = await openS3Storage(fake.config);
  const bytes = randomBytes(1000);
  await storage.begin(ID);
  await storage.append(ID, once(bytes), WHOLE);
  fake.fail = ({ method, url }) => method === 'POST' && url?.includes('delete') === true;
  assert.equal(await storage.finish(ID, digestBytes('sha256', bytes)), 1000);
  fake.fail = () => false;
  const left = [];
  for await (const { id } of storage.uploads()) left.push(id);
  assert.deepEqual(left, [ID]);
  await storage.abort(ID);
  for await (const { id } of storage.uploads()) assert.fail(`${id} is still there`);
});

test('a bucket that is missing, or does not know the account, is told at the start, without what the account is', async () => {
  await using fake = await openFakeS3();
  const cases = [
    [{ bucket: 'elsewhere' }, 'the object store failed: NoSuchBucket, status 404'],
    [{ accessKeyId: 'SOMEBODY' }, 'the object store failed: InvalidAccessKeyId, status 403'],
  ] as const;
  for (const [change, message] of cases) {
    const opened = openS3Storage({ ...fake.config, secretAccessKey: 'hushhush', ...change });
    await assert.rejects(opened, (error: Error) => {
      assert.equal(error.message, message);
      assert.doesNotMatch(inspect(error, { depth: 9, showHidden: true }), /hushhush|SOMEBODY|S3RVER|127\.0\.0\.1/);
      return true;
    });
  }
});

test('an upload of more parts than one list holds is whole after a restart, and leaves nothing', async () => {
  await using fake = await openFakeS3();
  await using storage = await openS3Storage(fake.config);
  const bytes = randomBytes(1003);
  await storage.begin(ID);
  // As if each byte had come by itself.
  const folder = join(fake.folder, 'some/where/uploads', ID);
  mkdirSync(folder, { recursive: true });
  for (let at = 0; at < bytes.length; at++) {
    const path = join(folder, `${String(at).padStart(16, '0')}._S3rver_`);
    const piece = bytes.subarray(at, at + 1);
    const etag = createHash('md5').update(piece).digest('hex');
    writeFileSync(`${path}object`, piece);
    writeFileSync(`${path}metadata.json`, JSON.stringify({ 'content-length': 1, etag: `"${etag}"` }));
    writeFileSync(`${path}object.md5`, etag);
  }
  assert.equal(await storage.uploadSize(ID), 1003);
  assert.equal(await storage.finish(ID, digestBytes('sha256', bytes)), 1003);
  assert.deepEqual(await storage.readSmall(digestBytes('sha256', bytes), 2000), bytes);
  for await (const { id } of storage.uploads()) assert.fail(`${id} is still there`);
});

test('prefixes of any letters work', async () => {
  await using fake = await openFakeS3();
  for (const prefix of ['', 'with space/ü/']) {
    await using storage = await openS3Storage({ ...fake.config, prefix });
    const bytes = randomBytes(100);
    await storage.begin(ID);
    await storage.append(ID, once(bytes), WHOLE);
    await storage.finish(ID, digestBytes('sha256', bytes));
    assert.deepEqual(await storage.readSmall(digestBytes('sha256', bytes), 100), bytes);
  }
});

test('a range is right from a store that answers with the whole', async () => {
  await using fake = await openFakeS3();
  await using storage = await openS3Storage(fake.config);
  const bytes = randomBytes(300_000);
  const digest = digestBytes('sha256', bytes);
  await storage.put(digest, bytes);
  fake.fail = (request) => {
    delete request.headers.range;
    return false;
  };
  for (const range of [
    { start: 0, end: 1 },
    { start: 70_000, end: 200_001 },
    { start: 299_999, end: 300_000 },
  ]) {
    const got = await Array.fromAsync(await storage.read(digest, range));
    assert.ok(Buffer.concat(got).equals(bytes.subarray(range.start, range.end)));
  }
});

test('parts too small for the store to copy are put together with their neighbours, and are never too many', () => {
  const sizes = (list: readonly number[]): number[][] =>
    groupsOf(list.map((mib) => ({ sizeBytes: mib << 20 }))).map((group) =>
      group.map(({ sizeBytes }) => sizeBytes >> 20),
    );
  assert.deepEqual(sizes([8, 8, 1]), [[8], [8], [1]]);
  assert.deepEqual(sizes([1, 1, 1, 8, 2]), [[1, 1, 1, 8], [2]]);
  assert.deepEqual(sizes([2, 3, 5]), [[2, 3], [5]]);
  const many = groupsOf(Array.from({ length: 25_000 }, () => ({ sizeBytes: 8 << 20 })));
  assert.ok(many.length <= 10_000);
  assert.equal(many.flat().length, 25_000);
});
