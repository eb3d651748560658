// Checks how an image's layers are lent to a container, and what is said of its layers and their room.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { isGantryError } from '../../lib/errors.ts';
import type { Digest } from '../../spec/digest.ts';
import { adoptImages } from './adopt.ts';
import { layerPaths, leaseImage } from './lease.ts';
import { imageNamed, openImageBench } from './testing/image-bench.ts';
import { layerSizes, usageOf } from './usage.ts';

const [BASE, APP] = [imageNamed('base'), imageNamed('base', 'app')];
const [baseLayer, appLayer] = APP.layers.map(({ diffId }) => diffId) as [Digest, Digest];

test('layers are lent topmost first, as overlayfs wants them, and shown so with their folder', async () => {
  await using bench = openImageBench();
  await bench.add(APP);
  const [base, app] = [baseLayer, appLayer].map((diffId) => bench.layers.get(diffId)?.directory);
  await using lease = await leaseImage(bench.context, APP.id);
  assert.deepEqual([lease.layersDir, lease.lowerDirs], ['/layers', [app, base]]);
  assert.deepEqual(layerPaths(bench.context, APP.id), [`/layers/${app}`, `/layers/${base}`]);
});

test('a layer that an image has twice is lent once, at its topmost place: overlayfs refuses a folder twice', async () => {
  await using bench = openImageBench();
  const image = imageNamed('a', 'b', 'a');
  await bench.add(image);
  const [a, b] = image.layers.map(({ diffId }) => bench.layers.get(diffId)?.directory);
  await using lease = await leaseImage(bench.context, image.id);
  assert.deepEqual(lease.lowerDirs, [a, b]);
  assert.equal(layerPaths(bench.context, image.id).length, 2);
});

test('an image that is removed while it is lent keeps its layers until it is given back', async () => {
  await using bench = openImageBench();
  await bench.add(APP);
  const lease = await leaseImage(bench.context, APP.id);
  bench.context.records.remove(APP.id, true);
  await bench.context.sweep();
  assert.ok(bench.layers.get(appLayer));
  // Its container may start once more.
  await (await leaseImage(bench.context, APP.id))[Symbol.asyncDispose]();
  assert.ok(bench.layers.get(appLayer));
  await lease[Symbol.asyncDispose]();
  assert.equal(bench.layers.get(appLayer), undefined);
});

test('a damaged layer is named with what to do, and the image is not kept for a start that failed', async () => {
  await using bench = openImageBench();
  await bench.add(APP);
  bench.layers.damage(baseLayer, 'a file is gone');
  const isNamed = (error: unknown): boolean =>
    isGantryError(error, 'system') &&
    error.message === `layer ${baseLayer} of image ${APP.id} is damaged: a file is gone` &&
    /pull or load/.test(error.hint ?? '');
  await assert.rejects(leaseImage(bench.context, APP.id), isNamed);
  assert.equal(bench.context.isUsed(APP.id), false);
});

test('an image with a lost layer cannot be lent, and shows no folders', async () => {
  await using bench = openImageBench();
  await bench.add(APP);
  bench.layers.lose(appLayer);
  await assert.rejects(leaseImage(bench.context, APP.id), /is damaged: it is not there/);
  assert.deepEqual(layerPaths(bench.context, APP.id), []);
});

test('an image that is not there cannot be lent', async () => {
  await using bench = openImageBench();
  await assert.rejects(leaseImage(bench.context, APP.id), /No such image: sha256:/);
});

test('df counts a layer once, and tells what images share', async () => {
  await using bench = openImageBench();
  await bench.add(BASE);
  await bench.add(APP);
  const twice = imageNamed('x', 'x');
  await bench.add(twice);
  // `base` has 4 bytes, `app` 3, `x` 1; a layer that one image has twice is not shared.
  const { layersBytes, sharedBytes } = usageOf(bench.context);
  assert.equal(layersBytes, 4 + 3 + 1);
  assert.deepEqual(
    [BASE, APP, twice].map(({ id }) => sharedBytes.get(id)),
    [4, 4, 0],
  );
  assert.deepEqual(layerSizes(bench.context, APP.id), [4, 3]);
});

test('df counts also an image that was removed under its containers: its layers take room', async () => {
  await using bench = openImageBench();
  await bench.add(BASE);
  await bench.add(APP);
  bench.context.records.remove(APP.id, true);
  assert.equal(usageOf(bench.context).layersBytes, 7);
  assert.equal(usageOf(bench.context).sharedBytes.get(BASE.id), 4);
});

test('after records were lost the images come back whose layers and configuration are all there', async () => {
  await using bench = openImageBench();
  for (const { tar } of APP.layers) bench.layers.have(tar);
  const lost = imageNamed('lost');
  for (const { config } of [BASE, APP, lost]) await bench.blobs.put(config);
  // Content that is no configuration, and one of an image without layers, for which anything would do.
  await bench.blobs.put(Buffer.from('no JSON'));
  await bench.blobs.put(imageNamed().config);
  assert.deepEqual(await adoptImages(bench.context), { layers: 0, images: 2 });
  const back = bench.context.records.all().map(({ id }) => id);
  assert.deepEqual(back.sort(), [BASE.id, APP.id].sort());
  assert.deepEqual(await adoptImages(bench.context), { layers: 0, images: 0 });
});
