// Checks `docker load`: all is verified before any is named, and nothing stays of a load that failed.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { GantryError, isGantryError } from '../../lib/errors.ts';
import type { Digest } from '../../spec/digest.ts';
import { loadImages } from './load.ts';
import { type ImageBench, imageNamed, openImageBench } from './testing/image-bench.ts';
import { archiveOf, type BuiltImage, imageOf, layerOf, NEVER, streamOf, tarOf } from './testing/made-images.ts';
import type { LoadOptions } from './types.ts';

const [BASE, APP] = [imageNamed('base'), imageNamed('base', 'app')];
const baseLayer = BASE.layers[0]?.diffId as Digest;

function load(bench: ImageBench, archive: Buffer, options?: LoadOptions): Promise<readonly string[]> {
  return loadImages(bench.context, streamOf(archive), bench.report, NEVER, options);
}

const said = ({ progress }: ImageBench): string[] => progress.flatMap(({ stream }) => (stream ? [stream.trim()] : []));
const opened = ({ layers }: ImageBench): string[] => layers.calls.filter((call) => call.startsWith('unpack'));

test('images are loaded with their tags, each is told, and layers that they share are unpacked once', async () => {
  await using bench = openImageBench();
  const archive = archiveOf([
    { image: BASE, tags: ['base:1'] },
    { image: APP, tags: ['app:1', 'app:2'] },
  ]);
  assert.deepEqual(await load(bench, archive), ['base:1', 'app:1', 'app:2']);
  assert.deepEqual(bench.context.find('app:2').diffIds.length, 2);
  assert.deepEqual(said(bench), ['Loaded image: base:1', 'Loaded image: app:1', 'Loaded image: app:2']);
  assert.deepEqual(
    bench.events(),
    [BASE, APP].map(({ id }) => `load ${id} ${id}`),
  );
  assert.equal(opened(bench).length, 2);
  // Comparing a layer reads all of it.
  assert.equal(bench.layers.calls.filter((call) => call === `isWhole ${baseLayer}`).length, 1);
  assert.equal(bench.layers.holds.size, 0);
});

test('an image without a tag is told by its id', async () => {
  await using bench = openImageBench();
  assert.deepEqual(await load(bench, archiveOf([{ image: BASE, tags: [] }])), [BASE.id]);
  assert.deepEqual(said(bench), [`Loaded image ID: ${BASE.id}`]);
});

test('a tag that another image had moves, and who loses it is told', async () => {
  await using bench = openImageBench();
  await bench.add(BASE, 'x:1');
  await load(bench, archiveOf([{ image: APP, tags: ['x:1'] }]));
  assert.equal(bench.context.find('x:1').id, APP.id);
  assert.deepEqual(said(bench), [
    `The image x:1 already exists, renaming the old one with ID ${BASE.id} to empty string`,
    'Loaded image: x:1',
  ]);
});

test('a layer that is here and whole is not unpacked, one that is damaged is', async () => {
  await using bench = openImageBench();
  await bench.add(APP);
  bench.layers.damage(baseLayer, 'a file is gone');
  await load(bench, archiveOf([{ image: APP, tags: ['app:1'] }]));
  assert.deepEqual(opened(bench), [`unpack ${baseLayer}`]);
  assert.equal(await bench.layers.isWhole(baseLayer), true);
});

const windows = imageOf([], { os: 'windows' });
const arm = imageOf(BASE.layers, { architecture: 'arm64', variant: 'v8' });

test('of an archive the image of the platform asked for is loaded; without one that is said', async () => {
  await using bench = openImageBench();
  const amd = imageOf(BASE.layers, { architecture: 'amd64' });
  const archive = archiveOf([
    { image: amd, tags: ['amd:1'] },
    { image: arm, tags: ['arm:1'] },
  ]);
  const arm64 = { os: 'linux', architecture: 'arm64', variant: 'v8' };
  assert.deepEqual(await load(bench, archive, { platform: arm64 }), ['arm:1']);
  const platform = { os: 'linux', architecture: 's390x' };
  const isNone = (error: unknown): boolean => isGantryError(error, 'notFound') && /linux\/s390x/.test(error.message);
  await assert.rejects(load(bench, archive, { platform }), isNone);
});

/** An image whose last layer in the archive is another than its configuration says. */
const lying: BuiltImage = { ...APP, layers: [...BASE.layers, layerOf(tarOf({ name: 'evil' }), 'none')] };

/** What is wrong with the second image of an archive. */
const BAD: readonly (readonly [string, BuiltImage, RegExp])[] = [
  ['is of another system', windows, /cannot load windows image on linux/],
  ['has fewer layers than it says', { ...APP, layers: BASE.layers }, /layers length mismatch: expected 1, got 2/],
  ['has a configuration that is none', { ...APP, config: Buffer.from('[]') }, /./],
];

for (const [what, image, words] of BAD) {
  test(`an archive of which the second image ${what} loads none of them`, async () => {
    await using bench = openImageBench();
    const archive = archiveOf([
      { image: BASE, tags: ['base:1'] },
      { image, tags: ['bad:1'] },
    ]);
    await assert.rejects(load(bench, archive), (error) => isGantryError(error, 'invalid') && words.test(error.message));
    assert.deepEqual([bench.context.records.all(), await bench.kept(), opened(bench)], [[], [], []]);
  });
}

/** Ways to fail in the midst of a load. */
const FAILING: Readonly<Record<string, (bench: ImageBench) => BuiltImage>> = {
  'has another layer than it says': () => lying,
  'finds no room for a layer': (bench) => {
    bench.layers.failures.set('unpack', new GantryError('exhausted', 'NO_SPACE', 'full'));
    return APP;
  },
  'finds no room for its configuration': (bench) => {
    bench.failPut = new GantryError('exhausted', 'NO_SPACE', 'full');
    return APP;
  },
};

for (const [what, prepare] of Object.entries(FAILING)) {
  test(`an image that ${what} is not named, and nothing of it stays`, async () => {
    await using bench = openImageBench();
    const image = prepare(bench);
    await assert.rejects(load(bench, archiveOf([{ image, tags: ['x:1'] }])), isGantryError);
    assert.deepEqual([bench.context.records.all(), await bench.kept(), bench.events()], [[], [], []]);
    assert.deepEqual([bench.layers.get(baseLayer), bench.layers.holds.size], [undefined, 0]);
  });
}

test('a load that fails takes nothing away from images that were here', async () => {
  await using bench = openImageBench();
  await bench.add(BASE, 'base:1');
  await assert.rejects(load(bench, archiveOf([{ image: lying, tags: ['x:1'] }])), isGantryError);
  assert.ok(bench.layers.get(baseLayer));
  assert.deepEqual(await bench.kept(), [BASE.id]);
});

test('a sweep in the midst of a load does not take its layers', async () => {
  await using bench = openImageBench();
  const put = bench.blobs.put;
  Object.assign(bench.blobs, {
    put: async (bytes: Uint8Array, expected?: Digest) => {
      await bench.context.sweep();
      return put(bytes, expected);
    },
  });
  await load(bench, archiveOf([{ image: APP, tags: ['app:1'] }]));
  assert.ok(APP.layers.every(({ diffId }) => bench.layers.get(diffId)));
});
