// Checks `docker save`: what an archive holds, that it loads again, and that a damaged layer never looks like a good archive.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { GantryError, isGantryError } from '../../lib/errors.ts';
import type { Digest } from '../../spec/digest.ts';
import { type Spool, spoolArchive } from './archive/index.ts';
import { loadImages } from './load.ts';
import { saveImages } from './save.ts';
import { type ImageBench, imageNamed, openImageBench } from './testing/image-bench.ts';
import { collect, imageOf, NEVER, streamOf } from './testing/made-images.ts';

const [BASE, APP] = [imageNamed('base'), imageNamed('base', 'app')];
const baseLayer = BASE.layers[0]?.diffId as Digest;

const save = (bench: ImageBench, ...refs: readonly string[]): Promise<Buffer> =>
  collect(saveImages(bench.context, refs, NEVER));

const membersOf = async (bench: ImageBench, archive: Buffer): Promise<Spool> =>
  spoolArchive(
    (async function* () {
      yield archive;
    })(),
    bench.blobs,
    NEVER,
  );

/** `RepoTags` of every image in the archive that saving `refs` gives. */
async function tagsIn(bench: ImageBench, ...refs: readonly string[]): Promise<unknown[]> {
  await using members = await membersOf(bench, await save(bench, ...refs));
  const items = JSON.parse((await members.read('manifest.json')).toString()) as { RepoTags: unknown }[];
  return items.map(({ RepoTags }) => RepoTags);
}

test('what is saved loads elsewhere as the same images with the same names', async () => {
  await using bench = openImageBench();
  await bench.add(BASE, 'base:1');
  await bench.add(APP, 'r.example/app:2');
  const archive = await save(bench, 'base:1', 'r.example/app:2');
  await using other = openImageBench();
  const loaded = await loadImages(other.context, streamOf(archive), other.report, NEVER);
  assert.deepEqual(loaded, ['base:1', 'r.example/app:2']);
  assert.deepEqual([other.context.find('base:1').id, other.context.find('r.example/app:2').id], [BASE.id, APP.id]);
  assert.deepEqual(
    bench.events(),
    [BASE, APP].map(({ id }) => `save ${id} ${id}`),
  );
});

test('the same images give the same archive, byte for byte', async () => {
  await using bench = openImageBench();
  await bench.add(APP, 'app:1');
  assert.ok((await save(bench, 'app:1')).equals(await save(bench, 'app:1')));
});

test('a name gives its tag, a repository all of its tags, an id none, and each image comes once', async () => {
  await using bench = openImageBench();
  await bench.add(BASE, 'app:1', 'app:2', 'other:1');
  await bench.add(APP, 'app:3');
  assert.deepEqual(await tagsIn(bench, 'app:1'), [['app:1']]);
  assert.deepEqual(await tagsIn(bench, 'app'), [['app:1', 'app:2'], ['app:3']]);
  assert.deepEqual(await tagsIn(bench, BASE.id), [null]);
  assert.deepEqual(await tagsIn(bench, BASE.id, 'other:1', 'app:2', 'app:2'), [['other:1', 'app:2']]);
});

test('a layer that two images share is in the archive once', async () => {
  await using bench = openImageBench();
  await bench.add(BASE, 'base:1');
  await bench.add(APP, 'app:1');
  const [one, both] = [await save(bench, 'app:1'), await save(bench, 'app:1', 'base:1')];
  const name = `blobs/sha256/${baseLayer.slice('sha256:'.length)}`;
  assert.equal(both.toString('latin1').split(`${name}\0`).length, 2);
  assert.ok(both.length > one.length);
});

test('images are looked for before the first byte is sent', async () => {
  await using bench = openImageBench();
  await bench.add(BASE, 'base:1');
  assert.throws(() => saveImages(bench.context, ['base:1', 'nothing'], NEVER), /No such image: nothing$/);
  const platform = { os: 'linux', architecture: 's390x' };
  const isOther = (error: unknown): boolean => isGantryError(error) && error.code === 'NO_MATCHING_IMAGE';
  assert.throws(() => saveImages(bench.context, ['base:1'], NEVER, { platform }), isOther);
});

const withCode = (code: string) => (error: unknown) => isGantryError(error, 'system') && error.code === code;

test('a layer or configuration that is lost is named with its image before the archive begins', async () => {
  await using bench = openImageBench();
  await bench.add(BASE, 'base:1');
  bench.layers.lose(baseLayer);
  const first = saveImages(bench.context, ['base:1'], NEVER)[Symbol.asyncIterator]().next();
  await assert.rejects(first, withCode('LAYER_LOST'));
  await bench.add(BASE, 'base:1');
  await bench.blobs.remove(BASE.id);
  await assert.rejects(save(bench, 'base:1'), withCode('CONFIG_LOST'));
});

test('a layer that is damaged breaks the archive off: it must not look whole', async () => {
  await using bench = openImageBench();
  await bench.add(BASE, 'base:1');
  bench.layers.failures.set('tar', new GantryError('system', 'LAYER_DAMAGED', 'the file a is gone'));
  const isNamed = (error: unknown): boolean =>
    withCode('LAYER_LOST')(error) && /the file a is gone/.test(String(error));
  await assert.rejects(save(bench, 'base:1'), isNamed);
  bench.layers.failures.clear();
  // The disk gives other bytes, as many.
  const tar = bench.layers.tar.bind(bench.layers);
  bench.layers.tar = async function* (diffId) {
    for await (const piece of tar(diffId)) yield Buffer.alloc(piece.length, 1);
  };
  await assert.rejects(save(bench, 'base:1'), withCode('LAYER_LOST'));
});

test('layers are held while they are sent, and not a moment longer', async () => {
  await using bench = openImageBench();
  await bench.add(BASE, 'base:1');
  const archive = saveImages(bench.context, ['base:1'], NEVER)[Symbol.asyncIterator]();
  await archive.next();
  assert.ok(bench.layers.holds.has(baseLayer));
  await archive.return?.();
  assert.equal(bench.layers.holds.size, 0);
});

test('a save that is called off ends in the midst of a layer', async () => {
  await using bench = openImageBench();
  await bench.add(BASE, 'base:1');
  const stopped = collect(saveImages(bench.context, ['base:1'], AbortSignal.abort()));
  await assert.rejects(stopped, (error) => isGantryError(error, 'cancelled'));
});

test('an image of no layers is saved', async () => {
  await using bench = openImageBench();
  await bench.add(imageOf([]), 'empty:1');
  assert.deepEqual(await tagsIn(bench, 'empty:1'), [['empty:1']]);
});
