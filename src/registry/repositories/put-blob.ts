// Owns the verbs that add a blob to a repository without an upload: claim, mount, put; and the record of a new blob.

import type { Digest } from '../../spec/digest.ts';
import { digestBytes } from '../storage/index.ts';
import { BLOB_TYPE } from '../types.ts';
import type { Context } from './context.ts';
import type { BlobWriter, Initiator } from './types.ts';

/** A claim is renewed only after this part of the grace period: a HEAD should rarely cost a write. */
const CLAIM_SHARE = 1 / 4;

/** The verbs that add blobs. */
export function blobWriter(context: Context): BlobWriter {
  return {
    claimBlob: (repository, digest) => claimBlob(context, repository, digest),
    mount: (repository, digest, from, doer) => mount(context, repository, digest, from, doer),
    putBlob: (repository, bytes, doer) => putBlob(context, repository, bytes, doer),
  };
}

/** The blob's size. @throws BLOB_UNKNOWN, NAME_UNKNOWN */
function claimBlob({ queries, changes, now, options }: Context, repository: string, digest: Digest): number {
  const sizeBytes = queries.blobSize(repository, digest);
  const nowMs = now();
  changes.claim(repository, digest, nowMs, nowMs - options.garbageGraceMs * CLAIM_SHARE);
  return sizeBytes;
}

/** Stores a small blob from memory. */
function putBlob(context: Context, repository: string, bytes: Buffer, doer: Initiator): Promise<Digest> {
  const digest = digestBytes('sha256', bytes);
  return context.queue.run(digest, async () => {
    await context.storage.put(digest, bytes);
    recordBlob(context, repository, digest, bytes.length, doer);
    return digest;
  });
}

/** Makes a blob of `from` (any repository when undefined) readable through `repository`; undefined when there is no such blob. */
function mount(
  context: Context,
  repository: string,
  digest: Digest,
  from: string | undefined,
  doer: Initiator,
): number | undefined {
  const nowMs = context.now();
  return context.database.transaction(() => {
    const row = context.database
      .sql(`SELECT b.id, b.size, r.name FROM blobs b JOIN blob_links l ON l.blob = b.id JOIN repositories r ON r.id = l.repository
            WHERE b.digest = ? AND (? IS NULL OR r.name = ?) LIMIT 1`)
      .get(digest, from ?? null, from ?? null);
    if (!row) return undefined;
    const repositoryId = context.changes.ensureRepository(repository, nowMs);
    context.changes.link(repositoryId, Number(row.id), nowMs);
    const happening = {
      repository,
      digest,
      mediaType: BLOB_TYPE,
      sizeBytes: Number(row.size),
      fromRepository: String(row.name),
    };
    context.happened({ action: 'mount', ...happening }, doer);
    return Number(row.size);
  });
}

/** Records a blob that the store has, links it to the repository and publishes the push. */
export function recordBlob(
  context: Context,
  repository: string,
  digest: Digest,
  sizeBytes: number,
  doer: Initiator,
): void {
  const nowMs = context.now();
  context.database.transaction(() => {
    const repositoryId = context.changes.ensureRepository(repository, nowMs);
    context.changes.link(repositoryId, context.changes.ensureBlob(digest, sizeBytes), nowMs);
    context.happened({ action: 'push', repository, digest, mediaType: BLOB_TYPE, sizeBytes }, doer);
  });
}
