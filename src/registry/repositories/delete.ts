// Owns the verbs that delete: tags, manifests, blobs, repositories. They change the records; garbage collection frees the bytes.

import type { Digest } from '../../spec/digest.ts';
import { companionTags } from '../../spec/oci/companion-tag.ts';
import { BLOB_TYPE } from '../types.ts';
import type { Context } from './context.ts';
import { blobInUse, manifestInUse } from './errors.ts';
import { digestIn } from './rows.ts';
import type { Deleter, Initiator, ManifestRecord } from './types.ts';

/** A manifest with more tags is hidden first, and its tags are removed in steps (`discard.ts`). */
const TAGS_AT_ONCE = 200;

/** The verbs that delete. Each one that leaves garbage says so when it has succeeded. */
export function deleter(context: Context): Deleter {
  const leavingGarbage = <T>(result: T): T => {
    context.announceGarbage();
    return result;
  };
  return {
    deleteManifest: async (repository, digest, doer, isForced) =>
      leavingGarbage(deleteManifest(context, repository, digest, doer, isForced)),
    deleteTag: async (repository, tag, doer) => deleteTag(context, repository, tag, doer),
    removeImage: async (repository, tag, doer) => leavingGarbage(removeImage(context, repository, tag, doer)),
    deleteBlob: async (repository, digest, doer) => leavingGarbage(deleteBlob(context, repository, digest, doer)),
    deleteRepository: async (repository, doer) => leavingGarbage(deleteRepository(context, repository, doer)),
  };
}

/** @throws NAME_UNKNOWN, MANIFEST_UNKNOWN, and what guards throw */
function deleteTag(context: Context, repository: string, tag: string, doer: Initiator): void {
  const record = context.queries.manifest(repository, tag);
  for (const guard of context.guards) guard.beforeDelete?.(repository, { tag });
  context.database.transaction(() => {
    context.changes.deleteTag(context.queries.requireRepository(repository), tag, context.now());
    context.happened({ action: 'delete', ...factsOf(record), tag }, doer);
  });
}

/**
 * Removes a tag and, as `docker rmi` does, the manifests that become unreachable: the tag's own, the entries of an index, and their
 * referrers (signatures, SBOMs, reports). Returns the removed manifests. @throws NAME_UNKNOWN, MANIFEST_UNKNOWN, and what guards throw
 */
function removeImage(context: Context, repository: string, tag: string, doer: Initiator): readonly Digest[] {
  const { queries, database } = context;
  const removed: Digest[] = [];
  database.transaction(() => {
    const left = [queries.manifest(repository, tag).digest];
    deleteTag(context, repository, tag, doer);
    for (let digest = left.pop(); digest !== undefined; digest = left.pop()) {
      const record = queries.findManifest(repository, digest);
      if (!record || isNeeded(context, record)) continue;
      const entries = queries.references(repository, digest).filter(({ kind }) => kind === 'manifest');
      const belongings = queries.referrers(repository, digest);
      deleteManifest(context, repository, digest, doer);
      removed.push(digest);
      left.push(...entries.map((entry) => entry.digest), ...belongings.map((belonging) => belonging.digest));
      for (const companion of companionTags(digest)) {
        const found = queries.findManifest(repository, companion);
        if (!found) continue;
        deleteTag(context, repository, companion, doer);
        left.push(found.digest);
      }
    }
  });
  return removed;
}

/** True while a tag, an index or its subject keeps it. */
function isNeeded({ queries }: Context, { repository, digest, subject }: ManifestRecord): boolean {
  return (
    queries.tagsOf(repository, digest).length > 0 ||
    queries.parents(repository, digest).length > 0 ||
    (subject !== undefined && queries.findManifest(repository, subject) !== undefined)
  );
}

/**
 * Removes a manifest and every tag on it. A manifest that a tagged index needs is removed only with `isForced`: the index is incomplete
 * afterwards. @throws NAME_UNKNOWN, MANIFEST_UNKNOWN, UNSUPPORTED, and what guards throw
 */
function deleteManifest(context: Context, repository: string, digest: Digest, doer: Initiator, isForced = false): void {
  const { queries, changes, database } = context;
  const record = queries.manifest(repository, digest);
  const above = isForced ? [] : queries.tagsAbove(repository, digest);
  if (above.length > 0) throw manifestInUse(digest, above);
  askGuards(context, repository, digest);
  database.transaction(() => {
    const id = queries.requireRepository(repository);
    if (queries.hasMoreTags(repository, digest, TAGS_AT_ONCE)) changes.hideManifest(id, digest, context.now());
    else {
      for (const tag of queries.tagsOf(repository, digest)) changes.deleteTag(id, tag, context.now());
      changes.deleteManifest(id, digest);
    }
    context.happened({ action: 'delete', ...factsOf(record) }, doer);
  });
}

function askGuards({ guards, queries }: Context, repository: string, digest: Digest): void {
  const asked = guards.flatMap((guard) => guard.beforeDelete?.bind(guard) ?? []);
  if (asked.length === 0) return;
  const tags = queries.tagsOf(repository, digest);
  for (const beforeDelete of asked) {
    beforeDelete(repository, { digest });
    for (const tag of tags) beforeDelete(repository, { tag });
  }
}

/** Takes a blob out of a repository. @throws BLOB_UNKNOWN, NAME_UNKNOWN; UNSUPPORTED while a manifest there needs it */
function deleteBlob(context: Context, repository: string, digest: Digest, doer: Initiator): void {
  context.database.transaction(() => {
    const id = context.queries.requireRepository(repository);
    const sizeBytes = context.queries.blobSize(repository, digest);
    const needed = context.database
      .sql(
        `SELECT 1 FROM manifests m JOIN manifest_references f ON f.manifest = m.id WHERE m.repository = ? AND f.digest = ? LIMIT 1`,
      )
      .get(id, digest);
    if (needed) throw blobInUse(digest);
    context.database
      .sql('DELETE FROM blob_links WHERE repository = ? AND blob = (SELECT id FROM blobs WHERE digest = ?)')
      .run(id, digest);
    context.changes.removeIfUnneeded(digest);
    context.happened({ action: 'delete', repository, digest, mediaType: BLOB_TYPE, sizeBytes }, doer);
  });
}

/** Removes a repository with everything in it. @throws NAME_UNKNOWN, and what guards throw of its tags */
function deleteRepository(context: Context, repository: string, doer: Initiator): void {
  context.database.transaction(() => {
    const id = context.queries.requireRepository(repository);
    const db = context.database;
    const tags = db
      .sql('SELECT name FROM tags WHERE repository = ?')
      .all(id)
      .map((row) => String(row.name));
    for (const guard of context.guards) for (const tag of tags) guard.beforeDelete?.(repository, { tag });
    const records = db
      .sql('SELECT digest FROM manifests WHERE repository = ?')
      .all(id)
      .map((row) => context.queries.manifest(repository, digestIn(row.digest)));
    context.changes.hideRepository(id);
    for (const record of records) context.happened({ action: 'delete', ...factsOf(record) }, doer);
  });
}

function factsOf(record: ManifestRecord) {
  const { repository, digest, mediaType, sizeBytes } = record;
  return { repository, digest, mediaType, sizeBytes };
}
