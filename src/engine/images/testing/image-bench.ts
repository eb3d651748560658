// Owns the ground that tests of image verbs stand on: records in memory, real blobs in a throwaway folder, layers in memory.

import { rmSync } from 'node:fs';
import { testFolder } from '../../../lib/testing/folder.ts';
import { instead } from '../../../lib/testing/instead.ts';
import type { Digest } from '../../../spec/digest.ts';
import { parseImageConfig } from '../../../spec/oci/image-config.ts';
import { canonicalReference, parseReference, withDefaultTag } from '../../../spec/reference.ts';
import { type Blobs, openBlobs } from '../../../store/blobs.ts';
import { openDatabase } from '../../../store/database.ts';
import type { EngineEvent } from '../../events/types.ts';
import { ImageContext } from '../context.ts';
import { createDocuments } from '../documents.ts';
import { ImageRecords } from '../records.ts';
import type { ImageProgress, ImageRecord } from '../types.ts';
import { FakeLayers } from './fake-layers.ts';
import { FakeUnpacker } from './fake-unpacker.ts';
import { type BuiltImage, imageOf, layerOf, tarOf } from './made-images.ts';

/** The time of everything that is done on a bench. */
export const BENCH_TIME = '2023-11-14T22:13:20Z';

export interface ImageBench extends AsyncDisposable {
  readonly context: ImageContext;
  readonly layers: FakeLayers;
  readonly blobs: Blobs;
  /** Containers by the image that they are made from. */
  readonly users: Map<Digest, { readonly containerId: string; readonly running: boolean }[]>;
  readonly progress: ImageProgress[];
  readonly report: (event: ImageProgress) => void;
  /** What `put` of the blobs fails with. */
  failPut: Error | undefined;
  /** `<action> <actor> [<name>]` of every event. */
  events(): string[];
  /** Digests of the blobs that are kept, sorted. */
  kept(): Promise<readonly Digest[]>;
  /** Puts an image there, with its layers, and names it. */
  add(image: BuiltImage, ...names: readonly string[]): Promise<ImageRecord>;
}

export function openImageBench(): ImageBench {
  const folder = testFolder('image-bench');
  const db = openDatabase(':memory:');
  const layers = new FakeLayers();
  const events: Omit<EngineEvent, 'timeNano'>[] = [];
  const progress: ImageProgress[] = [];
  const users: ImageBench['users'] = new Map();
  const opened = openBlobs(folder);
  const blobs = instead(opened, {
    put: async (bytes, expected) => {
      if (bench.failPut) throw bench.failPut;
      return opened.put(bytes, expected);
    },
  });
  const context = new ImageContext({
    records: new ImageRecords(db),
    layers,
    blobs,
    documents: createDocuments(new FakeUnpacker()),
    users: { usersOf: (id) => users.get(id) ?? [] },
    publish: (event) => void events.push(event),
    now: () => 1_700_000_000_000_000_000n,
  });
  const bench: ImageBench = {
    context,
    layers,
    blobs,
    users,
    progress,
    report: (event) => void progress.push(event),
    failPut: undefined,
    events: () =>
      events.map(({ action, actorId, attributes }) => [action, actorId, attributes.name ?? ''].join(' ').trim()),
    kept: async () => [...(await blobs.list())].sort(),
    async add(image, ...names) {
      for (const { tar } of image.layers) layers.have(tar);
      await blobs.put(image.config);
      const record = context.register(image.id, parseImageConfig(image.config), []);
      for (const name of names) {
        const reference = withDefaultTag(parseReference(name));
        const time = reference.digest === undefined ? context.nowText() : undefined;
        context.records.setRef(canonicalReference(reference), image.id, time);
      }
      return context.records.get(image.id) ?? record;
    },
    async [Symbol.asyncDispose]() {
      db[Symbol.dispose]();
      rmSync(folder, { recursive: true, force: true });
    },
  };
  return bench;
}

/** An image of one layer for each name, each with a file of that name; the same names give the same layers. */
export function imageNamed(...files: readonly string[]): BuiltImage {
  return imageOf(files.map((name) => layerOf(tarOf({ name, data: name }), 'none')));
}
