// Owns the removal of hidden rows: deleted repositories, and deleted manifests with very many tags. Removes a few rows at a time, while
// requests are served. What a crash leaves is found by its hidden name at the next collection.

import { setImmediate as yieldToEventLoop } from 'node:timers/promises';
import type { Context } from './context.ts';
import { digestIn } from './rows.ts';
import { HIDDEN } from './schema.ts';

/** Rows of one transaction, which takes some milliseconds. */
const BATCH = 200;

/** Removes everything that is hidden. */
export async function discard(context: Context, signal: AbortSignal): Promise<void> {
  for (;;) {
    const row = context.database.sql(`SELECT id, created_ms FROM repositories WHERE name >= '${HIDDEN}' LIMIT 1`).get();
    if (!row) return;
    const id = Number(row.id);
    const steps = [tagsStep(Number(row.created_ms)), historyStep, manifestsStep, linksStep, uploadsStep];
    for (const step of steps) {
      while (context.database.transaction(() => step(context, id)) === BATCH) {
        signal.throwIfAborted();
        await yieldToEventLoop();
      }
    }
    context.database.sql('DELETE FROM repositories WHERE id = ?').run(id);
    await yieldToEventLoop();
  }
}

/** Removes at most BATCH rows of a hidden repository; returns how many. */
type Step = (context: Context, id: number) => number;

/** Tags that still point into it. In a repository that still exists, their history ends at the time when they were hidden. */
function tagsStep(hiddenAtMs: number): Step {
  return ({ database, changes }, id) => {
    const rows = database
      .sql(
        `SELECT t.repository, t.name FROM manifests m JOIN tags t ON t.manifest = m.id WHERE m.repository = ? LIMIT ${BATCH}`,
      )
      .all(id);
    for (const { repository, name } of rows) changes.deleteTag(Number(repository), String(name), hiddenAtMs);
    return rows.length;
  };
}

const historyStep: Step = ({ database }, id) =>
  Number(
    database
      .sql(`DELETE FROM tag_history WHERE id IN (SELECT id FROM tag_history WHERE repository = ? LIMIT ${BATCH})`)
      .run(id).changes,
  );

const manifestsStep: Step = ({ database, changes }, id) => {
  const rows = database.sql(`SELECT digest FROM manifests WHERE repository = ? LIMIT ${BATCH}`).all(id);
  for (const { digest } of rows) changes.deleteManifest(id, digestIn(digest));
  return rows.length;
};

const linksStep: Step = ({ database, changes }, id) => {
  const rows = database
    .sql(`SELECT b.id, b.digest FROM blob_links l JOIN blobs b ON b.id = l.blob WHERE l.repository = ? LIMIT ${BATCH}`)
    .all(id);
  for (const row of rows) {
    database.sql('DELETE FROM blob_links WHERE repository = ? AND blob = ?').run(id, Number(row.id));
    changes.removeIfUnneeded(digestIn(row.digest));
  }
  return rows.length;
};

const uploadsStep: Step = ({ database }, id) =>
  Number(
    database.sql(`DELETE FROM uploads WHERE id IN (SELECT id FROM uploads WHERE repository = ? LIMIT ${BATCH})`).run(id)
      .changes,
  );
