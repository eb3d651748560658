// Owns the verbs of uploads: begin, append, finish, abort. The store takes the bytes, the records say which uploads there are.

import { randomBytes } from 'node:crypto';
import { isGantryError } from '../../lib/errors.ts';
import type { Digest } from '../../spec/digest.ts';
import type { Append } from '../storage/types.ts';
import type { Context } from './context.ts';
import { uploadUnknown } from './errors.ts';
import { recordBlob } from './put-blob.ts';
import type { Initiator, Upload, Uploads } from './types.ts';

/** The verbs of uploads. */
export function uploads(context: Context): Uploads {
  return {
    beginUpload: (repository) => beginUpload(context, repository),
    upload: (repository, id) => findUpload(context, repository, id),
    appendUpload: (repository, id, source, append) => appendUpload(context, repository, id, source, append),
    finishUpload: (repository, id, digest, doer) => finishUpload(context, repository, id, digest, doer),
    abortUpload: (repository, id) => abortUpload(context, repository, id),
  };
}

/** @throws DISK_FULL */
async function beginUpload(context: Context, repository: string): Promise<Upload> {
  const id = randomBytes(16).toString('hex');
  await context.storage.begin(id);
  context.database.transaction(() => {
    const repositoryId = context.changes.ensureRepository(repository, context.now());
    context.database
      .sql('INSERT INTO uploads (id, repository, started_ms) VALUES (?, ?, ?)')
      .run(id, repositoryId, context.now());
  });
  return { id, repository, sizeBytes: 0 };
}

/** @throws BLOB_UPLOAD_UNKNOWN */
function requireUpload(context: Context, repository: string, id: string): void {
  const row = context.database
    .sql('SELECT 1 FROM uploads u JOIN repositories r ON r.id = u.repository WHERE u.id = ? AND r.name = ?')
    .get(id, repository);
  if (!row) throw uploadUnknown(id);
}

/** @throws BLOB_UPLOAD_UNKNOWN */
async function findUpload(context: Context, repository: string, id: string): Promise<Upload> {
  requireUpload(context, repository, id);
  const sizeBytes = await context.storage.uploadSize(id);
  if (sizeBytes === undefined) throw uploadUnknown(id);
  return { id, repository, sizeBytes };
}

/** Appends run one at a time, whichever clients send them. @throws BLOB_UPLOAD_UNKNOWN, RANGE_INVALID, SIZE_INVALID, DISK_FULL */
function appendUpload(
  context: Context,
  repository: string,
  id: string,
  source: AsyncIterable<Uint8Array>,
  append: Omit<Append, 'maxBytes'>,
): Promise<Upload> {
  return context.queue.run(id, async () => {
    requireUpload(context, repository, id);
    const { maxBlobBytes } = context.options;
    const sizeBytes = await withCode(id, () =>
      context.storage.append(id, source, { ...append, maxBytes: maxBlobBytes }),
    );
    return { id, repository, sizeBytes };
  });
}

/** @throws BLOB_UPLOAD_UNKNOWN, DIGEST_INVALID, DISK_FULL */
function finishUpload(
  context: Context,
  repository: string,
  id: string,
  digest: Digest,
  doer: Initiator,
): Promise<number> {
  return context.queue.run(id, () =>
    context.queue.run(digest, async () => {
      requireUpload(context, repository, id);
      try {
        const sizeBytes = await withCode(id, () => context.storage.finish(id, digest));
        recordBlob(context, repository, digest, sizeBytes, doer);
        return sizeBytes;
      } finally {
        context.database.sql('DELETE FROM uploads WHERE id = ?').run(id);
      }
    }),
  );
}

/** @throws BLOB_UPLOAD_UNKNOWN */
function abortUpload(context: Context, repository: string, id: string): Promise<void> {
  return context.queue.run(id, async () => {
    requireUpload(context, repository, id);
    await context.storage.abort(id);
    context.database.sql('DELETE FROM uploads WHERE id = ?').run(id);
  });
}

/** Runs `act`; the store's NO_SUCH_UPLOAD becomes BLOB_UPLOAD_UNKNOWN. */
async function withCode<T>(id: string, act: () => Promise<T>): Promise<T> {
  try {
    return await act();
  } catch (error) {
    throw isGantryError(error) && error.code === 'NO_SUCH_UPLOAD' ? uploadUnknown(id) : error;
  }
}
