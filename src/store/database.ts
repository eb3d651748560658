// Owns the records database (SQLite, write-ahead log): opening, migrations, transactions. Knows no table of its own.

import { chmodSync, closeSync, existsSync, openSync, renameSync, rmSync } from 'node:fs';
import { rename, rm } from 'node:fs/promises';
import { backup, DatabaseSync, type SQLInputValue, type StatementSync } from 'node:sqlite';
import { codeOf, newerRecords, SQLITE, withRecordsErrors } from './database-errors.ts';

export { isDiskFailure } from './database-errors.ts';

/** One table family's schema history: entry i takes it from version i to i+1. Never edit an entry that was released. */
export interface Migrations {
  /** Unique, e.g. `images`. */
  readonly name: string;
  readonly steps: readonly string[];
}

/** Kept free inside the file and in its log, so that small changes still succeed on a full disk. */
const RESERVE_BYTES = 256 * 1024;
const MEMORY = ':memory:';

/** A database shared by the capabilities; each writes only its own tables. */
export interface Database extends Disposable {
  /** A prepared statement, cached by text. */
  sql(text: string): StatementSync;
  /** Runs `work` atomically; nested calls join the outer transaction. Synchronous by design: no await may lie inside. */
  transaction<T>(work: () => T): T;
  /**
   * Brings a table family to its newest version. A copy of all records from before is kept as `<path>.before-<name>-<version>`.
   * @throws RECORDS_NEWER when a newer program wrote it; then nothing is changed
   */
  migrate(migrations: Migrations): void;
  /** False before the first migration: the file is new or was emptied. */
  hasRecords(): boolean;
  /** Rows written through this connection so far. */
  changes(): number;
  /** Copies all records to `path`, atomically, on the thread pool. @throws the error of writing */
  copyTo(path: string): Promise<void>;
}

/** Records hold secrets of containers: only their owner reads them, whatever the folder's mode. */
function keepPrivate(path: string): void {
  if (path === MEMORY) return;
  closeSync(openSync(path, 'a', 0o600));
  // SQLite gives its log and index the mode of the database.
  for (const suffix of ['', '-wal', '-shm']) if (existsSync(path + suffix)) chmodSync(path + suffix, 0o600);
}

/**
 * Opens or makes the database at `path` (`:memory:` for tests).
 * WAL with synchronous=NORMAL: a SIGKILL of the daemon loses nothing; a power cut may lose the last transactions but never corrupts.
 * @throws RECORDS_DAMAGED, RECORDS_READ_ONLY, RECORDS_IO; Error when another process holds it
 */
export function openDatabase(path: string): Database {
  keepPrivate(path);
  return withRecordsErrors(path, () => open(path));
}

class RecordsDatabase implements Database {
  readonly #path: string;
  readonly #db: DatabaseSync;
  readonly #statements = new Map<string, StatementSync>();
  /** True inside a transaction. */
  #isInTransaction = false;

  constructor(path: string, db: DatabaseSync) {
    this.#path = path;
    this.#db = db;
  }

  sql(text: string): StatementSync {
    const cached = this.#statements.get(text);
    if (cached) return cached;
    const statement = withRecordsErrors(this.#path, () => this.#db.prepare(text));
    const run = statement.run.bind(statement);
    const get = statement.get.bind(statement);
    const all = statement.all.bind(statement);
    statement.run = ((...values: SQLInputValue[]) =>
      this.#isInTransaction ? run(...values) : this.#withRoom(() => run(...values))) as StatementSync['run'];
    statement.get = ((...values: SQLInputValue[]) =>
      withRecordsErrors(this.#path, () => get(...values))) as StatementSync['get'];
    statement.all = ((...values: SQLInputValue[]) =>
      withRecordsErrors(this.#path, () => all(...values))) as StatementSync['all'];
    this.#statements.set(text, statement);
    return statement;
  }

  transaction<T>(work: () => T): T {
    return this.#isInTransaction ? work() : this.#withRoom(() => this.#transact(work));
  }

  migrate({ name, steps }: Migrations): void {
    const row = this.sql('SELECT version FROM schema_versions WHERE name = ?').get(name);
    const version = Number(row?.version ?? 0);
    if (version > steps.length) throw newerRecords(name, version, steps.length);
    if (version === steps.length) return;
    if (version > 0 && this.#path !== MEMORY) keepBefore(this.#db, `${this.#path}.before-${name}-${steps.length}`);
    this.#transact(() => {
      for (const step of steps.slice(version)) this.#db.exec(step);
      this.sql(`INSERT INTO schema_versions (name, version) VALUES (?, ?)
                ON CONFLICT (name) DO UPDATE SET version = excluded.version`).run(name, steps.length);
    });
  }

  hasRecords(): boolean {
    return this.sql('SELECT 1 FROM schema_versions LIMIT 1').get() !== undefined;
  }

  changes(): number {
    return Number(this.sql('SELECT total_changes() AS changes').get()?.changes);
  }

  async copyTo(target: string): Promise<void> {
    const unfinished = `${target}.new`;
    try {
      await rm(unfinished, { force: true });
      closeSync(openSync(unfinished, 'wx', 0o600));
      await backup(this.#db, unfinished);
      await rename(unfinished, target);
    } catch (error) {
      await rm(unfinished, { force: true });
      throw error;
    }
  }

  [Symbol.dispose](): void {
    this.#statements.clear();
    this.#db.close();
  }

  #transact<T>(work: () => T): T {
    if (this.#isInTransaction) return work();
    this.#db.exec('BEGIN IMMEDIATE');
    this.#isInTransaction = true;
    try {
      const result = work();
      this.#db.exec('COMMIT');
      return result;
    } catch (error) {
      // A full disk may have ended the transaction already.
      if (this.#db.isTransaction) this.#db.exec('ROLLBACK');
      throw error;
    } finally {
      this.#isInTransaction = false;
    }
  }

  /** When the log cannot grow, its content is moved into the file, and the log is used again from its beginning. */
  #withRoom<T>(act: () => T): T {
    return withRecordsErrors(this.#path, () => {
      try {
        return act();
      } catch (error) {
        if (codeOf(error) !== SQLITE.full) throw error;
        this.#db.exec('PRAGMA wal_checkpoint(RESTART)');
        return act();
      }
    });
  }
}

function open(path: string): Database {
  const db = new DatabaseSync(path);
  db.exec(
    'PRAGMA journal_mode = WAL; PRAGMA synchronous = NORMAL; PRAGMA foreign_keys = ON; PRAGMA busy_timeout = 2000;',
  );
  openVersions(db, path);
  reserve(db);
  return new RecordsDatabase(path, db);
}

/**
 * The table of versions. The first releases called it `migrations`, and did not check for newer versions. Without a table of that name they
 * fail on the existing tables before they change anything.
 */
function openVersions(db: DatabaseSync, path: string): void {
  const tables = new Set(
    db
      .prepare("SELECT name FROM sqlite_schema WHERE type = 'table'")
      .all()
      .map(({ name }) => name),
  );
  if (tables.has('schema_versions')) return;
  if (!tables.has('migrations')) {
    db.exec('CREATE TABLE schema_versions (name TEXT PRIMARY KEY, version INTEGER NOT NULL) STRICT');
    return;
  }
  if (path !== MEMORY) keepBefore(db, `${path}.before-versions`);
  db.exec('ALTER TABLE migrations RENAME TO schema_versions');
}

/** Copies all records to `target`, for a return to the earlier program. Keeps the copy of an earlier attempt: it is from before any change. */
function keepBefore(db: DatabaseSync, target: string): void {
  if (existsSync(target)) return;
  const unfinished = `${target}.new`;
  rmSync(unfinished, { force: true });
  closeSync(openSync(unfinished, 'wx', 0o600));
  db.prepare('VACUUM INTO ?').run(unfinished);
  renameSync(unfinished, target);
}

/** Makes the file and its log large enough for small changes without growing. Does nothing on a full disk. */
function reserve(db: DatabaseSync): void {
  const pragma = (name: string): number => Number(Object.values(db.prepare(`PRAGMA ${name}`).get() ?? {})[0]);
  if (pragma('freelist_count') * pragma('page_size') >= RESERVE_BYTES / 2) return;
  try {
    db.exec(`CREATE TABLE reserve (bytes BLOB); INSERT INTO reserve (bytes) VALUES (zeroblob(${RESERVE_BYTES}))`);
  } catch (error) {
    if (codeOf(error) !== SQLITE.full) throw error;
  }
  db.exec('DROP TABLE IF EXISTS reserve; PRAGMA wal_checkpoint(RESTART)');
}
