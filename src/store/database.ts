// Owns the records database (SQLite, write-ahead log): opening, migrations, transactions. Knows no table of its own.

import { chmodSync, closeSync, existsSync, openSync } from 'node:fs';
import { DatabaseSync, type SQLInputValue, type StatementSync } from 'node:sqlite';
import { GantryError } from '../lib/errors.ts';

/** One table family's schema history: entry i brings it from version i to i+1. Never edit an entry that was released. */
export interface Migrations {
  /** Unique, e.g. `images`. */
  readonly name: string;
  readonly steps: readonly string[];
}

/** Kept free inside the file and in its log: on a full disk small changes still find room. */
const RESERVE_BYTES = 256 * 1024;
/** @source sqlite.org/rescode.html: SQLITE_FULL */
const SQLITE_FULL = 13;

/** A database shared by the capabilities; each writes only its own tables. */
export interface Database extends Disposable {
  /** A prepared statement, cached by text. */
  sql(text: string): StatementSync;
  /** Runs `work` atomically; nested calls join the outer transaction. Synchronous by design: no await may lie inside. */
  transaction<T>(work: () => T): T;
  migrate(migrations: Migrations): void;
}

/** Records hold what containers were given, secrets among it: no one else reads them, whatever the folder's mode. */
function keepPrivate(path: string): void {
  if (path === ':memory:') return;
  closeSync(openSync(path, 'a', 0o600));
  // SQLite gives its log and index the mode of the database.
  for (const suffix of ['', '-wal', '-shm']) if (existsSync(path + suffix)) chmodSync(path + suffix, 0o600);
}

/**
 * Opens or makes the database at `path` (`:memory:` for tests).
 * WAL with synchronous=NORMAL: a SIGKILL of the daemon loses nothing; a power cut may lose the last transactions but never corrupts.
 * @throws Error when another process holds it or the file is no database
 */
export function openDatabase(path: string): Database {
  keepPrivate(path);
  const db = new DatabaseSync(path);
  db.exec(
    'PRAGMA journal_mode = WAL; PRAGMA synchronous = NORMAL; PRAGMA foreign_keys = ON; PRAGMA busy_timeout = 2000;',
  );
  db.exec('CREATE TABLE IF NOT EXISTS migrations (name TEXT PRIMARY KEY, version INTEGER NOT NULL) STRICT');
  reserve(db);
  const statements = new Map<string, StatementSync>();
  let depth = 0;
  const sql = (text: string): StatementSync => {
    const cached = statements.get(text);
    if (cached) return cached;
    const statement = db.prepare(text);
    const run = statement.run.bind(statement);
    statement.run = ((...values: SQLInputValue[]) =>
      depth > 0 ? run(...values) : withRoom(db, () => run(...values))) as StatementSync['run'];
    statements.set(text, statement);
    return statement;
  };
  const transaction = <T>(work: () => T): T => {
    if (depth > 0) return work();
    db.exec('BEGIN IMMEDIATE');
    depth++;
    try {
      const result = work();
      db.exec('COMMIT');
      return result;
    } catch (error) {
      // A full disk may have ended it already.
      if (db.isTransaction) db.exec('ROLLBACK');
      throw error;
    } finally {
      depth--;
    }
  };
  return {
    sql,
    transaction: (work) => (depth > 0 ? work() : withRoom(db, () => transaction(work))),
    migrate({ name, steps }) {
      transaction(() => {
        const row = sql('SELECT version FROM migrations WHERE name = ?').get(name);
        const version = Number(row?.version ?? 0);
        if (version === steps.length) return;
        for (const step of steps.slice(version)) db.exec(step);
        sql('INSERT INTO migrations VALUES (?, ?) ON CONFLICT (name) DO UPDATE SET version = excluded.version').run(
          name,
          steps.length,
        );
      });
    },
    [Symbol.dispose]() {
      statements.clear();
      db.close();
    },
  };
}

/** Makes the file and its log large enough that both can take small changes without growing. A full disk has none to give. */
function reserve(db: DatabaseSync): void {
  const pragma = (name: string): number => Number(Object.values(db.prepare(`PRAGMA ${name}`).get() ?? {})[0]);
  if (pragma('freelist_count') * pragma('page_size') >= RESERVE_BYTES / 2) return;
  try {
    db.exec(`CREATE TABLE reserve (bytes BLOB); INSERT INTO reserve VALUES (zeroblob(${RESERVE_BYTES}))`);
  } catch (error) {
    if (!isFull(error)) throw error;
  }
  db.exec('DROP TABLE IF EXISTS reserve; PRAGMA wal_checkpoint(RESTART)');
}

/** When the log cannot grow, its beginning is used again: what it held goes into the file first. */
function withRoom<T>(db: DatabaseSync, act: () => T): T {
  try {
    return act();
  } catch (error) {
    if (!isFull(error)) throw error;
    return inWords(() => {
      db.exec('PRAGMA wal_checkpoint(RESTART)');
      return act();
    });
  }
}

function inWords<T>(act: () => T): T {
  try {
    return act();
  } catch (cause) {
    if (!isFull(cause)) throw cause;
    throw new GantryError('exhausted', 'DISK_FULL', 'cannot write the records: no space left on device', { cause });
  }
}

function isFull(error: unknown): boolean {
  return error instanceof Error && 'errcode' in error && error.errcode === SQLITE_FULL;
}
