// Owns the table of jobs: which wait, which is the first of its key, which were given up. Runs nothing.
//
//     jobs   state BEHIND: an earlier job of its key comes first.  FIRST: due at due_ms.  DEAD: given up, kept to be looked at.

import type { Database, Migrations } from '../database.ts';

const BEHIND = 0;
const FIRST = 1;
const DEAD = 2;

/** Tables that other capabilities had for their queues become rows of this one: their own migrations copy them, after this. */
const MIGRATIONS: Migrations = {
  name: 'jobs',
  steps: [
    `CREATE TABLE jobs (
       id INTEGER PRIMARY KEY, queue TEXT NOT NULL, key TEXT NOT NULL, payload TEXT NOT NULL, state INTEGER NOT NULL,
       attempts INTEGER NOT NULL, due_ms INTEGER NOT NULL, version INTEGER NOT NULL, error TEXT NOT NULL) STRICT;
     CREATE INDEX jobs_due ON jobs (queue, due_ms, id) WHERE state = ${FIRST};
     CREATE INDEX jobs_key ON jobs (queue, key, id) WHERE state < ${DEAD};
     CREATE INDEX jobs_dead ON jobs (queue, id) WHERE state = ${DEAD};`,
  ],
};

const ERROR_MAX_CHARS = 1000;

/** Makes the table when it is absent. Migrations that copy rows into it call this before. */
export function migrateJobs(db: Database): void {
  db.migrate(MIGRATIONS);
}

/**
 * SQL that copies another table's rows into the jobs, for migrations: `columns` are expressions of queue, key, payload, is_dead, attempts,
 * due_ms and error over `source`, in the order in which the jobs come.
 */
export function copyIntoJobs(columns: string, source: string): string {
  return `INSERT INTO jobs (queue, key, payload, state, attempts, due_ms, version, error)
      SELECT queue, key, payload, CASE WHEN is_dead THEN ${DEAD} ELSE ${BEHIND} END, attempts, due_ms, 1, error
      FROM (SELECT ${columns} FROM ${source});
    UPDATE jobs SET state = ${FIRST} WHERE state = ${BEHIND} AND id IN
      (SELECT min(id) FROM jobs WHERE state < ${DEAD} GROUP BY queue, key);`;
}

/** A row. */
export interface JobRow {
  readonly id: number;
  readonly key: string;
  readonly payload: string;
  readonly attempts: number;
  readonly error: string;
  /** Tells a job from one that came in its place while it ran. */
  readonly version: number;
}

/** The rows of one queue. Times are Unix milliseconds. */
export class JobTable {
  readonly #db: Database;
  readonly #queue: string;

  constructor(db: Database, queue: string) {
    this.#db = db;
    this.#queue = queue;
    migrateJobs(db);
  }

  add(key: string, payload: string): void {
    this.#db
      .sql(`INSERT INTO jobs (queue, key, payload, state, attempts, due_ms, version, error) VALUES (?, ?, ?,
            CASE WHEN EXISTS (SELECT 1 FROM jobs WHERE queue = ? AND key = ? AND state < ${DEAD}) THEN ${BEHIND} ELSE ${FIRST} END, 0, 0, 1, '')`)
      .run(this.#queue, key, payload, this.#queue, key);
  }

  replace(key: string, payload: string): void {
    this.#db.transaction(() => {
      this.#dropDead(key);
      const changed = this.#db
        .sql(`UPDATE jobs SET payload = ?, attempts = 0, due_ms = 0, version = version + 1, error = ''
              WHERE queue = ? AND key = ? AND state < ${DEAD}`)
        .run(payload, this.#queue, key);
      if (Number(changed.changes) === 0) this.add(key, payload);
    });
  }

  cancel(key: string): void {
    this.#db.transaction(() => {
      this.#dropDead(key);
      this.#db.sql(`DELETE FROM jobs WHERE queue = ? AND key = ? AND state < ${DEAD}`).run(this.#queue, key);
    });
  }

  #dropDead(key: string): void {
    this.#db.sql(`DELETE FROM jobs WHERE queue = ? AND key = ? AND state = ${DEAD}`).run(this.#queue, key);
  }

  /** Jobs that may be done now, the longest due first. */
  due(nowMs: number, limit: number): readonly JobRow[] {
    return this.#db
      .sql(`SELECT * FROM jobs WHERE queue = ? AND state = ${FIRST} AND due_ms <= ? ORDER BY due_ms, id LIMIT ?`)
      .all(this.#queue, nowMs, limit)
      .map(rowOf);
  }

  /** When the next job is due that is not due now. */
  nextDueMs(nowMs: number): number | undefined {
    const row = this.#db
      .sql(`SELECT min(due_ms) AS due FROM jobs WHERE queue = ? AND state = ${FIRST} AND due_ms > ?`)
      .get(this.#queue, nowMs);
    return typeof row?.due === 'number' ? row.due : undefined;
  }

  /** The job is done; what came in its place while it ran stays. */
  done({ id, key, version }: JobRow): void {
    this.#db.transaction(() => {
      const gone = this.#db.sql('DELETE FROM jobs WHERE id = ? AND version = ?').run(id, version);
      if (Number(gone.changes) > 0) this.#promote(key);
    });
  }

  /** The try failed; one that came in the job's place while it ran is not touched. */
  failed({ id, key, version }: JobRow, error: string, dueMs: number, isDead: boolean): void {
    this.#db.transaction(() => {
      const changed = this.#db
        .sql(`UPDATE jobs SET attempts = attempts + 1, error = ?, due_ms = ?, state = ? WHERE id = ? AND version = ?`)
        .run(error.slice(0, ERROR_MAX_CHARS), dueMs, isDead ? DEAD : FIRST, id, version);
      if (isDead && Number(changed.changes) > 0) this.#promote(key);
    });
  }

  /** The next job of a key comes first, once the one before it has left. */
  #promote(key: string): void {
    this.#db
      .sql(`UPDATE jobs SET state = ${FIRST} WHERE id =
            (SELECT min(id) FROM jobs WHERE queue = ? AND key = ? AND state < ${DEAD}) AND state = ${BEHIND}`)
      .run(this.#queue, key);
  }

  find(key: string): (JobRow & { readonly isDead: boolean }) | undefined {
    const waiting = this.#db
      .sql(`SELECT * FROM jobs WHERE queue = ? AND key = ? AND state < ${DEAD} ORDER BY id LIMIT 1`)
      .get(this.#queue, key);
    if (waiting) return { ...rowOf(waiting), isDead: false };
    const dead = this.#db
      .sql(`SELECT * FROM jobs WHERE queue = ? AND key = ? AND state = ${DEAD} ORDER BY id DESC LIMIT 1`)
      .get(this.#queue, key);
    return dead && { ...rowOf(dead), isDead: true };
  }

  counts(): { readonly pending: number; readonly dead: number } {
    const count = (condition: string): number =>
      Number(
        this.#db.sql(`SELECT count(*) AS count FROM jobs WHERE queue = ? AND ${condition}`).get(this.#queue)?.count,
      );
    return { pending: count(`state < ${DEAD}`), dead: count(`state = ${DEAD}`) };
  }

  lastError(): string {
    const row = this.#db
      .sql(`SELECT error FROM jobs WHERE queue = ? AND state = ${FIRST} AND error != '' ORDER BY due_ms LIMIT 1`)
      .get(this.#queue);
    return String(row?.error ?? '');
  }

  dead(after: number, limit: number): readonly JobRow[] {
    return this.#db
      .sql(`SELECT * FROM jobs WHERE queue = ? AND state = ${DEAD} AND id > ? ORDER BY id LIMIT ?`)
      .all(this.#queue, after, limit)
      .map(rowOf);
  }

  requeue(id: number): boolean {
    return this.#db.transaction(() => {
      const row = this.#db
        .sql(`DELETE FROM jobs WHERE queue = ? AND id = ? AND state = ${DEAD} RETURNING key, payload`)
        .get(this.#queue, id);
      if (row) this.add(String(row.key), String(row.payload));
      return row !== undefined;
    });
  }

  drop(id: number): boolean {
    const gone = this.#db.sql(`DELETE FROM jobs WHERE queue = ? AND id = ? AND state = ${DEAD}`).run(this.#queue, id);
    return Number(gone.changes) > 0;
  }

  /** Keeps both kinds within bounds; how many jobs were given up. */
  bound(pendingMax: number, deadMax: number): number {
    return this.#db.transaction(() => {
      const over = this.#db
        .sql(`UPDATE jobs SET state = ${DEAD}, error = 'too many jobs were waiting' WHERE id IN
              (SELECT id FROM jobs WHERE queue = ? AND state < ${DEAD} ORDER BY id DESC LIMIT -1 OFFSET ?) RETURNING key`)
        .all(this.#queue, pendingMax);
      for (const key of new Set(over.map((row) => String(row.key)))) this.#promote(key);
      this.#db
        .sql(`DELETE FROM jobs WHERE id IN
              (SELECT id FROM jobs WHERE queue = ? AND state = ${DEAD} ORDER BY id DESC LIMIT -1 OFFSET ?)`)
        .run(this.#queue, deadMax);
      return over.length;
    });
  }
}

function rowOf(row: Readonly<Record<string, unknown>>): JobRow {
  return {
    id: Number(row.id),
    key: String(row.key),
    payload: String(row.payload),
    attempts: Number(row.attempts),
    error: String(row.error),
    version: Number(row.version),
  };
}
