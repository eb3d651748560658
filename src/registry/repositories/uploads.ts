// Owns uploads and blobs: begun, added to, finished, mounted. Bytes go through the store, what they mean into the records.

import { randomBytes } from 'node:crypto';
import { isGantryError } from '../../lib/errors.ts';
import type { Digest } from '../../spec/digest.ts';
import { digestBytes } from '../storage/index.ts';
import type { Append } from '../storage/types.ts';
import { BLOB_TYPE } from '../types.ts';
import type { Context } from './context.ts';
import { uploadUnknown } from './errors.ts';
import type { Initiator, Upload } from './types.ts';

/** @throws DISK_FULL */
export async function beginUpload(context: Context, repository: string): Promise<Upload> {
  const id = randomBytes(16).toString('hex');
  await context.storage.begin(id);
  context.database.transaction(() => {
    const repositoryId = context.changes.ensureRepository(repository, context.now());
    context.database.sql('INSERT INTO uploads VALUES (?, ?, ?)').run(id, repositoryId, context.now());
  });
  return { id, repository, sizeBytes: 0 };
}

/** @throws BLOB_UPLOAD_UNKNOWN */
function require(context: Context, repository: string, id: string): void {
  const row = context.database
    .sql('SELECT 1 FROM uploads u JOIN repositories r ON r.id = u.repository WHERE u.id = ? AND r.name = ?')
    .get(id, repository);
  if (!row) throw uploadUnknown(id);
}

/** @throws BLOB_UPLOAD_UNKNOWN */
export async function findUpload(context: Context, repository: string, id: string): Promise<Upload> {
  require(context, repository, id);
  const sizeBytes = await context.storage.uploadSize(id);
  if (sizeBytes === undefined) throw uploadUnknown(id);
  return { id, repository, sizeBytes };
}

/** One piece after the other, from whichever clients. @throws BLOB_UPLOAD_UNKNOWN, RANGE_INVALID, SIZE_INVALID, DISK_FULL */
export function appendUpload(
  context: Context,
  repository: string,
  id: string,
  source: AsyncIterable<Uint8Array>,
  append: Omit<Append, 'maxBytes'>,
): Promise<Upload> {
  return context.queue.run(id, async () => {
    require(context, repository, id);
    const { maxBlobBytes } = context.options;
    const sizeBytes = await inWords(id, () =>
      context.storage.append(id, source, { ...append, maxBytes: maxBlobBytes }),
    );
    return { id, repository, sizeBytes };
  });
}

/** @throws BLOB_UPLOAD_UNKNOWN, DIGEST_INVALID, DISK_FULL */
export function finishUpload(
  context: Context,
  repository: string,
  id: string,
  digest: Digest,
  doer: Initiator,
): Promise<number> {
  return context.queue.run(id, () =>
    context.queue.run(digest, async () => {
      require(context, repository, id);
      try {
        const sizeBytes = await inWords(id, () => context.storage.finish(id, digest));
        settle(context, repository, digest, sizeBytes, doer);
        return sizeBytes;
      } finally {
        context.database.sql('DELETE FROM uploads WHERE id = ?').run(id);
      }
    }),
  );
}

function settle(context: Context, repository: string, digest: Digest, sizeBytes: number, doer: Initiator): void {
  const nowMs = context.now();
  context.database.transaction(() => {
    const repositoryId = context.changes.ensureRepository(repository, nowMs);
    context.changes.link(repositoryId, context.changes.ensureBlob(digest, sizeBytes), nowMs);
    context.happened({ action: 'push', repository, digest, mediaType: BLOB_TYPE, sizeBytes }, doer);
  });
}

/** @throws BLOB_UPLOAD_UNKNOWN */
export function abortUpload(context: Context, repository: string, id: string): Promise<void> {
  return context.queue.run(id, async () => {
    require(context, repository, id);
    await context.storage.abort(id);
    context.database.sql('DELETE FROM uploads WHERE id = ?').run(id);
  });
}

/** Keeps a small blob whole. */
export function putBlob(context: Context, repository: string, bytes: Buffer, doer: Initiator): Promise<Digest> {
  const digest = digestBytes('sha256', bytes);
  return context.queue.run(digest, async () => {
    await context.storage.put(digest, bytes);
    settle(context, repository, digest, bytes.length, doer);
    return digest;
  });
}

/** Makes a blob of `from` (any repository when undefined) readable through `repository`; undefined when there is none such. */
export function mount(
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

async function inWords<T>(id: string, act: () => Promise<T>): Promise<T> {
  try {
    return await act();
  } catch (error) {
    throw isGantryError(error) && error.code === 'NO_SUCH_UPLOAD' ? uploadUnknown(id) : error;
  }
}
