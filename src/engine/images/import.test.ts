// Checks `docker import`: what the image becomes, and that nothing stays of one that failed.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { GantryError, isGantryError } from '../../lib/errors.ts';
import type { Digest } from '../../spec/digest.ts';
import { hostPlatform } from '../../spec/platform.ts';
import { importImage } from './import.ts';
import { BENCH_TIME, type ImageBench, openImageBench } from './testing/image-bench.ts';
import { layerOf, NEVER, streamOf, tarOf } from './testing/made-images.ts';
import type { ImageRecord, ImportRequest } from './types.ts';

const { tar, blob, diffId } = layerOf(tarOf({ name: 'etc/hostname', data: 'x' }));

const run = (bench: ImageBench, request: Partial<ImportRequest> = {}, signal = NEVER): Promise<ImageRecord> =>
  importImage(bench.context, streamOf(blob), { changes: [], message: '', ...request }, bench.report, signal);

/** What is there when nothing is. */
async function isEmpty(bench: ImageBench): Promise<boolean> {
  const { layers, context } = bench;
  const nothingHeld = layers.freezes === 0 && layers.holds.size === 0;
  return nothingHeld && !layers.get(diffId) && context.records.all().length === 0 && (await bench.kept()).length === 0;
}

test('a root file system becomes an image of one layer for this host, with the changes asked for', async () => {
  await using bench = openImageBench();
  const image = await run(bench, { reference: 'app:2', changes: ['CMD ["sh"]', 'LABEL a=1'], message: 'by hand' });
  assert.deepEqual(image.diffIds, [diffId]);
  assert.deepEqual([image.config.Cmd, image.config.Labels], [['sh'], { a: '1' }]);
  assert.deepEqual([image.comment, image.created, image.history.length], ['by hand', BENCH_TIME, 1]);
  assert.deepEqual(image.platform, hostPlatform());
  assert.deepEqual(image.repoTags, ['app:2']);
  assert.equal(bench.layers.get(diffId)?.tarBytes, tar.length);
  assert.deepEqual(bench.events(), [`tag ${image.id} app:2`, `import ${image.id} ${image.id}`]);
  assert.deepEqual(bench.progress, [{ status: image.id }]);
});

test('an image without a name is named by its id only', async () => {
  await using bench = openImageBench();
  const image = await run(bench);
  assert.deepEqual([image.repoTags, image.comment], [[], 'Imported from -']);
  assert.deepEqual(bench.events(), [`import ${image.id} ${image.id}`]);
  assert.equal(bench.context.find(image.id).id, image.id);
});

const REFUSED: readonly (readonly [string, Partial<ImportRequest>, RegExp])[] = [
  ['a change that is none', { changes: ['RUN x'] }, /RUN is not a valid change command/],
  ['a bad name', { reference: 'A' }, /must be lowercase/],
  ['a name by digest', { reference: `a@sha256:${'0'.repeat(64)}` }, /cannot import digest reference/],
  ['another system', { platform: { os: 'windows', architecture: 'amd64' } }, /operating system is not supported/],
];

for (const [what, request, words] of REFUSED) {
  test(`an import with ${what} is refused before anything is read`, async () => {
    await using bench = openImageBench();
    await assert.rejects(run(bench, request), (error) => isGantryError(error, 'invalid') && words.test(error.message));
    assert.deepEqual(bench.layers.calls, []);
  });
}

/** Makes a step fail; the names of the steps are the order of them. */
const STEPS: Readonly<Record<string, (bench: ImageBench) => void>> = {
  unpacking: ({ layers }) => layers.failures.set('unpack', new GantryError('exhausted', 'NO_SPACE', 'full')),
  'keeping the configuration': (bench) => {
    bench.failPut = new GantryError('exhausted', 'NO_SPACE', 'full');
  },
};

for (const [step, breakIt] of Object.entries(STEPS)) {
  test(`an import that fails at ${step} leaves nothing, and tells nothing`, async () => {
    await using bench = openImageBench();
    breakIt(bench);
    await assert.rejects(run(bench, { reference: 'app' }), /full/);
    assert.ok(await isEmpty(bench));
    assert.deepEqual(bench.events(), []);
  });
}

test('an import that is called off leaves nothing, be it with its last byte', async () => {
  await using bench = openImageBench();
  const stop = new AbortController();
  const unpack = bench.layers.unpack.bind(bench.layers);
  bench.layers.unpack = async (source, signal) => {
    const layer = await unpack(source, signal);
    stop.abort();
    return layer;
  };
  await assert.rejects(run(bench, {}, stop.signal), (error) => isGantryError(error, 'cancelled'));
  assert.ok(await isEmpty(bench));
});

test('a sweep in the midst of an import does not take its layer', async () => {
  await using bench = openImageBench();
  const put = bench.blobs.put;
  Object.assign(bench.blobs, {
    put: async (bytes: Uint8Array, expected?: Digest) => {
      await bench.context.sweep();
      return put(bytes, expected);
    },
  });
  await run(bench);
  assert.ok(bench.layers.get(diffId));
});
