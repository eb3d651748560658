// Checks the records of images: names, hidden images, and that all of it is there after a restart.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Digest } from '../../spec/digest.ts';
import { parseImageConfig } from '../../spec/oci/image-config.ts';
import { type Database, openDatabase } from '../../store/database.ts';
import { ImageRecords } from './records.ts';
import { imageNamed } from './testing/image-bench.ts';

const [A, B] = [imageNamed('a'), imageNamed('b')];
const TIME = '2024-01-01T00:00:00Z';
const BLOB = `sha256:${'e'.repeat(64)}` as Digest;

function add(records: ImageRecords, { id, config }: typeof A, blobs: readonly Digest[] = [id]): void {
  records.add({ id, facts: parseImageConfig(config), sizeBytes: 5, blobs });
}

/** Records with the images A and B, and what they are after a restart. */
function opened(): { readonly db: Database; readonly records: ImageRecords; again(): ImageRecords } {
  const db = openDatabase(':memory:');
  const records = new ImageRecords(db);
  add(records, A);
  add(records, B);
  return { db, records, again: () => new ImageRecords(db) };
}

test('names, sizes and times of images are the same after a restart', () => {
  const { records, again } = opened();
  records.setRef('docker.io/library/a:1', A.id, TIME);
  records.setRef(`docker.io/library/a@${BLOB}`, A.id);
  records.remove(B.id, true);
  assert.deepEqual(again().all(), records.all());
  assert.deepEqual(again().allStored(), records.allStored());
  const image = again().get(A.id);
  assert.deepEqual(image?.repoTags, ['a:1']);
  assert.deepEqual(image?.repoDigests, [`a@${BLOB}`]);
  assert.equal(image?.lastTagTime, TIME);
});

test('a name that moves to another image is taken from the first, also after a restart', () => {
  const { records, again } = opened();
  records.setRef('docker.io/library/x:1', A.id, TIME);
  records.setRef('docker.io/library/x:1', B.id, TIME);
  for (const now of [records, again()]) {
    assert.equal(now.resolve('docker.io/library/x:1'), B.id);
    assert.deepEqual([now.refsOf(A.id), now.refsOf(B.id)], [[], ['docker.io/library/x:1']]);
  }
});

test('a digest that names an image is no tag, so it changes no time of tagging', () => {
  const { records } = opened();
  records.setRef(`docker.io/library/a@${BLOB}`, A.id);
  assert.equal(records.get(A.id)?.lastTagTime, '0001-01-01T00:00:00Z');
});

test('the tags of a repository are its own: not those of one that begins like it, and no digests', () => {
  const { records } = opened();
  for (const ref of [
    'docker.io/library/a:2',
    'docker.io/library/a:1',
    'docker.io/library/ab:1',
    `docker.io/library/a@${BLOB}`,
  ]) {
    records.setRef(ref, A.id);
  }
  assert.deepEqual(records.tagsIn('docker.io/library/a'), ['docker.io/library/a:1', 'docker.io/library/a:2']);
});

test('a name that was removed names nothing, also after a restart', () => {
  const { records, again } = opened();
  records.setRef('docker.io/library/a:1', A.id, TIME);
  records.removeRef('docker.io/library/a:1');
  for (const now of [records, again()]) {
    assert.equal(now.resolve('docker.io/library/a:1'), undefined);
    assert.deepEqual(now.get(A.id)?.repoTags, []);
  }
});

test('an image that was removed under its containers is seen by nobody, but its layers are known', () => {
  const { records, again } = opened();
  records.remove(A.id, true);
  for (const now of [records, again()]) {
    assert.equal(now.get(A.id), undefined);
    assert.deepEqual(
      now.all().map(({ id }) => id),
      [B.id],
    );
    assert.deepEqual(now.startingWith(A.id.slice('sha256:'.length, 20)), []);
    assert.equal(now.stored(A.id)?.removed, true);
  }
});

test('an image that comes again is seen again, and keeps its tag time and all of its manifests', () => {
  const { records } = opened();
  records.setRef('docker.io/library/a:1', A.id, TIME);
  records.remove(A.id, true);
  add(records, A, [BLOB]);
  assert.equal(records.get(A.id)?.lastTagTime, TIME);
  assert.deepEqual(records.stored(A.id)?.blobs, [A.id, BLOB]);
});

test('an image that is forgotten is forgotten, also after a restart; forgetting it twice is no error', () => {
  const { records, again } = opened();
  records.remove(A.id, false);
  records.remove(A.id, false);
  for (const now of [records, again()]) assert.equal(now.stored(A.id), undefined);
});

test('a name for an image that is not there is refused by the records', () => {
  const { records } = opened();
  assert.throws(() => records.setRef('docker.io/library/x:1', BLOB, TIME));
  assert.equal(records.resolve('docker.io/library/x:1'), undefined);
});
