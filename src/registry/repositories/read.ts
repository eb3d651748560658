// Owns the verbs that read: manifests, tags, repositories and blobs. The records answer by queries.ts; bytes come from the store.

import type { Context } from './context.ts';
import type { BlobReader, ManifestReader, RepositoryReader, TagReader } from './types.ts';

/** The verbs that read manifests. */
export function manifestReader({ queries, manifestBytes }: Context): ManifestReader {
  return {
    manifest: (repository, reference) => queries.manifest(repository, reference),
    findManifest: (repository, reference) => queries.findManifest(repository, reference),
    manifestBytes: (digest) => manifestBytes.read(digest),
    references: (repository, digest) => queries.references(repository, digest),
    parents: (repository, digest) => queries.parents(repository, digest),
    referrers: (repository, subject, artifactType) => queries.referrers(repository, subject, artifactType),
  };
}

/** The verbs that read tags. */
export function tagReader({ queries }: Context): TagReader {
  return {
    tags: (repository, page) => queries.tags(repository, page),
    tagRecords: (repository, page) => queries.tagRecords(repository, page),
    newestTags: (repository, limit) => queries.newestTags(repository, limit),
    tagCount: (repository) => queries.tagCount(repository),
    tagsOf: (repository, digest) => queries.tagsOf(repository, digest),
    tagHistory: (repository, tag, limit) => queries.tagHistory(repository, tag, limit),
  };
}

/** The verbs that list repositories and their manifests. */
export function repositoryReader({ queries }: Context): RepositoryReader {
  return {
    repositories: (page) => queries.repositories(page),
    hasRepository: (repository) => queries.repositoryId(repository) !== undefined,
    manifests: (repository, page) => queries.manifests(repository, page),
    inventory: () => queries.inventory(),
  };
}

/** The verbs that read blobs. */
export function blobReader({ queries, storage, manifestBytes }: Context): BlobReader {
  return {
    blobSize: (repository, digest) => queries.blobSize(repository, digest),
    async isStored(digest) {
      if (manifestBytes.isCached(digest)) return true;
      const sizeBytes = queries.storedSize(digest);
      return sizeBytes !== undefined && (await storage.size(digest)) === sizeBytes;
    },
    readBlob: (digest, range) => storage.read(digest, range),
    localPath: (digest) => storage.localPath?.(digest),
  };
}
