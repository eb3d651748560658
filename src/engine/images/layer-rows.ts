// Owns the records of unpacked layers: SQLite tables with a copy in memory. Looks at no file.

import type { Digest } from '../../spec/digest.ts';
import type { Database, Migrations } from '../../store/database.ts';
import type { Replaced } from './unpack/index.ts';

const MIGRATIONS: Migrations = {
  name: 'layers',
  steps: [
    `CREATE TABLE layers (
       n INTEGER PRIMARY KEY,
       diff_id TEXT NOT NULL UNIQUE,
       size_bytes INTEGER NOT NULL,
       tar_bytes INTEGER NOT NULL,
       replaced TEXT NOT NULL
     ) STRICT`,
    'CREATE TABLE retired_layers (n INTEGER PRIMARY KEY, diff_id TEXT NOT NULL) STRICT',
  ],
};

export interface Layer {
  readonly diffId: Digest;
  /** Directory name below the layers directory. */
  readonly directory: string;
  /** Sum of the files' payloads. */
  readonly sizeBytes: number;
  /** Length of the plain tar. */
  readonly tarBytes: number;
}

export interface LayerRow {
  readonly layer: Layer;
  readonly replaced: readonly Replaced[];
}

/** Every layer by the digest of its plain tar, and the folders that a repaired layer had before. */
export class LayerRows {
  readonly #db: Database;
  readonly #rows = new Map<Digest, LayerRow>();
  readonly #retired = new Map<string, Digest>();

  constructor(db: Database) {
    this.#db = db;
    db.migrate(MIGRATIONS);
    for (const row of db.sql('SELECT * FROM layers').all()) {
      const diffId = String(row.diff_id) as Digest;
      this.#rows.set(diffId, {
        layer: {
          diffId,
          directory: String(row.n),
          sizeBytes: Number(row.size_bytes),
          tarBytes: Number(row.tar_bytes),
        },
        replaced: JSON.parse(String(row.replaced)) as Replaced[],
      });
    }
    for (const row of db.sql('SELECT * FROM retired_layers').all()) {
      this.#retired.set(String(row.n), String(row.diff_id) as Digest);
    }
  }

  get(diffId: Digest): LayerRow | undefined {
    return this.#rows.get(diffId);
  }

  all(): readonly LayerRow[] {
    return [...this.#rows.values()];
  }

  /** Names of all folders that belong to a record. */
  directories(): ReadonlySet<string> {
    return new Set([...this.all().map(({ layer }) => layer.directory), ...this.#retired.keys()]);
  }

  /** Notes a layer. One that is known gets the new folder; its old one is kept as retired, for it may be mounted. */
  put(row: LayerRow): void {
    const { diffId, directory, sizeBytes, tarBytes } = row.layer;
    const before = this.#rows.get(diffId)?.layer.directory;
    this.#db.transaction(() => {
      if (before !== undefined) {
        this.#db.sql('INSERT INTO retired_layers VALUES (?, ?)').run(Number(before), diffId);
      }
      this.#db
        .sql(
          `INSERT INTO layers VALUES (?, ?, ?, ?, ?) ON CONFLICT (diff_id) DO UPDATE SET n = excluded.n,
           size_bytes = excluded.size_bytes, tar_bytes = excluded.tar_bytes, replaced = excluded.replaced`,
        )
        .run(Number(directory), diffId, sizeBytes, tarBytes, JSON.stringify(row.replaced));
    });
    if (before !== undefined) this.#retired.set(before, diffId);
    this.#rows.set(diffId, row);
  }

  remove(layers: readonly LayerRow[]): void {
    this.#db.transaction(() => {
      for (const { layer } of layers) this.#db.sql('DELETE FROM layers WHERE n = ?').run(Number(layer.directory));
    });
    for (const { layer } of layers) this.#rows.delete(layer.diffId);
  }

  /** Forgets the retired folders of layers that are not in `used()`, which is only asked where there are any. */
  forgetRetired(used: () => ReadonlySet<Digest>): void {
    if (this.#retired.size === 0) return;
    const kept = used();
    const gone = [...this.#retired].filter(([, diffId]) => !kept.has(diffId));
    this.#db.transaction(() => {
      for (const [directory] of gone) this.#db.sql('DELETE FROM retired_layers WHERE n = ?').run(Number(directory));
    });
    for (const [directory] of gone) this.#retired.delete(directory);
  }
}
