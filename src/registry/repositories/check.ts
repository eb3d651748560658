// Owns the comparison of the store with the records, and its repairs. Requests are served meanwhile. Does not decide when to run or how fast.

import { createHash } from 'node:crypto';
import { setImmediate as yieldToEventLoop } from 'node:timers/promises';
import { isGantryError, messageOf } from '../../lib/errors.ts';
import { algorithmOf, type Digest } from '../../spec/digest.ts';
import { digestOfHash } from '../storage/index.ts';
import type { Context } from './context.ts';
import { parseManifestBody } from './manifest-body.ts';
import { digestIn } from './rows.ts';
import type { CheckOptions, CheckReport, Fault } from './types.ts';

/** Records of one step, which takes some milliseconds. */
const BATCH = 500;
const HURT_MAX = 10;

/** Checks the content, then stored blobs without a record, then the records among themselves. */
export async function check(context: Context, options: CheckOptions): Promise<CheckReport> {
  const report = { blobs: 0, bytes: 0, faults: 0, mended: 0 };
  const onFault = (fault: Fault): void => {
    report.faults++;
    if (fault.outcome !== 'found') report.mended++;
    options.onFault(fault);
  };
  await checkContent(context, options, report, onFault);
  await checkStrays(context, options, onFault);
  await checkRecords(context, options, onFault);
  return report;
}

type OnFault = (fault: Fault) => void;

/** Every recorded blob and manifest, in the order of their digests, after `options.after`. */
async function checkContent(
  context: Context,
  options: CheckOptions,
  report: { blobs: number; bytes: number },
  onFault: OnFault,
): Promise<void> {
  for (let after = options.after ?? ''; ; ) {
    const rows = context.database
      .sql(`SELECT digest, size FROM blobs WHERE digest > ? ORDER BY digest LIMIT ${BATCH}`)
      .all(after);
    for (const row of rows) {
      options.signal.throwIfAborted();
      const digest = digestIn(row.digest);
      const fault = await checkOne(context, options, digest);
      if (fault) onFault(fault);
      report.blobs++;
      report.bytes += Number(row.size);
      after = digest;
      await options.onStep?.({ digest, blobs: report.blobs, bytes: report.bytes });
    }
    if (rows.length < BATCH) return;
  }
}

async function checkOne(context: Context, options: CheckOptions, digest: Digest): Promise<Fault | undefined> {
  if ((await compare(context, digest)).kind === 'fine') return undefined;
  // Again, under the queue of the digest: the blob may have been removed or added since.
  return context.queue.run(digest, async () => {
    const found = await compare(context, digest);
    if (found.kind === 'fine') return undefined;
    const hurts = hurtBy(context, digest);
    if (found.kind === 'size') {
      if (options.isRepair)
        context.database.sql('UPDATE blobs SET size = ? WHERE digest = ?').run(found.sizeBytes, digest);
      const detail = `the records say ${found.recordedBytes} bytes, it has ${found.sizeBytes}`;
      return { kind: 'size', digest, detail, hurts: [], outcome: options.isRepair ? 'repaired' : 'found' };
    }
    // A damaged blob is useless, and as long as it exists a push does not replace it.
    const isRemoved = found.kind === 'damaged' && options.isRepair;
    if (isRemoved) await context.storage.remove(digest);
    const detail = found.kind === 'missing' ? 'the store does not have it' : found.detail;
    return { kind: found.kind, digest, detail, hurts, outcome: isRemoved ? 'removed' : 'found' };
  });
}

type Comparison =
  | { readonly kind: 'fine' }
  | { readonly kind: 'missing' }
  | { readonly kind: 'damaged'; readonly detail: string }
  | { readonly kind: 'size'; readonly sizeBytes: number; readonly recordedBytes: number };

/** Compares one blob with its record. A blob without a record is fine: it was deleted meanwhile. */
async function compare({ queries, storage }: Context, digest: Digest): Promise<Comparison> {
  const recordedBytes = queries.storedSize(digest);
  if (recordedBytes === undefined) return { kind: 'fine' };
  const hash = createHash(algorithmOf(digest));
  let sizeBytes = 0;
  try {
    for await (const piece of await storage.read(digest)) {
      hash.update(piece as Uint8Array);
      sizeBytes += (piece as Uint8Array).length;
    }
  } catch (error) {
    if (isGantryError(error) && error.code === 'NO_SUCH_BLOB') return { kind: 'missing' };
    // EIO means that the disk cannot read this blob. Other errors say nothing about the blob.
    if ((error as { code?: unknown }).code === 'EIO') return { kind: 'damaged', detail: messageOf(error) };
    throw error;
  }
  const got = digestOfHash(algorithmOf(digest), hash);
  if (got !== digest)
    return { kind: 'damaged', detail: `it has ${sizeBytes} bytes of ${recordedBytes}, and the digest ${got}` };
  return sizeBytes === recordedBytes ? { kind: 'fine' } : { kind: 'size', sizeBytes, recordedBytes };
}

/** Some of the images that have or need this digest. */
function hurtBy({ database }: Context, digest: Digest): readonly string[] {
  return database
    .sql(`SELECT DISTINCT r.name || coalesce(':' || t.name, '@' || m.digest) AS image FROM manifests m
          JOIN repositories r ON r.id = m.repository LEFT JOIN tags t ON t.manifest = m.id
          WHERE m.digest = ? OR m.id IN (SELECT manifest FROM manifest_references WHERE digest = ?) LIMIT ${HURT_MAX}`)
    .all(digest, digest)
    .map((row) => String(row.image));
}

/** Content without a record: a crash came between the bytes and their record. */
async function checkStrays(context: Context, { isRepair, signal }: CheckOptions, onFault: OnFault): Promise<void> {
  const { database, queries, storage, queue } = context;
  // A blob that a collection is about to remove is no stray.
  const isKnown = (digest: Digest): boolean =>
    queries.storedSize(digest) !== undefined ||
    database.sql('SELECT 1 FROM removals WHERE digest = ?').get(digest) !== undefined;
  for await (const { digest, sizeBytes } of storage.blobs()) {
    signal.throwIfAborted();
    if (isKnown(digest)) continue;
    await queue.run(digest, async () => {
      if (isKnown(digest)) return;
      if (isRepair) await storage.remove(digest);
      const detail = `${sizeBytes} bytes that no record knows`;
      onFault({ kind: 'stray', digest, detail, hurts: [], outcome: isRepair ? 'repaired' : 'found' });
    });
  }
}

/** Checks that each repository has what its manifests refer to. */
async function checkRecords(context: Context, options: CheckOptions, onFault: OnFault): Promise<void> {
  const { database } = context;
  const end = Number(database.sql('SELECT max(id) AS id FROM manifests').get()?.id ?? 0);
  for (let from = 0; from < end; from += BATCH) {
    options.signal.throwIfAborted();
    linkAgain(context, options, from, onFault);
    await reportIncomplete(context, options, from, onFault);
    await yieldToEventLoop();
  }
}

/** Stored blobs that a manifest refers to, but that are not linked to its repository. */
function linkAgain({ database }: Context, { isRepair }: CheckOptions, from: number, onFault: OnFault): void {
  database.transaction(() => {
    const rows = database
      .sql(`SELECT DISTINCT m.repository, r.name, b.id AS blob, f.digest FROM manifests m JOIN repositories r ON r.id = m.repository
            JOIN manifest_references f ON f.manifest = m.id JOIN blobs b ON b.digest = f.digest
            LEFT JOIN blob_links l ON l.repository = m.repository AND l.blob = b.id
            WHERE m.id > ? AND m.id <= ? AND f.kind != 'manifest' AND l.blob IS NULL`)
      .all(from, from + BATCH);
    for (const { repository, name, blob, digest } of rows) {
      if (isRepair)
        database
          .sql('INSERT INTO blob_links (repository, blob, unclaimed_ms) VALUES (?, ?, 0)')
          .run(Number(repository), Number(blob));
      const detail = `${String(name)} needs it and does not show it`;
      onFault({
        kind: 'unlinked',
        digest: digestIn(digest),
        detail,
        hurts: [],
        outcome: isRepair ? 'repaired' : 'found',
      });
    }
  });
}

/** Manifests that refer to missing content. Mirrors fetch theirs on demand, and foreign layers are stored elsewhere. */
async function reportIncomplete(
  context: Context,
  { isMirror }: CheckOptions,
  from: number,
  onFault: OnFault,
): Promise<void> {
  const rows = context.database
    .sql(`SELECT r.name, m.digest, m.media_type, f.digest AS needed FROM manifests m JOIN repositories r ON r.id = m.repository
          JOIN manifest_references f ON f.manifest = m.id WHERE m.id > ? AND m.id <= ? AND CASE f.kind
            WHEN 'manifest' THEN NOT EXISTS (SELECT 1 FROM manifests n WHERE n.repository = m.repository AND n.digest = f.digest)
            ELSE NOT EXISTS (SELECT 1 FROM blobs b WHERE b.digest = f.digest) END`)
    .all(from, from + BATCH);
  for (const row of rows) {
    const [name, needed] = [String(row.name), digestIn(row.needed)];
    if (isMirror(name) || (await isForeign(context, digestIn(row.digest), String(row.media_type), needed))) continue;
    const hurts = [`${name}@${String(row.digest)}`];
    onFault({
      kind: 'incomplete',
      digest: needed,
      detail: `${name} needs it and does not have it`,
      hurts,
      outcome: 'found',
    });
  }
}

async function isForeign(
  { storage, options }: Context,
  digest: Digest,
  mediaType: string,
  needed: Digest,
): Promise<boolean> {
  try {
    const { references } = parseManifestBody(await storage.readSmall(digest, options.maxManifestBytes), mediaType);
    return references.some((reference) => reference.digest === needed && reference.isForeign);
  } catch (error) {
    // The manifest's own fault was reported already.
    if (isGantryError(error)) return false;
    throw error;
  }
}
