// Owns garbage collection while the registry works: what no manifest needs and no grace period spares goes, in small steps.
//
// The records decide in one transaction; the bytes follow, under the queue of their digest, so that an upload of the same content
// comes wholly before or wholly after. A crash between leaves a row in `removals`, or a file that no row knows: both are found later.

import { setImmediate as yieldToEventLoop } from 'node:timers/promises';
import type { Digest } from '../../spec/digest.ts';
import { bury } from './burial.ts';
import type { Context } from './context.ts';
import { digestIn } from './rows.ts';
import type { GarbageReport } from './types.ts';

/** Rows of one transaction: some milliseconds. */
const BATCH = 200;
/** How long the history of tags outlives everything else in its repository. */
const HISTORY_KEPT_MS = 30 * 86_400_000;
/** Removals under way at once. */
const PARALLEL = 8;

/** Collects everything that may go now. */
export async function collectGarbage(context: Context, signal: AbortSignal): Promise<GarbageReport> {
  await bury(context, signal);
  const uploads = await expireUploads(context, signal);
  const cutoffMs = context.now() - context.options.garbageGraceMs;
  for (let last = { repository: -1, blob: -1, since: 0 }; ; ) {
    signal.throwIfAborted();
    const next = context.database.transaction(() => dropLinks(context, cutoffMs, last));
    if (!next) break;
    last = next;
    await yieldToEventLoop();
  }
  forgetEmpty(context);
  return { ...(await removeBytes(context, signal)), uploads };
}

/** Repositories that hold nothing any more, nor remember lately having held something. */
function forgetEmpty({ database, now }: Context): void {
  database
    .sql(`DELETE FROM repositories WHERE id IN (SELECT id FROM repositories r
            WHERE NOT EXISTS (SELECT 1 FROM manifests WHERE repository = r.id)
            AND NOT EXISTS (SELECT 1 FROM blob_links WHERE repository = r.id)
            AND NOT EXISTS (SELECT 1 FROM uploads WHERE repository = r.id)
            AND NOT EXISTS (SELECT 1 FROM tag_history WHERE repository = r.id AND until_ms > ?) LIMIT ${BATCH})`)
    .run(now() - HISTORY_KEPT_MS);
}

interface Position {
  readonly repository: number;
  readonly blob: number;
  readonly since: number;
}

/** One batch of links that only a grace period held. Where to go on, or undefined at the end. */
function dropLinks({ database, changes }: Context, cutoffMs: number, last: Position): Position | undefined {
  const rows = database
    .sql(`SELECT l.repository, l.blob, l.unclaimed_ms, b.digest, EXISTS (SELECT 1 FROM manifest_references f
            JOIN manifests m ON m.id = f.manifest WHERE f.digest = b.digest AND m.repository = l.repository) AS needed
          FROM blob_links l JOIN blobs b ON b.id = l.blob
          WHERE l.unclaimed_ms > 0 AND l.unclaimed_ms <= ? AND (l.unclaimed_ms, l.repository, l.blob) > (?, ?, ?)
          ORDER BY l.unclaimed_ms, l.repository, l.blob LIMIT ${BATCH}`)
    .all(cutoffMs, last.since, last.repository, last.blob);
  for (const { repository, blob, digest, needed } of rows) {
    if (needed) {
      database
        .sql('UPDATE blob_links SET unclaimed_ms = 0 WHERE repository = ? AND blob = ?')
        .run(Number(repository), Number(blob));
    } else {
      database.sql('DELETE FROM blob_links WHERE repository = ? AND blob = ?').run(Number(repository), Number(blob));
      changes.removeIfUnneeded(digestIn(digest));
    }
  }
  const end = rows.at(-1);
  return end && { repository: Number(end.repository), blob: Number(end.blob), since: Number(end.unclaimed_ms) };
}

/** Frees the bytes of what the records have forgotten. */
async function removeBytes(context: Context, signal: AbortSignal): Promise<{ blobs: number; bytes: number }> {
  const report = { blobs: 0, bytes: 0 };
  for (;;) {
    signal.throwIfAborted();
    const rows = context.database.sql(`SELECT digest FROM removals LIMIT ${BATCH}`).all();
    if (rows.length === 0) return report;
    const digests = rows.map((row) => digestIn(row.digest));
    const worker = async (): Promise<void> => {
      for (let digest = digests.pop(); digest !== undefined; digest = digests.pop()) {
        const freed = await removeOne(context, digest);
        if (freed === undefined) continue;
        report.blobs++;
        report.bytes += freed;
      }
    };
    await Promise.all(Array.from({ length: PARALLEL }, worker));
  }
}

function removeOne(context: Context, digest: Digest): Promise<number | undefined> {
  return context.queue.run(digest, async () => {
    const isNeeded = context.database.sql('SELECT 1 FROM blobs WHERE digest = ?').get(digest) !== undefined;
    const sizeBytes = isNeeded ? undefined : await context.storage.size(digest);
    if (!isNeeded) await context.storage.remove(digest);
    context.database.sql('DELETE FROM removals WHERE digest = ?').run(digest);
    return sizeBytes;
  });
}

/** Forgets uploads that nobody goes on with, and those that only one side knows. */
async function expireUploads(context: Context, signal: AbortSignal): Promise<number> {
  const cutoffMs = context.now() - context.options.uploadExpiryMs;
  let expired = 0;
  for await (const upload of context.storage.uploads()) {
    signal.throwIfAborted();
    if (upload.touchedAtMs > cutoffMs) continue;
    await context.queue.run(upload.id, async () => {
      await context.storage.abort(upload.id);
      context.database.sql('DELETE FROM uploads WHERE id = ?').run(upload.id);
    });
    expired++;
  }
  for (const { id } of context.database.sql('SELECT id FROM uploads WHERE started_ms <= ?').all(cutoffMs)) {
    if ((await context.storage.uploadSize(String(id))) === undefined) {
      context.database.sql('DELETE FROM uploads WHERE id = ?').run(String(id));
    }
  }
  return expired;
}

/** Removes stored blobs that the records do not know: a crash fell between the bytes and their record. */
export async function removeStrays(context: Context, signal: AbortSignal): Promise<number> {
  let strays = 0;
  for await (const { digest } of context.storage.blobs()) {
    if (signal.aborted) return strays;
    if (context.database.sql('SELECT 1 FROM blobs WHERE digest = ?').get(digest)) continue;
    await context.queue.run(digest, async () => {
      if (context.database.sql('SELECT 1 FROM blobs WHERE digest = ?').get(digest)) return;
      await context.storage.remove(digest);
      strays++;
    });
  }
  return strays;
}
