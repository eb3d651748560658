// Owns the verbs that take away: tags, manifests, blobs, whole repositories. Bytes are freed by the collection that follows.

import type { Digest } from '../../spec/digest.ts';
import { companionTags } from '../../spec/oci/companion-tag.ts';
import { BLOB_TYPE } from '../types.ts';
import type { Context } from './context.ts';
import { blobInUse, manifestInUse } from './errors.ts';
import { digestIn } from './rows.ts';
import type { Initiator, ManifestRecord } from './types.ts';

/** Tags of one manifest that are removed with it; more go step by step afterwards (`burial.ts`). */
const TAGS_AT_ONCE = 200;

/** @throws NAME_UNKNOWN, MANIFEST_UNKNOWN, and what guards throw */
export function deleteTag(context: Context, repository: string, tag: string, doer: Initiator): void {
  const record = context.queries.manifest(repository, tag);
  for (const guard of context.guards) guard.beforeDelete?.(repository, { tag });
  context.database.transaction(() => {
    context.changes.deleteTag(context.queries.requireRepository(repository), tag, context.now());
    context.happened({ action: 'delete', ...factsOf(record), tag }, doer);
  });
}

/**
 * Removes a tag and, as `docker rmi` does, what nothing else leads to: its manifest, the entries of an index, and what belongs to these
 * (signatures, SBOMs, reports). Answers the manifests that went. @throws NAME_UNKNOWN, MANIFEST_UNKNOWN, and what guards throw
 */
export function removeImage(context: Context, repository: string, tag: string, doer: Initiator): readonly Digest[] {
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

/** True while a tag, an index or, for what belongs to a manifest, that manifest leads to it. */
function isNeeded({ queries }: Context, { repository, digest, subject }: ManifestRecord): boolean {
  return (
    queries.tagsOf(repository, digest).length > 0 ||
    queries.parents(repository, digest).length > 0 ||
    (subject !== undefined && queries.findManifest(repository, subject) !== undefined)
  );
}

/**
 * Removes a manifest and every tag on it. What a tagged index leads to goes only where `isForced`: without it that index would be
 * broken. @throws NAME_UNKNOWN, MANIFEST_UNKNOWN, UNSUPPORTED, and what guards throw
 */
export function deleteManifest(
  context: Context,
  repository: string,
  digest: Digest,
  doer: Initiator,
  isForced = false,
): void {
  const { queries, changes, database } = context;
  const record = queries.manifest(repository, digest);
  const above = isForced ? [] : queries.tagsAbove(repository, digest);
  if (above.length > 0) throw manifestInUse(digest, above);
  judge(context, repository, digest);
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

function judge({ guards, queries }: Context, repository: string, digest: Digest): void {
  const judging = guards.flatMap((guard) => guard.beforeDelete?.bind(guard) ?? []);
  if (judging.length === 0) return;
  const tags = queries.tagsOf(repository, digest);
  for (const beforeDelete of judging) {
    beforeDelete(repository, { digest });
    for (const tag of tags) beforeDelete(repository, { tag });
  }
}

/** Takes a blob out of a repository. @throws BLOB_UNKNOWN, NAME_UNKNOWN; UNSUPPORTED while a manifest there needs it */
export function deleteBlob(context: Context, repository: string, digest: Digest, doer: Initiator): void {
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
export function deleteRepository(context: Context, repository: string, doer: Initiator): void {
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
