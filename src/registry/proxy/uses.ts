// Owns the records of when each mirrored manifest was last requested, and the search for unused ones.

import type { Digest } from '../../spec/digest.ts';
import type { Database, Migrations } from '../../store/database.ts';

/** Precision of times, as part of the expiry: not every pull of a busy manifest costs a write. */
const COARSENESS = 1 / 64;
const BATCH = 200;

/** Follows the table of the proxy's first step. */
export const USES_STEP: Migrations['steps'][number] = `
  CREATE TABLE proxy_manifests (repository TEXT NOT NULL, digest TEXT NOT NULL, used_ms INTEGER NOT NULL,
    PRIMARY KEY (repository, digest)) STRICT, WITHOUT ROWID;
  CREATE INDEX proxy_manifests_used ON proxy_manifests (used_ms);`;

/** One mirrored manifest. */
export interface Use {
  readonly repository: string;
  readonly digest: Digest;
}

/** The table of uses. Times are Unix milliseconds. */
export class Uses {
  readonly #db: Database;

  constructor(db: Database) {
    this.#db = db;
  }

  /** Records a request for a manifest. */
  mark({ repository, digest }: Use, nowMs: number, expiryMs: number): void {
    this.#db
      .sql(`INSERT INTO proxy_manifests (repository, digest, used_ms) VALUES (?, ?, ?)
            ON CONFLICT DO UPDATE SET used_ms = excluded.used_ms WHERE used_ms < ?`)
      .run(repository, digest, nowMs, Math.floor(nowMs - expiryMs * COARSENESS));
  }

  /** Some manifests without a request since `beforeMs`, of repositories that begin with `prefix`. */
  unused(prefix: string, beforeMs: number): readonly Use[] {
    return this.#db
      .sql(`SELECT repository, digest FROM proxy_manifests WHERE used_ms <= ? AND substr(repository, 1, ?) = ?
            ORDER BY used_ms LIMIT ${BATCH}`)
      .all(beforeMs, prefix.length, prefix)
      .map((row) => ({ repository: String(row.repository), digest: String(row.digest) as Digest }));
  }

  forget({ repository, digest }: Use): void {
    this.#db.sql('DELETE FROM proxy_manifests WHERE repository = ? AND digest = ?').run(repository, digest);
  }
}
