// The face of the image capability: createImages ties its parts together.

import { nowNano } from '../../lib/clock.ts';
import { Semaphore } from '../../lib/semaphore.ts';
import { RegistryClient, type Timeouts } from '../../remote/index.ts';
import { platformMatches } from '../../spec/platform.ts';
import { openBlobs } from '../../store/blobs.ts';
import type { Database } from '../../store/database.ts';
import type { Events } from '../events/types.ts';
import { adoptImages } from './adopt.ts';
import { ImageContext } from './context.ts';
import { createDocuments } from './documents.ts';
import { importImage } from './import.ts';
import { openLayers } from './layers.ts';
import { layerPaths, leaseImage } from './lease.ts';
import { loadImages } from './load.ts';
import { loginToRegistry } from './login.ts';
import { pullImage } from './pull/index.ts';
import { ImageRecords } from './records.ts';
import { pruneImages, removeImage } from './remove.ts';
import { saveImages } from './save.ts';
import { searchImages } from './search.ts';
import { tagImage } from './tag.ts';
import type { Images, ImageUsers, RegistryOptions } from './types.ts';
import { createUnpacker } from './unpack/index.ts';
import { layerSizes, usageOf } from './usage.ts';

export type * from './types.ts';

export interface ImagesDeps {
  readonly db: Database;
  /** OCI layout; made when absent. On the same file system as nothing in particular. */
  readonly contentDir: string;
  /** Unpacked layers; made when absent. */
  readonly layersDir: string;
  readonly registries: RegistryOptions;
  readonly users: ImageUsers;
  readonly publish: Events['publish'];
  /** Sent as User-Agent to registries. */
  readonly userAgent?: string | undefined;
  /** How long registries may keep silent. */
  readonly timeouts?: Timeouts | undefined;
  /** Pause before a dropped download is tried again; each further one is longer by this. */
  readonly retryPauseMs?: number | undefined;
  /** Unix nanoseconds; for tests. */
  readonly now?: (() => bigint) | undefined;
}

/** @source dockerd 28.5: 5 seconds, then 10, … */
const RETRY_PAUSE_MS = 5_000;

/** The capability with what its owner must call. */
export interface ImagesService extends Images, AsyncDisposable {
  /**
   * Removes leftovers and whatever no image needs; what cannot be removed now stays for the next time. Call it once at start,
   * when `users` can answer, and after a container of a removed image went.
   */
  sweep(): Promise<void>;
  /** After records were lost: takes up what is there without them. Call it before `sweep`. */
  adopt(): Promise<{ readonly layers: number; readonly images: number }>;
}

/** Makes the image capability. Nothing is read from the network and no thread is started until a verb needs it. */
export function createImages(deps: ImagesDeps): ImagesService {
  const unpacker = createUnpacker();
  const context = new ImageContext({
    records: new ImageRecords(deps.db),
    layers: openLayers(deps.db, deps.layersDir, unpacker),
    blobs: openBlobs(deps.contentDir),
    documents: createDocuments(unpacker),
    users: deps.users,
    publish: deps.publish,
    now: deps.now ?? nowNano,
  });
  const registry = new RegistryClient(deps.registries, {
    userAgent: deps.userAgent ?? 'gantry',
    timeouts: deps.timeouts,
  });
  const slots = new Semaphore(Math.max(1, deps.registries.maxConcurrentDownloads));
  const retryPauseMs = deps.retryPauseMs ?? RETRY_PAUSE_MS;
  return {
    get: (ref) => context.find(ref),
    list: () => context.records.all(),
    matches: (image, platform) => platformMatches(image.platform, platform),
    pull(request, report, signal) {
      slots.resize(Math.max(1, deps.registries.maxConcurrentDownloads));
      return pullImage(context, registry, request, { report, signal, slots, retryPauseMs });
    },
    load: (archive, report, signal, options) => loadImages(context, archive, report, signal, options),
    import: (archive, request, report, signal) => importImage(context, archive, request, report, signal),
    save: (refs, signal, options) => saveImages(context, refs, signal, options),
    tag: async (source, target) => tagImage(context, source, target),
    remove: (ref, options) => removeImage(context, ref, options),
    prune: (filters) => pruneImages(context, filters),
    layerPaths: (id) => layerPaths(context, id),
    layerSizes: (id) => layerSizes(context, id),
    usage: () => usageOf(context),
    lease: (id) => leaseImage(context, id),
    login: (credentials, signal) => loginToRegistry(registry, credentials, signal),
    sweep: () => context.trySweep(),
    adopt: () => adoptImages(context),
    search: (request, signal) => searchImages(registry, request, signal),
    async [Symbol.asyncDispose]() {
      registry[Symbol.dispose]();
      await unpacker[Symbol.asyncDispose]();
    },
  };
}
