// Owns the search index: one row for each tag, its words in a trigram index, updated by the registry's events. Checks no rights.

import type { SQLInputValue } from 'node:sqlite';
import type { Database, Migrations } from '../../store/database.ts';
import { HIDDEN } from '../repositories/index.ts';
import type { ManifestRecord } from '../repositories/types.ts';
import type { Bound, Query } from './query.ts';

const MIGRATIONS: Migrations = {
  name: 'search',
  steps: [
    `CREATE TABLE search_tags (
       id INTEGER PRIMARY KEY, repository TEXT NOT NULL, tag TEXT NOT NULL, digest TEXT NOT NULL, media_type TEXT NOT NULL,
       size INTEGER NOT NULL, created_ms INTEGER, pushed_ms INTEGER NOT NULL, pushed_by TEXT NOT NULL,
       platforms TEXT NOT NULL, labels TEXT NOT NULL, UNIQUE (repository, tag)) STRICT;
     CREATE INDEX search_tags_digest ON search_tags (digest);
     CREATE TABLE search_changes (id INTEGER PRIMARY KEY) STRICT;
     CREATE VIRTUAL TABLE search_text USING fts5 (text, content='', contentless_delete=1, tokenize='trigram');`,
    // Rows of a deleted manifest with very many tags, up to an id. Searches skip them, and they are removed in steps.
    `CREATE TABLE search_leaving (
       repository TEXT NOT NULL, digest TEXT NOT NULL, until_id INTEGER NOT NULL, PRIMARY KEY (repository, digest)) STRICT, WITHOUT ROWID;`,
  ],
};

/** Longer label text is not in the word index; `label:` still finds it. */
const TEXT_MAX_CHARS = 4000;
/** A trigram index finds no shorter words. */
const INDEXED_WORD_MIN = 3;
/** Rows of one transaction, which takes some milliseconds. */
const BATCH = 200;
const STAYS = `NOT EXISTS (SELECT 1 FROM search_leaving l WHERE l.repository = s.repository AND l.digest = s.digest AND s.id <= l.until_id)`;

export interface TagRow {
  readonly id: number;
  readonly repository: string;
  readonly tag: string;
  readonly digest: string;
  readonly mediaType: string;
  readonly sizeBytes: number;
  readonly createdAtMs: number | undefined;
  readonly pushedAtMs: number;
  readonly pushedBy: string;
  readonly platforms: readonly string[];
  readonly labels: Readonly<Record<string, string>>;
}

/** The tables of the index. */
export class SearchRecords {
  readonly #db: Database;

  constructor(db: Database) {
    this.#db = db;
    db.migrate(MIGRATIONS);
  }

  /** Adds or replaces a tag. The newest change is found first. */
  put(tag: string, record: ManifestRecord): void {
    const { repository, digest, mediaType, summary, pushedAtMs, pushedBy } = record;
    this.remove(repository, tag);
    const labels = JSON.stringify(summary.labels);
    const { lastInsertRowid } = this.#db
      .sql(`INSERT INTO search_tags (repository, tag, digest, media_type, size, created_ms, pushed_ms, pushed_by, platforms, labels)
            VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)`)
      .run(
        repository,
        tag,
        digest,
        mediaType,
        summary.contentBytes,
        summary.createdAtMs ?? null,
        pushedAtMs,
        pushedBy,
        `,${summary.platforms.join(',')},`,
        labels,
      );
    const words = Object.entries(summary.labels).map(([key, value]) => `${key}=${value}`);
    const text = `${repository}:${tag} ${words.join(' ').slice(0, TEXT_MAX_CHARS)}`;
    this.#writeText('INSERT INTO search_text (rowid, text) VALUES (?, ?)', Number(lastInsertRowid), text);
  }

  remove(repository: string, tag: string): void {
    const row = this.#db
      .sql('DELETE FROM search_tags WHERE repository = ? AND tag = ? RETURNING id')
      .get(repository, tag);
    if (row) this.#writeText('DELETE FROM search_text WHERE rowid = ?', Number(row.id));
  }

  /**
   * The trigram index writes rows of its own under ids beyond what a number holds, and SQLite tells the connection's last id with
   * every later statement: Node refuses that. An ordinary row after each write makes the last id small again.
   */
  #writeText(sql: string, ...values: readonly SQLInputValue[]): void {
    this.#db.sql(sql).all(...values);
    this.#db.sql('INSERT OR REPLACE INTO search_changes (id) VALUES (1)').all();
  }

  /** Removes every tag of a manifest. `sweep` removes the rest of very many; searches skip them meanwhile. */
  removeManifest(repository: string, digest: string): void {
    if (this.#removeSome(repository, digest, Number.MAX_SAFE_INTEGER) < BATCH) return;
    this.#db
      .sql(
        `INSERT OR REPLACE INTO search_leaving (repository, digest, until_id) SELECT ?, ?, coalesce(max(id), 0) FROM search_tags`,
      )
      .run(repository, digest);
  }

  /** Removes some rows of deleted manifests; false when there are none. */
  sweep(): boolean {
    return this.#db.transaction(() => {
      const row = this.#db.sql('SELECT * FROM search_leaving LIMIT 1').get();
      if (!row) return false;
      const [repository, digest] = [String(row.repository), String(row.digest)];
      if (this.#removeSome(repository, digest, Number(row.until_id)) < BATCH)
        this.#db.sql('DELETE FROM search_leaving WHERE repository = ? AND digest = ?').run(repository, digest);
      return true;
    });
  }

  /** Removes at most BATCH rows; returns how many. */
  #removeSome(repository: string, digest: string, untilId: number): number {
    const rows = this.#db
      .sql(`SELECT tag FROM search_tags WHERE digest = ? AND repository = ? AND id <= ? LIMIT ${BATCH}`)
      .all(digest, repository, untilId);
    for (const { tag } of rows) this.remove(repository, String(tag));
    return rows.length;
  }

  isEmpty(): boolean {
    return this.#db.sql('SELECT 1 FROM search_tags LIMIT 1').get() === undefined;
  }

  /** At most `limit` rows that fit, newest change first, from below `before` (an id). */
  find(query: Query, before: number, limit: number, nowMs: number): readonly TagRow[] {
    const { where, values } = conditionsOf(query, nowMs);
    const indexed = query.words.filter((word) => word.length >= INDEXED_WORD_MIN);
    const from = indexed.length === 0 ? 'search_tags s' : 'search_text x JOIN search_tags s ON s.id = x.rowid';
    const order = indexed.length === 0 ? 's.id' : 'x.rowid';
    const match = indexed.length === 0 ? [] : ['search_text MATCH ?'];
    const phrase = indexed.map((word) => `"${word.replaceAll('"', '""')}"`).join(' ');
    const conditions = [...match, `${order} < ?`, STAYS, ...where].join(' AND ');
    return this.#db
      .sql(`SELECT s.* FROM ${from} WHERE ${conditions} ORDER BY ${order} DESC LIMIT ?`)
      .all(...(match.length > 0 ? [phrase] : []), before, ...values, limit)
      .map(rowOf);
  }

  /** Repositories whose name holds `word`, in name order, with the labels of their newest tag. */
  repositories(
    word: string,
    after: string,
    limit: number,
  ): readonly { readonly name: string; readonly labels: string }[] {
    return this.#db
      .sql(`SELECT r.name, coalesce((SELECT labels FROM search_tags s WHERE s.repository = r.name ORDER BY s.id DESC LIMIT 1), '{}') AS labels
            FROM repositories r WHERE r.name > ? AND r.name < '${HIDDEN}' AND instr(r.name, ?) > 0
            AND EXISTS (SELECT 1 FROM manifests m WHERE m.repository = r.id) ORDER BY r.name LIMIT ?`)
      .all(after, word, limit)
      .map((row) => ({ name: String(row.name), labels: String(row.labels) }));
  }
}

function conditionsOf(query: Query, nowMs: number): { readonly where: string[]; readonly values: SQLInputValue[] } {
  const where: string[] = [];
  const values: SQLInputValue[] = [];
  const add = (condition: string, ...more: SQLInputValue[]): void => {
    where.push(condition);
    values.push(...more);
  };
  for (const word of query.words) {
    if (word.length < INDEXED_WORD_MIN) add('(instr(s.repository, ?) > 0 OR instr(s.tag, ?) > 0)', word, word);
  }
  // SQLite's GLOB has our `*` and `?`, but its star matches slashes: `team/*` matches everything below team.
  for (const glob of query.repositories) add('s.repository GLOB ?', glob);
  for (const glob of query.tags) add('s.tag GLOB ?', glob);
  for (const digest of query.digests) add('s.digest >= ? AND s.digest < ?', digest, `${digest}g`);
  for (const platform of query.platforms)
    add('(instr(s.platforms, ?) > 0 OR instr(s.platforms, ?) > 0)', `,${platform},`, `,${platform}/`);
  for (const { operator, value } of query.sizes) add(`s.size ${operator} ?`, value);
  for (const { operator, value } of query.ages) add(`s.pushed_ms ${mirrored(operator)} ?`, nowMs - value);
  for (const { key, value } of query.labels) {
    const path = `$.${JSON.stringify(key)}`;
    if (value === undefined) add('json_extract(s.labels, ?) IS NOT NULL', path);
    else add('json_extract(s.labels, ?) = ?', path, value);
  }
  return { where, values };
}

/** Older is an earlier time. */
function mirrored(operator: Bound['operator']): string {
  return operator.startsWith('<') ? operator.replace('<', '>') : operator.replace('>', '<');
}

function rowOf(row: Readonly<Record<string, unknown>>): TagRow {
  return {
    id: Number(row.id),
    repository: String(row.repository),
    tag: String(row.tag),
    digest: String(row.digest),
    mediaType: String(row.media_type),
    sizeBytes: Number(row.size),
    createdAtMs: row.created_ms === null ? undefined : Number(row.created_ms),
    pushedAtMs: Number(row.pushed_ms),
    pushedBy: String(row.pushed_by),
    platforms: String(row.platforms)
      .split(',')
      .filter((platform) => platform !== ''),
    labels: JSON.parse(String(row.labels)) as Record<string, string>,
  };
}
