// Checks Docker's rules of `docker rmi` and `docker image prune`: what goes, what is refused, and in which words.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { isGantryError } from '../../lib/errors.ts';
import type { Digest } from '../../spec/digest.ts';
import { chainIds } from './chain.ts';
import { pruneImages, removeImage } from './remove.ts';
import { type ImageBench, imageNamed, openImageBench } from './testing/image-bench.ts';
import { type BuiltImage, imageOf } from './testing/made-images.ts';
import type { ImagePruneFilters } from './types.ts';

const BASE = imageNamed('base');
const APP = imageNamed('base', 'app');
const MANIFEST = `sha256:${'e'.repeat(64)}` as Digest;
const CONTAINER = 'c'.repeat(64);
const short = ({ id }: BuiltImage): string => id.slice('sha256:'.length, 19);
const chainOf = ({ layers }: BuiltImage): readonly Digest[] => chainIds(layers.map(({ diffId }) => diffId));

async function withImages(work: (bench: ImageBench) => Promise<void>): Promise<void> {
  await using bench = openImageBench();
  await work(bench);
}

/** What removing `ref` tells, each part as text. */
async function remove(bench: ImageBench, ref: string, force = false): Promise<string[]> {
  const parts = await removeImage(bench.context, ref, { force, prune: true });
  return parts.map(({ untagged, deleted }) => (untagged === undefined ? `deleted ${deleted}` : `untagged ${untagged}`));
}

const conflict = (words: string) => (error: unknown) =>
  isGantryError(error, 'conflict') && error.code === 'IMAGE_IN_USE' && error.message.endsWith(words);

test('removing the last name deletes the image, names its layers topmost first, and gives their room back', () =>
  withImages(async (bench) => {
    await bench.add(APP, 'app:1');
    const [base, top] = chainOf(APP);
    assert.deepEqual(await remove(bench, 'app:1'), [
      'untagged app:1',
      `deleted ${APP.id}`,
      `deleted ${top}`,
      `deleted ${base}`,
    ]);
    assert.deepEqual(bench.events(), [`untag ${APP.id} ${APP.id}`, `delete ${APP.id} ${APP.id}`]);
    assert.deepEqual(await bench.kept(), []);
    assert.ok(APP.layers.every(({ diffId }) => bench.layers.get(diffId) === undefined));
  }));

test('layers that another image has stay, and are not told as deleted', () =>
  withImages(async (bench) => {
    await bench.add(BASE, 'base');
    await bench.add(APP, 'app');
    assert.deepEqual(await remove(bench, 'app'), [
      'untagged app:latest',
      `deleted ${APP.id}`,
      `deleted ${chainOf(APP)[1]}`,
    ]);
    assert.ok(bench.layers.get(BASE.layers[0]?.diffId as Digest));
    assert.deepEqual(await bench.kept(), [BASE.id]);
  }));

test('one of several names goes alone; with the last tag of a repository its digests go too', () =>
  withImages(async (bench) => {
    await bench.add(APP, 'app:1', 'app:2', `app@${MANIFEST}`, 'other:1');
    assert.deepEqual(await remove(bench, 'app:1'), ['untagged app:1']);
    assert.deepEqual(await remove(bench, 'app:2'), ['untagged app:2', `untagged app@${MANIFEST}`]);
    assert.deepEqual(bench.context.find('other:1').repoTags, ['other:1']);
  }));

test('a digest that is removed by name takes no tag with it', () =>
  withImages(async (bench) => {
    await bench.add(APP, 'app:1', `app@${MANIFEST}`);
    assert.deepEqual(await remove(bench, `app:1@${MANIFEST}`), [`untagged app@${MANIFEST}`]);
    assert.equal(bench.context.find('app:1').id, APP.id);
  }));

test('an id with names in several repositories must be forced, and then all of them go', () =>
  withImages(async (bench) => {
    await bench.add(APP, 'app:1', 'other:1');
    const words = `unable to delete ${short(APP)} (must be forced) - image is referenced in multiple repositories`;
    await assert.rejects(remove(bench, APP.id), conflict(words));
    assert.deepEqual(bench.context.find(APP.id).repoTags, ['app:1', 'other:1']);
    assert.deepEqual((await remove(bench, short(APP), true)).slice(0, 2), ['untagged app:1', 'untagged other:1']);
  }));

test('an id with one tag and its digest needs no force', () =>
  withImages(async (bench) => {
    await bench.add(APP, 'app:1', `app@${MANIFEST}`);
    assert.equal((await remove(bench, APP.id)).length, 5);
  }));

/** The state of the one container, the name used, force; and how it ends. */
const USED: readonly (readonly [running: boolean, by: 'name' | 'id', force: boolean, words: string | undefined])[] = [
  [
    false,
    'name',
    false,
    `unable to remove repository reference "app" (must force) - container ${'c'.repeat(12)} is using its referenced image ${short(APP)}`,
  ],
  [false, 'id', false, `(must be forced) - image is being used by stopped container ${'c'.repeat(12)}`],
  [true, 'id', false, `(cannot be forced) - image is being used by running container ${'c'.repeat(12)}`],
  [true, 'id', true, `(cannot be forced) - image is being used by running container ${'c'.repeat(12)}`],
  [false, 'name', true, undefined],
  [false, 'id', true, undefined],
];

for (const [running, by, force, words] of USED) {
  const what = `an image of a ${running ? 'running' : 'stopped'} container, by ${by}${force ? ', forced,' : ''}`;
  test(`${what} is ${words === undefined ? 'removed' : 'refused in Docker’s words'}`, () =>
    withImages(async (bench) => {
      await bench.add(APP, 'app');
      bench.users.set(APP.id, [{ containerId: CONTAINER, running }]);
      const removing = remove(bench, by === 'name' ? 'app' : APP.id, force);
      if (words === undefined) {
        // Its layers are still under the container: they are not told, and stay.
        assert.deepEqual(await removing, ['untagged app:latest', `deleted ${APP.id}`]);
        assert.throws(() => bench.context.find('app'), /No such image/);
        assert.ok(APP.layers.every(({ diffId }) => bench.layers.get(diffId)));
      } else {
        await assert.rejects(removing, conflict(words));
        assert.equal(bench.context.find('app').id, APP.id);
        assert.deepEqual(bench.events(), []);
      }
    }));
}

test('of a running container’s image a forced removal by name takes the name, and leaves the image', () =>
  withImages(async (bench) => {
    await bench.add(APP, 'app');
    bench.users.set(APP.id, [{ containerId: CONTAINER, running: true }]);
    assert.deepEqual(await remove(bench, 'app', true), ['untagged app:latest']);
    assert.deepEqual(bench.context.find(APP.id).repoTags, []);
  }));

test('one of several names of an image in use needs no force', () =>
  withImages(async (bench) => {
    await bench.add(APP, 'app:1', 'app:2');
    bench.users.set(APP.id, [{ containerId: CONTAINER, running: true }]);
    assert.deepEqual(await remove(bench, 'app:1'), ['untagged app:1']);
  }));

test('an image that is not there is named', () =>
  withImages((bench) => assert.rejects(remove(bench, 'nothing'), /No such image: nothing:latest/)));

const FILTERS: ImagePruneFilters = { dangling: true, labels: [], notLabels: [] };
const CREATED = Date.parse('2024-01-02T03:04:05Z') / 1000;

/** What a filter takes of: an image without a name, one with a name, one in use without a name. All have the label l=1. */
const PRUNES: readonly (readonly [string, Partial<ImagePruneFilters>, readonly string[]])[] = [
  ['without filters takes those without a tag', {}, ['nameless']],
  ['of all takes those that no container uses', { dangling: false }, ['nameless', 'named']],
  ['until their creation leaves them', { dangling: false, until: CREATED }, []],
  ['until later takes them', { until: CREATED + 1 }, ['nameless']],
  ['by a label that they have takes them', { labels: ['l'] }, ['nameless']],
  ['by another value of a label leaves them', { labels: ['l=2'] }, []],
  ['but for a label that they have leaves them', { notLabels: ['l=1'] }, []],
];

for (const [what, filters, gone] of PRUNES) {
  test(`pruning ${what}`, () =>
    withImages(async (bench) => {
      const images = { nameless: imageNamed('x'), named: imageNamed('y'), used: imageNamed('z') };
      await bench.add(images.nameless);
      await bench.add(images.named, 'named:1', `named@${MANIFEST}`);
      await bench.add(images.used);
      bench.users.set(images.used.id, [{ containerId: CONTAINER, running: false }]);
      const { removed, reclaimedBytes } = await pruneImages(bench.context, { ...FILTERS, ...filters });
      const left = new Set(bench.context.records.all().map(({ id }) => id));
      const missing = Object.entries(images).filter(([, { id }]) => !left.has(id));
      assert.deepEqual(
        missing.map(([name]) => name),
        gone,
      );
      assert.equal(reclaimedBytes, gone.length);
      const deleted = removed.flatMap((part) => (part.deleted === undefined ? [] : [part.deleted]));
      for (const [, { id }] of missing) assert.ok(deleted.includes(id));
      assert.equal(bench.events().at(-1), 'prune');
    }));
}

test('an image without a date of its own is not taken for old', () =>
  withImages(async (bench) => {
    await bench.add(imageOf([], { created: undefined }));
    const { removed } = await pruneImages(bench.context, { ...FILTERS, until: CREATED });
    assert.deepEqual(removed, []);
  }));
