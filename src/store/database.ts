// Owns the records database (SQLite, write-ahead log): opening, migrations, transactions. Knows no table of its own.

import { DatabaseSync, type StatementSync } from 'node:sqlite';

/** One table family's schema history: entry i brings it from version i to i+1. Never edit an entry that was released. */
export interface Migrations {
  /** Unique, e.g. `images`. */
  readonly name: string;
  readonly steps: readonly string[];
}

/** A database shared by the capabilities; each writes only its own tables. */
export interface Database extends Disposable {
  /** A prepared statement, cached by text. */
  sql(text: string): StatementSync;
  /** Runs `work` atomically; nested calls join the outer transaction. Synchronous by design: no await may lie inside. */
  transaction<T>(work: () => T): T;
  migrate(migrations: Migrations): void;
}

/**
 * Opens or makes the database at `path` (`:memory:` for tests).
 * WAL with synchronous=NORMAL: a SIGKILL of the daemon loses nothing; a power cut may lose the last transactions but never corrupts.
 * @throws Error when another process holds it or the file is no database
 */
export function openDatabase(path: string): Database {
  const db = new DatabaseSync(path);
  db.exec(
    'PRAGMA journal_mode = WAL; PRAGMA synchronous = NORMAL; PRAGMA foreign_keys = ON; PRAGMA busy_timeout = 2000;',
  );
  db.exec('CREATE TABLE IF NOT EXISTS migrations (name TEXT PRIMARY KEY, version INTEGER NOT NULL) STRICT');
  const statements = new Map<string, StatementSync>();
  const sql = (text: string): StatementSync => {
    const cached = statements.get(text);
    if (cached) return cached;
    const statement = db.prepare(text);
    statements.set(text, statement);
    return statement;
  };
  let depth = 0;
  const transaction = <T>(work: () => T): T => {
    if (depth > 0) return work();
    db.exec('BEGIN IMMEDIATE');
    depth++;
    try {
      const result = work();
      db.exec('COMMIT');
      return result;
    } catch (error) {
      db.exec('ROLLBACK');
      throw error;
    } finally {
      depth--;
    }
  };
  return {
    sql,
    transaction,
    migrate({ name, steps }) {
      transaction(() => {
        const row = sql('SELECT version FROM migrations WHERE name = ?').get(name);
        const version = Number(row?.version ?? 0);
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
