// Owns garbage collection while the registry serves requests: blobs that no manifest needs and no claim protects are removed in small steps.
//
// The records change first, in one transaction. The bytes are removed afterwards, under the queue of their digest, so that an upload of
// the same content runs before or after, never during the removal. A crash in between leaves a row in `removals`, or a file without a
// record; a later collection finds both.

import { setImmediate as yieldToEventLoop } from 'node:timers/promises';
import type { Digest } from '../../spec/digest.ts';
import type { Context } from './context.ts';
import { discard } from './discard.ts';
import { digestIn } from './rows.ts';
import type { GarbageCollector, GarbageReport } from './types.ts';

/** Rows of one transaction, which takes some milliseconds. */
const BATCH = 200;
/** How long the tag history of an empty repository is kept. */
const HISTORY_KEPT_MS = 30 * 86_400_000;
/** Blobs that are removed in parallel. */
const PARALLEL = 8;

/** Runs one collection at a time, and adds up what they freed. Disposing it waits for the running one. */
export class Garbage implements AsyncDisposable {
  readonly #context: Context;
  #running: Promise<GarbageReport> | undefined;
  #collected: GarbageReport = { blobs: 0, bytes: 0, uploads: 0 };

  constructor(context: Context) {
    this.#context = context;
  }

  /** The verbs of garbage collection. */
  verbs(): GarbageCollector {
    return {
      collectGarbage: (signal) => this.#collect(signal),
      removeStrays: (signal) => removeStrays(this.#context, signal),
      collected: () => this.#collected,
    };
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#running?.catch(() => undefined);
  }

  #collect(signal: AbortSignal): Promise<GarbageReport> {
    this.#running ??= collectGarbage(this.#context, signal)
      .then((report) => {
        this.#collected = sum(this.#collected, report);
        return report;
      })
      .finally(() => {
        this.#running = undefined;
      });
    return this.#running;
  }
}

function sum(a: GarbageReport, b: GarbageReport): GarbageReport {
  return { blobs: a.blobs + b.blobs, bytes: a.bytes + b.bytes, uploads: a.uploads + b.uploads };
}

/** Collects everything that may be removed now. */
async function collectGarbage(context: Context, signal: AbortSignal): Promise<GarbageReport> {
  await discard(context, signal);
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

/** Deletes repositories that are empty and have no recent tag history. */
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

/** Removes one batch of links whose claim has expired. Returns where the next batch begins, or undefined at the end. */
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

/** Removes the bytes of blobs that have no record any more. */
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

/** Removes uploads that received no bytes for too long, and those that only the store or only the records have. */
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

/** Removes stored blobs without a record: a crash came between the bytes and their record. */
async function removeStrays(context: Context, signal: AbortSignal): Promise<number> {
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
