// Owns the cached lists of an origin, in the records: tags and referrers. Makes no request.

import type { Database } from '../../store/database.ts';

/** `tags` has the key ''; `referrers` a digest. */
export type ListKind = 'tags' | 'referrers';

export const LISTS_STEP = `
  CREATE TABLE proxy_lists (repository TEXT NOT NULL, kind TEXT NOT NULL, key TEXT NOT NULL, checked_ms INTEGER NOT NULL,
    body TEXT NOT NULL, PRIMARY KEY (repository, kind, key)) STRICT, WITHOUT ROWID;
  CREATE INDEX proxy_lists_checked ON proxy_lists (checked_ms);`;

/** The most lists. Beyond it, the oldest are removed. */
const LISTS_MAX = 100_000;

/** A list as the origin last returned it. Times are Unix milliseconds. */
export interface KeptList {
  readonly checkedMs: number;
  readonly entries: readonly unknown[];
}

/** The table of lists. */
export class Lists {
  readonly #db: Database;
  #added = 0;

  constructor(db: Database) {
    this.#db = db;
  }

  get(repository: string, kind: ListKind, key: string): KeptList | undefined {
    const row = this.#db
      .sql('SELECT checked_ms, body FROM proxy_lists WHERE repository = ? AND kind = ? AND key = ?')
      .get(repository, kind, key);
    return row && { checkedMs: Number(row.checked_ms), entries: JSON.parse(String(row.body)) as unknown[] };
  }

  put(repository: string, kind: ListKind, key: string, entries: readonly unknown[], nowMs: number): void {
    this.#db
      .sql(`INSERT INTO proxy_lists (repository, kind, key, checked_ms, body) VALUES (?, ?, ?, ?, ?)
            ON CONFLICT DO UPDATE SET checked_ms = excluded.checked_ms, body = excluded.body`)
      .run(repository, kind, key, nowMs, JSON.stringify(entries));
    if (++this.#added % 1000 === 0)
      this.#db
        .sql(`DELETE FROM proxy_lists WHERE (repository, kind, key) IN
              (SELECT repository, kind, key FROM proxy_lists ORDER BY checked_ms DESC LIMIT -1 OFFSET ${LISTS_MAX})`)
        .run();
  }

  drop(repository: string, kind: ListKind, key: string): void {
    this.#db.sql('DELETE FROM proxy_lists WHERE repository = ? AND kind = ? AND key = ?').run(repository, kind, key);
  }

  /** Removes lists that were not fetched since `beforeMs`, of repositories that begin with `prefix`. */
  expire(prefix: string, beforeMs: number): void {
    this.#db
      .sql('DELETE FROM proxy_lists WHERE checked_ms <= ? AND substr(repository, 1, ?) = ?')
      .run(beforeMs, prefix.length, prefix);
  }
}
