// Owns the verbs of images for leak tests: each runs once, whole, and leaves the engine as it was.

import { randomBytes } from 'node:crypto';
import { rmSync } from 'node:fs';
import { type FakeRegistry, fail } from '../../src/remote/testing/fake-registry.ts';
import {
  archiveOf,
  type BuiltImage,
  collect,
  imageOf,
  layerOf,
  NEVER,
  streamOf,
  tarOf,
  type Workbench,
} from './support.ts';

export interface LeakSetting {
  readonly bench: Workbench;
  readonly registry: FakeRegistry;
}

/** One verb: what `run` does must leave no descriptor, thread, timer, socket, file or growing memory behind. */
export interface LeakVerb {
  readonly name: string;
  /** `round` differs each time. */
  run(setting: LeakSetting, round: number): Promise<void>;
}

/** An image that no other round has: nothing of it is there already. */
function freshImage(round: number): BuiltImage {
  const files = Array.from({ length: 5 }, (_, i) => ({ name: `d${i}/f`, data: `${round} ${i}`.repeat(100) }));
  return imageOf([layerOf(tarOf(...files)), layerOf(tarOf({ name: 'top', data: randomBytes(20_000) }), 'zstd')]);
}

async function pull({ bench, registry }: LeakSetting, image: BuiltImage, signal = NEVER): Promise<void> {
  registry.push('demo', '1', image);
  try {
    await bench.images.pull({ reference: `${registry.host}/demo:1` }, () => {}, signal);
  } finally {
    registry.blobs.clear();
    registry.manifests.clear();
    registry.seen.length = 0;
    registry.misbehave = undefined;
  }
}

async function removeAll({ bench }: LeakSetting): Promise<void> {
  for (const { id } of bench.images.list()) await bench.images.remove(id, { force: true, prune: true });
  bench.events.length = 0;
}

const load = ({ bench }: LeakSetting, image: BuiltImage): Promise<readonly string[]> =>
  bench.images.load(streamOf(archiveOf([{ image, tags: ['x:1'] }])), () => {}, NEVER);

/** Takes the failure that the verb must have. */
async function failing(work: Promise<unknown>): Promise<void> {
  const failed = await work.then(
    () => false,
    () => true,
  );
  if (!failed) throw new Error('this verb was to fail');
}

export const IMAGE_VERBS: readonly LeakVerb[] = [
  {
    name: 'pull and rmi',
    async run(setting, round) {
      await pull(setting, freshImage(round));
      await removeAll(setting);
    },
  },
  {
    name: 'pull that is up to date',
    async run(setting) {
      await pull(setting, UNCHANGED);
      await pull(setting, UNCHANGED);
      await removeAll(setting);
    },
  },
  {
    name: 'pull from a registry that fails in the middle of a layer',
    async run(setting, round) {
      const image = freshImage(round);
      setting.registry.misbehave = (request, response) => {
        if (!request.url?.endsWith(image.layers[1]?.blobDigest ?? '')) return false;
        fail(response, 404, 'BLOB_UNKNOWN', 'blob unknown');
        return true;
      };
      await failing(pull(setting, image));
    },
  },
  {
    name: 'pull that is called off',
    async run(setting, round) {
      const image = freshImage(round);
      const stop = new AbortController();
      setting.registry.misbehave = (request) => {
        const isLayer = request.url?.endsWith(image.layers[0]?.blobDigest ?? '') ?? false;
        if (isLayer) stop.abort();
        return isLayer;
      };
      await failing(pull(setting, image, stop.signal));
    },
  },
  {
    name: 'load, save and rmi',
    async run(setting, round) {
      await load(setting, freshImage(round));
      await collect(setting.bench.images.save(['x:1'], NEVER));
      await removeAll(setting);
    },
  },
  {
    name: 'load of a damaged archive',
    async run({ bench }, round) {
      const image = freshImage(round);
      const lying = { ...image, layers: [{ ...layerOf(tarOf()), diffId: image.id }, ...image.layers.slice(1)] };
      await failing(bench.images.load(streamOf(archiveOf([{ image: lying, tags: ['x:1'] }])), () => {}, NEVER));
    },
  },
  {
    name: 'load that repairs a layer',
    async run(setting, round) {
      const image = freshImage(round);
      await load(setting, image);
      rmSync(setting.bench.images.layerPaths(image.id)[0] ?? '', { recursive: true });
      await load(setting, image);
      await removeAll(setting);
    },
  },
  {
    name: 'save that its reader leaves',
    async run(setting, round) {
      await load(setting, freshImage(round));
      for await (const piece of setting.bench.images.save(['x:1'], NEVER)) if (piece.length > 10_000) break;
      await removeAll(setting);
    },
  },
  {
    name: 'import, tag, lease and prune',
    async run({ bench }, round) {
      const tar = tarOf({ name: 'f', data: `${round}` });
      const { id } = await bench.images.import(streamOf(tar), { changes: [], message: '' }, () => {}, NEVER);
      await bench.images.tag(id, 'a:1');
      await using _lease = await bench.images.lease(id);
      await bench.images.tag(id, 'b:1');
      await bench.images.remove('b:1', { force: false, prune: true });
      await _lease[Symbol.asyncDispose]();
      await bench.images.prune({ dangling: false, labels: [], notLabels: [] });
      bench.events.length = 0;
    },
  },
];

const UNCHANGED = freshImage(-1);
