// Owns looking whether the store has what the records say, and the records what the store has; and mending what can be. Requests go on
// meanwhile. Decides nothing of when and how fast.

import { createHash } from 'node:crypto';
import { setImmediate as yieldToEventLoop } from 'node:timers/promises';
import { isGantryError, messageOf } from '../../lib/errors.ts';
import { algorithmOf, type Digest } from '../../spec/digest.ts';
import { digestOfHash } from '../storage/index.ts';
import type { Context } from './context.ts';
import { parseManifestBody } from './manifest-body.ts';
import { digestIn } from './rows.ts';
import type { CheckOptions, CheckReport, Fault } from './types.ts';

/** Records looked at in one step: some milliseconds. */
const BATCH = 500;
const HURT_MAX = 10;

/** Looks at everything: content, then what nobody knows, then records among themselves. */
export async function check(context: Context, options: CheckOptions): Promise<CheckReport> {
  const report = { blobs: 0, bytes: 0, faults: 0, mended: 0 };
  const tell = (fault: Fault): void => {
    report.faults++;
    if (fault.outcome !== 'found') report.mended++;
    options.onFault(fault);
  };
  await checkContent(context, options, report, tell);
  await checkStrays(context, options, tell);
  await checkRecords(context, options, tell);
  return report;
}

type Tell = (fault: Fault) => void;

/** Every blob and manifest that the records name, in the order of their digests, from after `options.after` on. */
async function checkContent(
  context: Context,
  options: CheckOptions,
  report: { blobs: number; bytes: number },
  tell: Tell,
): Promise<void> {
  for (let after = options.after ?? ''; ; ) {
    const rows = context.database
      .sql(`SELECT digest, size FROM blobs WHERE digest > ? ORDER BY digest LIMIT ${BATCH}`)
      .all(after);
    for (const row of rows) {
      options.signal.throwIfAborted();
      const digest = digestIn(row.digest);
      const fault = await checkOne(context, options, digest);
      if (fault) tell(fault);
      report.blobs++;
      report.bytes += Number(row.size);
      after = digest;
      await options.onStep?.({ digest, blobs: report.blobs, bytes: report.bytes });
    }
    if (rows.length < BATCH) return;
  }
}

async function checkOne(context: Context, options: CheckOptions, digest: Digest): Promise<Fault | undefined> {
  if ((await look(context, digest)).kind === 'fine') return undefined;
  // Once more, with nobody else at it: it may have gone or come since.
  return context.queue.run(digest, async () => {
    const found = await look(context, digest);
    if (found.kind === 'fine') return undefined;
    const hurts = hurtBy(context, digest);
    if (found.kind === 'size') {
      if (options.isRepair)
        context.database.sql('UPDATE blobs SET size = ? WHERE digest = ?').run(found.sizeBytes, digest);
      const detail = `the records say ${found.recordedBytes} bytes, it has ${found.sizeBytes}`;
      return { kind: 'size', digest, detail, hurts: [], outcome: options.isRepair ? 'repaired' : 'found' };
    }
    // Bytes that are wrong help nobody, and keep pushers from bringing the right ones.
    const isRemoved = found.kind === 'damaged' && options.isRepair;
    if (isRemoved) await context.storage.remove(digest);
    const detail = found.kind === 'missing' ? 'the store does not have it' : found.detail;
    return { kind: found.kind, digest, detail, hurts, outcome: isRemoved ? 'removed' : 'found' };
  });
}

type Look =
  | { readonly kind: 'fine' }
  | { readonly kind: 'missing' }
  | { readonly kind: 'damaged'; readonly detail: string }
  | { readonly kind: 'size'; readonly sizeBytes: number; readonly recordedBytes: number };

/** What the store has under a digest; what the records do not name any more is fine. */
async function look({ queries, storage }: Context, digest: Digest): Promise<Look> {
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
    // The disk says that it cannot; anything else says nothing of the blob.
    if ((error as { code?: unknown }).code === 'EIO') return { kind: 'damaged', detail: messageOf(error) };
    throw error;
  }
  const got = digestOfHash(algorithmOf(digest), hash);
  if (got !== digest)
    return { kind: 'damaged', detail: `it has ${sizeBytes} bytes of ${recordedBytes}, and the digest ${got}` };
  return sizeBytes === recordedBytes ? { kind: 'fine' } : { kind: 'size', sizeBytes, recordedBytes };
}

/** Some of the images that need a digest, or are it. */
function hurtBy({ database }: Context, digest: Digest): readonly string[] {
  return database
    .sql(`SELECT DISTINCT r.name || coalesce(':' || t.name, '@' || m.digest) AS image FROM manifests m
          JOIN repositories r ON r.id = m.repository LEFT JOIN tags t ON t.manifest = m.id
          WHERE m.digest = ? OR m.id IN (SELECT manifest FROM manifest_references WHERE digest = ?) LIMIT ${HURT_MAX}`)
    .all(digest, digest)
    .map((row) => String(row.image));
}

/** Content that the records do not know: a crash fell between the bytes and their record. */
async function checkStrays(context: Context, { isRepair, signal }: CheckOptions, tell: Tell): Promise<void> {
  const { database, queries, storage, queue } = context;
  // What a collection is about to remove is no stray.
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
      tell({ kind: 'stray', digest, detail, hurts: [], outcome: isRepair ? 'repaired' : 'found' });
    });
  }
}

/** What manifests need must be known in their repository. */
async function checkRecords(context: Context, options: CheckOptions, tell: Tell): Promise<void> {
  const { database } = context;
  const end = Number(database.sql('SELECT max(id) AS id FROM manifests').get()?.id ?? 0);
  for (let from = 0; from < end; from += BATCH) {
    options.signal.throwIfAborted();
    linkAgain(context, options, from, tell);
    await tellIncomplete(context, options, from, tell);
    await yieldToEventLoop();
  }
}

/** Blobs that are here and that a manifest of the repository needs, which the repository does not let one read. */
function linkAgain({ database }: Context, { isRepair }: CheckOptions, from: number, tell: Tell): void {
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
      tell({ kind: 'unlinked', digest: digestIn(digest), detail, hurts: [], outcome: isRepair ? 'repaired' : 'found' });
    }
  });
}

/** Manifests that need what is nowhere. Mirrors fetch it when it is asked for; some layers lie elsewhere by agreement. */
async function tellIncomplete(context: Context, { isMirror }: CheckOptions, from: number, tell: Tell): Promise<void> {
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
    tell({
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
    // Its own fault was told of already.
    if (isGantryError(error)) return false;
    throw error;
  }
}
