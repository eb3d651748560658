// Owns the records of checks: their faults, and the progress of the background pass. Checks nothing.

import type { Database, Migrations } from '../../store/database.ts';
import type { Fault } from '../repositories/types.ts';

const MIGRATIONS: Migrations = {
  name: 'repair',
  steps: [
    `CREATE TABLE repair_state (id INTEGER PRIMARY KEY CHECK (id = 1), after TEXT NOT NULL, started_ms INTEGER NOT NULL,
       finished_ms INTEGER NOT NULL) STRICT;
     INSERT INTO repair_state VALUES (1, '', 0, 0);
     CREATE TABLE repair_faults (kind TEXT NOT NULL, digest TEXT NOT NULL, detail TEXT NOT NULL, hurts TEXT NOT NULL,
       found_ms INTEGER NOT NULL, PRIMARY KEY (kind, digest)) STRICT, WITHOUT ROWID;`,
  ],
};

/** The most faults that are kept: a lost disk needs no longer list. */
const FAULTS_MAX = 10_000;
const LIST_MAX = 1000;

/** The progress of the background pass. Times are Unix milliseconds, 0 for never. */
export interface PassState {
  readonly isRunning: boolean;
  readonly startedMs: number;
  readonly finishedMs: number;
  /** Content was checked up to this digest. */
  readonly after: string;
}

/** A stored fault. */
export interface KeptFault extends Omit<Fault, 'outcome'> {
  /** RFC 3339. */
  readonly foundAt: string;
}

/** The tables of checks. */
export class RepairRecords {
  readonly #db: Database;
  #count: number;

  constructor(db: Database) {
    this.#db = db;
    db.migrate(MIGRATIONS);
    this.#count = this.#counted();
  }

  state(): PassState {
    const row = this.#db.sql('SELECT * FROM repair_state').get();
    const [startedMs, finishedMs] = [Number(row?.started_ms), Number(row?.finished_ms)];
    return { isRunning: startedMs > finishedMs, startedMs, finishedMs, after: String(row?.after) };
  }

  begin(nowMs: number): void {
    this.#db.sql("UPDATE repair_state SET after = '', started_ms = ?").run(nowMs);
  }

  reached(digest: string): void {
    this.#db.sql('UPDATE repair_state SET after = ?').run(digest);
  }

  /** Ends a pass, and removes the faults that it did not find again. */
  finish(startedMs: number, nowMs: number): void {
    this.#db.transaction(() => {
      this.#db.sql("UPDATE repair_state SET after = '', finished_ms = ?").run(Math.max(nowMs, startedMs));
      this.forget(startedMs);
    });
  }

  /** Removes faults that were last seen before a time. */
  forget(beforeMs: number): void {
    this.#db.sql('DELETE FROM repair_faults WHERE found_ms < ?').run(beforeMs);
    this.#count = this.#counted();
  }

  /** Stores a fault, or removes one that was repaired. Removed content is stored as missing until it is pushed again. */
  found({ kind, digest, detail, hurts, outcome }: Fault, nowMs: number): void {
    if (outcome !== 'found') this.#db.sql('DELETE FROM repair_faults WHERE kind = ? AND digest = ?').run(kind, digest);
    if (outcome !== 'repaired' && this.#count < FAULTS_MAX)
      this.#db
        .sql('INSERT OR REPLACE INTO repair_faults (kind, digest, detail, hurts, found_ms) VALUES (?, ?, ?, ?, ?)')
        .run(outcome === 'removed' ? 'missing' : kind, digest, detail, JSON.stringify(hurts), nowMs);
    this.#count = this.#counted();
  }

  /** Removes the faults of content that was pushed again. Costs nothing when there are no faults. */
  brought(digest: string): void {
    if (this.#count === 0) return;
    this.#db.sql('DELETE FROM repair_faults WHERE digest = ?').run(digest);
    this.#count = this.#counted();
  }

  count(): number {
    return this.#count;
  }

  #counted(): number {
    return Number(this.#db.sql('SELECT count(*) AS count FROM repair_faults').get()?.count);
  }

  list(): readonly KeptFault[] {
    return this.#db
      .sql(`SELECT * FROM repair_faults ORDER BY found_ms DESC LIMIT ${LIST_MAX}`)
      .all()
      .map((row) => ({
        kind: String(row.kind) as Fault['kind'],
        digest: String(row.digest) as Fault['digest'],
        detail: String(row.detail),
        hurts: JSON.parse(String(row.hurts)) as string[],
        foundAt: new Date(Number(row.found_ms)).toISOString(),
      }));
  }
}
