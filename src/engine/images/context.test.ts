// Checks how an image is found, and that no sweep takes what somebody needs or is just bringing.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { isGantryError } from '../../lib/errors.ts';
import type { Digest } from '../../spec/digest.ts';
import { type ImageBench, imageNamed, openImageBench } from './testing/image-bench.ts';
import { imageOf } from './testing/made-images.ts';

const [A, B] = [imageNamed('a'), imageNamed('b')];
const MANIFEST = `sha256:${'e'.repeat(64)}` as Digest;
const hex = (id: Digest): string => id.slice('sha256:'.length);
const layerOfA = A.layers[0]?.diffId as Digest;

test('an image is found by its id, its name in every form, and a prefix of its id', async () => {
  await using bench = openImageBench();
  await bench.add(A, 'nginx', 'r.example:5000/app:2', `nginx@${MANIFEST}`);
  const texts = [
    A.id,
    hex(A.id),
    hex(A.id).slice(0, 3),
    `sha256:${hex(A.id).slice(0, 12)}`,
    'nginx',
    'nginx:latest',
    'docker.io/library/nginx',
    'r.example:5000/app:2',
    `nginx@${MANIFEST}`,
    // A digest decides alone.
    `nginx:other@${MANIFEST}`,
  ];
  for (const text of texts) assert.equal(bench.context.find(text).id, A.id, text);
});

test('a name wins over a prefix of another image’s id', async () => {
  await using bench = openImageBench();
  await bench.add(A, hex(B.id).slice(0, 6));
  await bench.add(B);
  assert.equal(bench.context.find(hex(B.id).slice(0, 6)).id, A.id);
});

for (const [text, shown] of [
  ['nginx', 'nginx:latest'],
  ['docker.io/library/nginx:1', 'nginx:1'],
  ['0'.repeat(64), `sha256:${'0'.repeat(64)}`],
  ['sha256:00', 'sha256:00'],
] as const) {
  test(`an image that is not there is named in Docker’s form: ${shown}`, async () => {
    await using bench = openImageBench();
    const isMissing = (error: unknown): boolean =>
      isGantryError(error, 'notFound') && error.message === `No such image: ${shown}`;
    assert.throws(() => bench.context.find(text), isMissing);
  });
}

test('a prefix that two images have names neither', async () => {
  await using bench = openImageBench();
  // Of twenty images two begin with the same digit.
  const images = Array.from({ length: 20 }, (_, n) => imageOf([], { comment: String(n) }));
  for (const image of images) await bench.add(image);
  const digits = images.map(({ id }) => hex(id).slice(0, 1));
  const twice = digits.find((digit, at) => digits.indexOf(digit) !== at) ?? '';
  assert.throws(() => bench.context.find(twice), /No such image/);
});

/** An image without a name or record: only its content is there. */
async function bringOnly(bench: ImageBench): Promise<void> {
  for (const { tar } of A.layers) bench.layers.have(tar);
  await bench.blobs.put(A.config);
}

test('a sweep takes layers and content that no image has, and leaves those of images', async () => {
  await using bench = openImageBench();
  await bringOnly(bench);
  await bench.add(B, 'b');
  assert.equal(await bench.context.sweep(), 1);
  assert.equal(bench.layers.get(layerOfA), undefined);
  assert.deepEqual(await bench.kept(), [B.id]);
});

test('content that a running pull has brought is not swept away before it is named', async () => {
  await using bench = openImageBench();
  const bringing = await bench.context.bringing();
  await bringOnly(bench);
  await bench.context.sweep();
  assert.deepEqual(await bench.kept(), [A.id]);
  // Another one ends first: what the first brought is still without a name.
  await (await bench.context.bringing())[Symbol.asyncDispose]();
  assert.deepEqual(await bench.kept(), [A.id]);
  await bringing[Symbol.asyncDispose]();
  assert.deepEqual(await bench.kept(), [], 'the last one sweeps what was put off');
});

test('a verb that brings content begins when a sweep of content has ended', async () => {
  await using bench = openImageBench();
  await bringOnly(bench);
  const order: string[] = [];
  const sweep = bench.context.sweep().then(() => order.push('swept'));
  await new Promise(setImmediate);
  const bringing = await bench.context.bringing();
  order.push('bringing');
  await sweep;
  await bringing[Symbol.asyncDispose]();
  assert.deepEqual(order, ['swept', 'bringing']);
});

test('an image removed under its containers goes with the last of them', async () => {
  await using bench = openImageBench();
  await bench.add(A);
  bench.users.set(A.id, [{ containerId: 'c', running: false }]);
  bench.context.records.remove(A.id, true);
  await bench.context.sweep();
  assert.ok(bench.layers.get(layerOfA));
  bench.users.clear();
  await bench.context.sweep();
  assert.equal(bench.context.records.stored(A.id), undefined);
  assert.equal(bench.layers.get(layerOfA), undefined);
});

test('a lent image stays until the last lease of it ends; ending one twice ends it once', async () => {
  await using bench = openImageBench();
  await bench.add(A);
  const [first, second] = [bench.context.leased(A.id), bench.context.leased(A.id)];
  bench.context.records.remove(A.id, true);
  await first[Symbol.asyncDispose]();
  await first[Symbol.asyncDispose]();
  assert.equal(bench.context.isUsed(A.id), true);
  assert.ok(bench.layers.get(layerOfA));
  await second[Symbol.asyncDispose]();
  assert.equal(bench.layers.get(layerOfA), undefined);
});

test('a sweep that fails does not hide what a verb has to tell, and the next one does its work', async () => {
  await using bench = openImageBench();
  await bringOnly(bench);
  bench.layers.failures.set('sweep', new Error('the disk hangs'));
  await assert.rejects(bench.context.sweep(), /the disk hangs/);
  await bench.context.trySweep();
  assert.ok(bench.layers.get(layerOfA));
  bench.layers.failures.clear();
  await bench.context.trySweep();
  assert.equal(bench.layers.get(layerOfA), undefined);
});
