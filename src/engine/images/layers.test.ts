// Checks the store of layers without threads: what lies on disk, what is repaired, and what a sweep may take.

import assert from 'node:assert/strict';
import {
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  renameSync,
  rmSync,
  utimesSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { GantryError, isGantryError } from '../../lib/errors.ts';
import type { Digest } from '../../spec/digest.ts';
import { openDatabase } from '../../store/database.ts';
import { type Layers, openLayers } from './layers.ts';
import { FakeLayers } from './testing/fake-layers.ts';
import { FakeUnpacker } from './testing/fake-unpacker.ts';
import { layersContract } from './testing/layers-contract.ts';
import { type BuiltLayer, collect, layerOf, NEVER, streamOf, tarOf } from './testing/made-images.ts';

const [A, B] = ['a', 'b'].map((name) => layerOf(tarOf({ name, data: name }), 'none')) as [BuiltLayer, BuiltLayer];

interface Store extends AsyncDisposable {
  layers: Layers;
  readonly unpacker: FakeUnpacker;
  readonly folder: string;
  /** Names on disk. */
  names(): string[];
  bring(layer: BuiltLayer): Promise<string>;
  folderOf(diffId: Digest): string;
  /** Opens the same folder and records again, as the next engine would. */
  reopen(): void;
}

function openStore(): Store {
  const folder = mkdtempSync(join(tmpdir(), 'gantry-layers-'));
  const db = openDatabase(':memory:');
  const unpacker = new FakeUnpacker();
  const store: Store = {
    layers: openLayers(db, folder, unpacker),
    unpacker,
    folder,
    names: () => readdirSync(folder).sort(),
    bring: async ({ blob, diffId }) =>
      (await store.layers.unpack({ open: () => streamOf(blob), diffId }, NEVER)).directory,
    folderOf: (diffId) => join(folder, store.layers.get(diffId)?.directory ?? 'none'),
    reopen() {
      store.layers = openLayers(db, folder, unpacker);
    },
    async [Symbol.asyncDispose]() {
      db[Symbol.dispose]();
      rmSync(folder, { recursive: true, force: true });
    },
  };
  return store;
}

/** Removes the one file of a layer, as a user with a shell might a minute later. */
function breakLayer(store: Store, diffId: Digest): void {
  const folder = store.folderOf(diffId);
  rmSync(join(folder, 'content'));
  const later = new Date(Date.now() + 60_000);
  utimesSync(folder, later, later);
}

layersContract('layers in memory', () => {
  const layers = new FakeLayers();
  return {
    layers,
    damage: (diffId) => layers.damage(diffId, 'a file is gone'),
    async [Symbol.asyncDispose]() {},
  };
});

layersContract('layers on disk', () => {
  const store = openStore();
  return {
    layers: store.layers,
    damage: (diffId) => breakLayer(store, diffId),
    [Symbol.asyncDispose]: () => store[Symbol.asyncDispose](),
  };
});

test('a layer has a short number for its folder, and numbers are never given twice', async () => {
  await using store = openStore();
  assert.deepEqual([await store.bring(A), await store.bring(B)], ['1', '2']);
  assert.deepEqual(store.names(), ['1', '1.skeleton', '2', '2.skeleton']);
  rmSync(join(store.folder, '2'), { recursive: true });
  rmSync(join(store.folder, '2.skeleton'));
  store.reopen();
  const other = layerOf(tarOf({ name: 'c' }), 'none');
  assert.equal(await store.bring(other), '3');
});

test('unpacking that fails at any step leaves nothing on disk, and the layer can be brought afterwards', async () => {
  const steps: Readonly<Record<string, (store: Store) => void>> = {
    unpacking: ({ unpacker }) => unpacker.failures.set('unpack', new GantryError('exhausted', 'NO_SPACE', 'full')),
    // A folder with content in the place of the layer's own.
    renaming: ({ folder }) => {
      mkdirSync(join(folder, '1'));
      writeFileSync(join(folder, '1', 'x'), '');
    },
  };
  for (const [step, breakIt] of Object.entries(steps)) {
    await using store = openStore();
    breakIt(store);
    await assert.rejects(store.bring(A), isGantryError, step);
    assert.deepEqual(store.names(), [], step);
    store.unpacker.failures.clear();
    await store.bring(A);
    assert.equal(await store.layers.isWhole(A.diffId), true, step);
  }
});

test('where the disk hangs, unpacking does not ask it to clean up: the next sweep does', async () => {
  await using store = openStore();
  store.unpacker.failures.set('unpack', new GantryError('system', 'WORKER_STUCK', 'no progress'));
  await assert.rejects(store.bring(A), /no progress/);
  assert.deepEqual(store.unpacker.calls, ['unpack']);
});

test('what a killed engine left half unpacked goes with a sweep, and layers that are known stay', async () => {
  await using store = openStore();
  await store.bring(A);
  for (const name of ['7.partial', '7.partial.replaced', '8']) mkdirSync(join(store.folder, name));
  writeFileSync(join(store.folder, '8.skeleton'), '');
  store.reopen();
  await store.layers.sweep(new Set([A.diffId]), () => new Set());
  assert.deepEqual(store.names(), ['1', '1.skeleton']);
});

test('a sweep leaves alone what is being unpacked at that moment', async () => {
  await using store = openStore();
  const begun = Promise.withResolvers<void>();
  const go = Promise.withResolvers<void>();
  const slow = async function* (): AsyncGenerator<Uint8Array> {
    begun.resolve();
    await go.promise;
    yield A.blob;
  };
  const work = store.layers.unpack({ open: slow, diffId: A.diffId }, NEVER);
  await begun.promise;
  await store.layers.sweep(new Set(), () => new Set());
  assert.deepEqual(store.names(), ['1.partial']);
  go.resolve();
  assert.equal((await work).directory, '1');
});

test('a repaired layer gets a new folder; the old one stays while a container has it mounted', async () => {
  await using store = openStore();
  await store.bring(A);
  breakLayer(store, A.diffId);
  assert.equal(await store.layers.isWhole(A.diffId), false);
  assert.equal(await store.bring(A), '2');
  const wanted = new Set([A.diffId]);
  await store.layers.sweep(wanted, () => wanted);
  assert.ok(existsSync(join(store.folder, '1')));
  store.reopen();
  await store.layers.sweep(wanted, () => wanted);
  assert.ok(existsSync(join(store.folder, '1')), 'also after a restart of the engine');
  await store.layers.sweep(wanted, () => new Set());
  assert.deepEqual(store.names(), ['2', '2.skeleton']);
});

test('a layer whose folder is gone at the start is brought again, not believed', async () => {
  await using store = openStore();
  await store.bring(A);
  rmSync(store.folderOf(A.diffId), { recursive: true });
  store.reopen();
  assert.ok(store.layers.get(A.diffId), 'its record stays: the disk may come back');
  assert.equal(await store.bring(A), '2');
});

test('a disk that comes back after the start is found whole, and nothing is fetched again', async () => {
  await using store = openStore();
  await store.bring(A);
  const away = `${store.folder}-away`;
  renameSync(store.folderOf(A.diffId), away);
  store.reopen();
  renameSync(away, store.folderOf(A.diffId));
  assert.equal(await store.layers.isWhole(A.diffId), true);
  assert.equal(await store.bring(A), '1');
});

test('many who ask at once whether a layer is whole cost one comparison', async () => {
  await using store = openStore();
  await store.bring(A);
  store.unpacker.calls.length = 0;
  const answers = await Promise.all([1, 2, 3].map(() => store.layers.isWhole(A.diffId)));
  assert.deepEqual([answers, store.unpacker.calls], [[true, true, true], ['check 1']]);
});

test('a start does not read a layer that nobody touched', async () => {
  await using store = openStore();
  await store.bring(A);
  store.unpacker.calls.length = 0;
  assert.equal(await store.layers.whyUnusable(A.diffId), undefined);
  assert.deepEqual(store.unpacker.calls, []);
});

test('a layer that cannot be compared now is not taken for damaged', async () => {
  await using store = openStore();
  await store.bring(A);
  store.unpacker.failures.set('check', new GantryError('system', 'WORKER_STUCK', 'no progress'));
  await assert.rejects(store.layers.isWhole(A.diffId), /no progress/);
  assert.equal(await store.bring(A), '1', 'it is not unpacked anew');
});

test('an import of a layer that is there keeps one copy', async () => {
  await using store = openStore();
  await store.bring(A);
  const layer = await store.layers.unpack({ open: () => streamOf(A.blob) }, NEVER);
  assert.equal(layer.directory, '1');
  assert.deepEqual(store.names(), ['1', '1.skeleton']);
});

test('layers whose records were lost come back by their content, and come back once', async () => {
  await using store = openStore();
  await store.bring(A);
  await store.bring(B);
  await store.bring(layerOf(tarOf({ name: 'c' }), 'none'));
  rmSync(join(store.folder, '2.skeleton'));
  mkdirSync(join(store.folder, '3.replaced'));
  const lost = openLayers(openDatabase(':memory:'), store.folder, store.unpacker);
  assert.equal(await lost.adopt(), 1, 'one without its skeleton, or with paths replaced, cannot be told');
  assert.deepEqual(lost.get(A.diffId)?.directory, '1');
  assert.deepEqual(await collect(lost.tar(A.diffId)), A.tar);
  assert.equal(await lost.adopt(), 0);
});
