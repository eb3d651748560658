// The face of repositories: opens them over a database and a store, and keeps their garbage collected.

import { LRUCache } from 'lru-cache';
import { isGantryError } from '../../lib/errors.ts';
import { check } from './check.ts';
import { Context, type RepositoriesOptions } from './context.ts';
import { deleteBlob, deleteManifest, deleteRepository, deleteTag, removeImage } from './delete.ts';
import { manifestUnknown } from './errors.ts';
import { collectGarbage, removeStrays } from './garbage.ts';
import { LayoutIndex } from './layout-index.ts';
import { putManifest } from './put-manifest.ts';
import { MIGRATIONS } from './schema.ts';
import type { GarbageReport, Inventory, Repositories } from './types.ts';
import { abortUpload, appendUpload, beginUpload, findUpload, finishUpload, mount, putBlob } from './uploads.ts';

export type { RepositoriesOptions } from './context.ts';
export { isManifestType, parseManifestBody } from './manifest-body.ts';
export { HIDDEN } from './schema.ts';

/** Manifests kept in memory: a busy registry is asked for the same ones over and over. */
const MANIFEST_CACHE_BYTES = 16 << 20;
/** After which the store is looked at again: it may have lost one. */
const MANIFEST_CACHE_MS = 60_000;

export interface OpenRepositories extends Repositories, AsyncDisposable {
  /** Removes stored bytes that no record knows of. Run once after a start, while requests go on. */
  removeStrays(signal: AbortSignal): Promise<number>;
  inventory(): Inventory;
  /** What collections freed since the start. */
  readonly collected: GarbageReport;
  /** Tells who wants to know that a collection may find something. */
  onGarbage(listener: () => void): void;
}

/** Opens the records, making the tables when absent. */
export function openRepositories(options: RepositoriesOptions): OpenRepositories {
  options.database.migrate(MIGRATIONS);
  const context = new Context(options);
  const { queries, changes, storage } = context;
  const bytesOf = new LRUCache<string, Buffer>({
    maxSize: MANIFEST_CACHE_BYTES,
    ttl: MANIFEST_CACHE_MS,
    sizeCalculation: (bytes) => bytes.length + 256,
  });
  const writeIndex = storage.writeIndex?.bind(storage);
  const layout = writeIndex && new LayoutIndex(options, writeIndex);
  if (layout) context.listen(layout.listener);
  const garbageListeners: (() => void)[] = [];
  const freed = <T>(result: T): T => {
    for (const listener of garbageListeners) listener();
    return result;
  };
  let collecting: Promise<GarbageReport> | undefined;
  let collected: GarbageReport = { blobs: 0, bytes: 0, uploads: 0 };
  return {
    manifest: (repository, reference) => queries.manifest(repository, reference),
    findManifest: (repository, reference) => queries.findManifest(repository, reference),
    references: (repository, digest) => queries.references(repository, digest),
    parents: (repository, digest) => queries.parents(repository, digest),
    referrers: (repository, subject, artifactType) => queries.referrers(repository, subject, artifactType),
    async manifestBytes(digest) {
      const kept = bytesOf.get(digest);
      if (kept) return kept;
      const bytes = await storage.readSmall(digest, options.maxManifestBytes).catch((error: unknown) => {
        throw isGantryError(error) && error.code === 'NO_SUCH_BLOB' ? manifestUnknown('', digest) : error;
      });
      bytesOf.set(digest, bytes);
      return bytes;
    },
    putManifest: (put) => putManifest(context, put),
    deleteManifest: async (repository, digest, doer, isForced) =>
      freed(deleteManifest(context, repository, digest, doer, isForced)),
    deleteTag: async (repository, tag, doer) => deleteTag(context, repository, tag, doer),
    removeImage: async (repository, tag, doer) => freed(removeImage(context, repository, tag, doer)),

    blobSize: (repository, digest) => queries.blobSize(repository, digest),
    claimBlob(repository, digest) {
      const sizeBytes = queries.blobSize(repository, digest);
      const nowMs = context.now();
      changes.claim(repository, digest, nowMs, nowMs - options.garbageGraceMs / 4);
      return sizeBytes;
    },
    isStored: async (digest) => {
      if (bytesOf.has(digest)) return true;
      const sizeBytes = queries.storedSize(digest);
      return sizeBytes !== undefined && (await storage.size(digest)) === sizeBytes;
    },
    readBlob: (digest, range) => storage.read(digest, range),
    localPath: (digest) => storage.localPath?.(digest),
    deleteBlob: async (repository, digest, doer) => freed(deleteBlob(context, repository, digest, doer)),
    mount: (repository, digest, from, doer) => mount(context, repository, digest, from, doer),

    beginUpload: (repository) => beginUpload(context, repository),
    upload: (repository, id) => findUpload(context, repository, id),
    appendUpload: (repository, id, source, append) => appendUpload(context, repository, id, source, append),
    finishUpload: (repository, id, digest, doer) => finishUpload(context, repository, id, digest, doer),
    abortUpload: (repository, id) => abortUpload(context, repository, id),
    putBlob: (repository, bytes, doer) => putBlob(context, repository, bytes, doer),

    tags: (repository, page) => queries.tags(repository, page),
    tagRecords: (repository, page) => queries.tagRecords(repository, page),
    newestTags: (repository, limit) => queries.newestTags(repository, limit),
    tagCount: (repository) => queries.tagCount(repository),
    tagsOf: (repository, digest) => queries.tagsOf(repository, digest),
    tagHistory: (repository, tag, limit) => queries.tagHistory(repository, tag, limit),
    manifests: (repository, page) => queries.manifests(repository, page),
    repositories: (page) => queries.repositories(page),
    hasRepository: (repository) => queries.repositoryId(repository) !== undefined,
    deleteRepository: async (repository, doer) => freed(deleteRepository(context, repository, doer)),

    listen: (listener) => context.listen(listener),
    publish: (event) => context.publish(event),
    guard: (guard) => void context.guards.push(guard),

    collectGarbage(signal) {
      collecting ??= collectGarbage(context, signal)
        .then((report) => {
          collected = sum(collected, report);
          return report;
        })
        .finally(() => {
          collecting = undefined;
        });
      return collecting;
    },
    check: (options) => check(context, options),
    inventory: () => queries.inventory(),
    get collected() {
      return collected;
    },
    removeStrays: (signal) => removeStrays(context, signal),
    onGarbage: (listener) => void garbageListeners.push(listener),
    async [Symbol.asyncDispose]() {
      await collecting?.catch(() => undefined);
      await context.queue.idle();
      await layout?.[Symbol.asyncDispose]();
    },
  };
}

function sum(a: GarbageReport, b: GarbageReport): GarbageReport {
  return { blobs: a.blobs + b.blobs, bytes: a.bytes + b.bytes, uploads: a.uploads + b.uploads };
}
