// Owns the records database (SQLite, write-ahead log): opening, migrations, transactions. Knows no table of its own.

import { chmodSync, closeSync, existsSync, openSync, renameSync, rmSync } from 'node:fs';
import { rename, rm } from 'node:fs/promises';
import { backup, DatabaseSync, type SQLInputValue, type StatementSync } from 'node:sqlite';
import { GantryError, messageOf } from '../lib/errors.ts';

/** One table family's schema history: entry i brings it from version i to i+1. Never edit an entry that was released. */
export interface Migrations {
  /** Unique, e.g. `images`. */
  readonly name: string;
  readonly steps: readonly string[];
}

/** Kept free inside the file and in its log: on a full disk small changes still find room. */
const RESERVE_BYTES = 256 * 1024;
/** Primary result codes. @source sqlite.org/rescode.html */
const SQLITE = { readOnly: 8, io: 10, corrupt: 11, full: 13, cannotOpen: 14, notADatabase: 26 } as const;

/** A database shared by the capabilities; each writes only its own tables. */
export interface Database extends Disposable {
  /** A prepared statement, cached by text. */
  sql(text: string): StatementSync;
  /** Runs `work` atomically; nested calls join the outer transaction. Synchronous by design: no await may lie inside. */
  transaction<T>(work: () => T): T;
  /**
   * Brings a table family up to its newest version; a copy of all records as they were stays beside them, as `<path>.before-<name>-<version>`.
   * @throws RECORDS_NEWER when a newer program wrote it; nothing is changed then
   */
  migrate(migrations: Migrations): void;
  /** False before the first migration: the file is new, or was emptied. */
  hasRecords(): boolean;
  /** Rows written through this connection so far. */
  changes(): number;
  /** Writes a copy of all records, on the thread pool, and puts it at `path` when it is whole. @throws as writing does */
  copyTo(path: string): Promise<void>;
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
 * @throws RECORDS_DAMAGED, RECORDS_READ_ONLY, RECORDS_IO; Error when another process holds it
 */
export function openDatabase(path: string): Database {
  keepPrivate(path);
  return inWords(path, () => open(path));
}

function open(path: string): Database {
  const db = new DatabaseSync(path);
  db.exec(
    'PRAGMA journal_mode = WAL; PRAGMA synchronous = NORMAL; PRAGMA foreign_keys = ON; PRAGMA busy_timeout = 2000;',
  );
  openVersions(db, path);
  reserve(db);
  const statements = new Map<string, StatementSync>();
  let depth = 0;
  const sql = (text: string): StatementSync => {
    const cached = statements.get(text);
    if (cached) return cached;
    const statement = inWords(path, () => db.prepare(text));
    const run = statement.run.bind(statement);
    const get = statement.get.bind(statement);
    const all = statement.all.bind(statement);
    statement.run = ((...values: SQLInputValue[]) =>
      depth > 0 ? run(...values) : withRoom(path, db, () => run(...values))) as StatementSync['run'];
    statement.get = ((...values: SQLInputValue[]) => inWords(path, () => get(...values))) as StatementSync['get'];
    statement.all = ((...values: SQLInputValue[]) => inWords(path, () => all(...values))) as StatementSync['all'];
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
    transaction: (work) => (depth > 0 ? work() : withRoom(path, db, () => transaction(work))),
    migrate({ name, steps }) {
      const row = sql('SELECT version FROM schema_versions WHERE name = ?').get(name);
      const version = Number(row?.version ?? 0);
      if (version > steps.length) throw newerRecords(name, version, steps.length);
      if (version === steps.length) return;
      if (version > 0 && path !== ':memory:') keepBefore(db, `${path}.before-${name}-${steps.length}`);
      transaction(() => {
        for (const step of steps.slice(version)) db.exec(step);
        sql(
          'INSERT INTO schema_versions (name, version) VALUES (?, ?) ON CONFLICT (name) DO UPDATE SET version = excluded.version',
        ).run(name, steps.length);
      });
    },
    hasRecords: () => sql('SELECT 1 FROM schema_versions LIMIT 1').get() !== undefined,
    changes: () => Number(sql('SELECT total_changes() AS changes').get()?.changes),
    async copyTo(target) {
      const unfinished = `${target}.new`;
      try {
        await rm(unfinished, { force: true });
        closeSync(openSync(unfinished, 'wx', 0o600));
        await backup(db, unfinished);
        await rename(unfinished, target);
      } catch (error) {
        await rm(unfinished, { force: true });
        throw error;
      }
    },
    [Symbol.dispose]() {
      statements.clear();
      db.close();
    },
  };
}

/**
 * The table of versions. The first releases called it `migrations` and did not look whether it was ahead of them: without a table of that name
 * they find the others in their way, and stop before they change anything.
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
  if (path !== ':memory:') keepBefore(db, `${path}.before-versions`);
  db.exec('ALTER TABLE migrations RENAME TO schema_versions');
}

/** Copies all records to `target`, for the program that wrote them. Once a migration: what an earlier attempt kept is older, and better. */
function keepBefore(db: DatabaseSync, target: string): void {
  if (existsSync(target)) return;
  const unfinished = `${target}.new`;
  rmSync(unfinished, { force: true });
  closeSync(openSync(unfinished, 'wx', 0o600));
  db.prepare('VACUUM INTO ?').run(unfinished);
  renameSync(unfinished, target);
}

/** Makes the file and its log large enough that both can take small changes without growing. A full disk has none to give. */
function reserve(db: DatabaseSync): void {
  const pragma = (name: string): number => Number(Object.values(db.prepare(`PRAGMA ${name}`).get() ?? {})[0]);
  if (pragma('freelist_count') * pragma('page_size') >= RESERVE_BYTES / 2) return;
  try {
    db.exec(`CREATE TABLE reserve (bytes BLOB); INSERT INTO reserve VALUES (zeroblob(${RESERVE_BYTES}))`);
  } catch (error) {
    if (codeOf(error) !== SQLITE.full) throw error;
  }
  db.exec('DROP TABLE IF EXISTS reserve; PRAGMA wal_checkpoint(RESTART)');
}

/** When the log cannot grow, its beginning is used again: what it held goes into the file first. @throws as `failureOf` says */
function withRoom<T>(path: string, db: DatabaseSync, act: () => T): T {
  return inWords(path, () => {
    try {
      return act();
    } catch (error) {
      if (codeOf(error) !== SQLITE.full) throw error;
      db.exec('PRAGMA wal_checkpoint(RESTART)');
      return act();
    }
  });
}

function inWords<T>(path: string, act: () => T): T {
  try {
    return act();
  } catch (cause) {
    throw failureOf(path, cause) ?? cause;
  }
}

/** What the disk under the records did, in words; undefined for any other failure. */
function failureOf(path: string, cause: unknown): GantryError | undefined {
  switch (codeOf(cause)) {
    case SQLITE.full:
      return cannotWrite('DISK_FULL', path, 'no space left on device', cause);
    case SQLITE.readOnly:
    case SQLITE.io:
    case SQLITE.cannotOpen:
      return isReadOnly(path)
        ? cannotWrite('RECORDS_READ_ONLY', path, 'read-only file system', cause)
        : cannotWrite('RECORDS_IO', path, 'input/output error', cause);
    case SQLITE.corrupt:
    case SQLITE.notADatabase:
      return new GantryError('system', 'RECORDS_DAMAGED', `the records are damaged: ${messageOf(cause)}`, {
        cause,
      });
    default:
      return undefined;
  }
}

function cannotWrite(
  code: 'DISK_FULL' | 'RECORDS_IO' | 'RECORDS_READ_ONLY',
  path: string,
  why: string,
  cause: unknown,
): GantryError {
  const full = code === 'DISK_FULL';
  return new GantryError(full ? 'exhausted' : 'unavailable', code, `cannot write the records (${path}): ${why}`, {
    cause,
    hint: full ? undefined : "the kernel's log (dmesg) says what happened to the disk",
  });
}

/** SQLite says "I/O error" of a disk that the kernel made read-only after an error: a write of one's own tells. */
function isReadOnly(path: string): boolean {
  const probe = `${path}.probe`;
  try {
    closeSync(openSync(probe, 'w', 0o600));
    rmSync(probe);
    return false;
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === 'EROFS';
  }
}

/** True for a failure of the disk under the records, which may end: full, read-only, or with input/output errors. */
export function isDiskFailure(error: unknown): boolean {
  return error instanceof GantryError && ['DISK_FULL', 'RECORDS_READ_ONLY', 'RECORDS_IO'].includes(error.code);
}

/** The primary code of an error of SQLite; undefined for other errors. */
function codeOf(error: unknown): number | undefined {
  if (!(error instanceof Error) || !('errcode' in error) || typeof error.errcode !== 'number') return undefined;
  return error.errcode & 0xff;
}

function newerRecords(name: string, version: number, known: number): GantryError {
  const message = `the records of ${name} are of version ${version}, and this program knows them up to version ${known}`;
  return new GantryError('conflict', 'RECORDS_NEWER', message, {
    params: { name, version, known },
    hint: 'a newer version of the program wrote them: run that one',
  });
}
