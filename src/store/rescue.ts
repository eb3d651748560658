// Owns putting damaged or missing records together again: from what the file still gives, then from the copy that is kept beside it.
// Knows no table. Keeps the damaged file.

import { existsSync, renameSync, statSync } from 'node:fs';
import { DatabaseSync, type SQLInputValue } from 'node:sqlite';

/** Where the copy of the records at `path` lies. */
export function copyPathOf(path: string): string {
  return `${path}.copy`;
}

/** What became of the records. */
export interface Rescue {
  /** True when nothing was wrong with them; all else is empty then. */
  readonly healthy: boolean;
  /** Where the damaged file lies now. */
  readonly setAside?: string | undefined;
  /** Table → rows that are there again. */
  readonly rows: ReadonlyMap<string, number>;
}

/** Looks at the records of `path` and, where they are damaged, empty or gone, makes a new file of all rows that can be read. */
export function rescueRecords(path: string): Rescue {
  if (isHealthy(path)) return { healthy: true, rows: new Map() };
  const setAside = putAside(path);
  const rows = new Map<string, number>();
  using target = new DatabaseSync(path);
  target.exec('PRAGMA journal_mode = WAL; PRAGMA foreign_keys = OFF');
  for (const source of [setAside, copyPathOf(path)]) {
    if (source !== undefined && existsSync(source)) takeOver(source, target, rows);
  }
  return { healthy: false, setAside, rows };
}

function isHealthy(path: string): boolean {
  if (!existsSync(path) || statSync(path).size === 0) return false;
  try {
    using db = new DatabaseSync(path);
    const verdict = db.prepare('PRAGMA integrity_check(1)').get();
    return verdict?.integrity_check === 'ok' && db.prepare('SELECT 1 FROM migrations LIMIT 1').get() !== undefined;
  } catch {
    return false;
  }
}

/** Log and index go with the file: they may hold its newest rows. */
function putAside(path: string): string | undefined {
  if (!existsSync(path)) return undefined;
  let n = 1;
  while (existsSync(`${path}.damaged-${n}`)) n++;
  const aside = `${path}.damaged-${n}`;
  for (const suffix of ['', '-wal', '-shm']) if (existsSync(path + suffix)) renameSync(path + suffix, aside + suffix);
  return aside;
}

/** Copies every table of `source`; rows that `target` has already stay as they are there. */
function takeOver(source: string, target: DatabaseSync, rows: Map<string, number>): void {
  try {
    using db = new DatabaseSync(source);
    for (const { name, sql } of tablesOf(db)) {
      const taken = copyTable(db, target, name, sql);
      rows.set(name, (rows.get(name) ?? 0) + taken);
    }
  } catch {
    // Not even its tables can be listed.
  }
}

function tablesOf(db: DatabaseSync): readonly { readonly name: string; readonly sql: string }[] {
  const found = db
    .prepare("SELECT name, sql FROM sqlite_schema WHERE type = 'table' AND name NOT LIKE 'sqlite_%'")
    .all();
  return found.map(({ name, sql }) => ({ name: String(name), sql: String(sql) }));
}

/** As many rows as can be read, from the front. */
function copyTable(from: DatabaseSync, to: DatabaseSync, name: string, sql: string): number {
  const columnsIn = (db: DatabaseSync): string[] =>
    db
      .prepare('SELECT name FROM pragma_table_info(?)')
      .all(name)
      .map((row) => String(row.name));
  if (columnsIn(to).length === 0) to.exec(sql);
  const known = new Set(columnsIn(to));
  const columns = columnsIn(from).filter((column) => known.has(column));
  const list = columns.map(quoted).join(', ');
  const insert = to.prepare(
    `INSERT OR IGNORE INTO ${quoted(name)} (${list}) VALUES (${columns.map(() => '?').join(', ')})`,
  );
  let taken = 0;
  to.exec('BEGIN');
  try {
    for (const row of from.prepare(`SELECT ${list} FROM ${quoted(name)}`).iterate()) {
      taken += Number(insert.run(...columns.map((column) => row[column] as SQLInputValue)).changes);
    }
  } catch {
    // What follows cannot be read.
  }
  to.exec('COMMIT');
  return taken;
}

function quoted(name: string): string {
  return `"${name.replaceAll('"', '""')}"`;
}
