// Owns reading the records: manifests, tags, blobs, pages of them. Writes nothing.

import { type Digest, parseAnyDigest } from '../../spec/digest.ts';
import type { Database } from '../../store/database.ts';
import { blobUnknown, manifestUnknown, nameUnknown } from './errors.ts';
import { digestIn, MANIFEST_COLUMNS, manifestOf, type Row, referenceOf, tagOf } from './rows.ts';
import { HIDDEN } from './schema.ts';
import type {
  Inventory,
  ManifestRecord,
  ManifestReference,
  Page,
  ReferrerDescriptor,
  TagHistoryEntry,
  TagRecord,
} from './types.ts';

/** Sorts before every name and tag. */
const FIRST = '';
const PARENTS_MAX = 100;
/** True for visible repositories with a manifest. Blobs and uploads alone belong to an unfinished push. */
const HOLDS_SOMETHING = `name < '${HIDDEN}' AND EXISTS (SELECT 1 FROM manifests WHERE repository = repositories.id)`;

/** The reads. */
export class Queries {
  readonly #db: Database;

  constructor(db: Database) {
    this.#db = db;
  }

  /** The row id of a repository. */
  repositoryId(name: string): number | undefined {
    return this.#db.sql('SELECT id FROM repositories WHERE name = ?').get(name)?.id as number | undefined;
  }

  /** @throws NAME_UNKNOWN */
  requireRepository(name: string): number {
    const id = this.repositoryId(name);
    if (id === undefined) throw nameUnknown(name);
    return id;
  }

  findManifest(repository: string, reference: string): ManifestRecord | undefined {
    const row = parseAnyDigest(reference)
      ? this.#db
          .sql(`SELECT ${MANIFEST_COLUMNS} FROM repositories r JOIN manifests m ON m.repository = r.id
                WHERE r.name = ? AND m.digest = ?`)
          .get(repository, reference)
      : this.#db
          .sql(`SELECT ${MANIFEST_COLUMNS} FROM repositories r JOIN tags t ON t.repository = r.id
                JOIN manifests m ON m.id = t.manifest AND m.repository = t.repository WHERE r.name = ? AND t.name = ?`)
          .get(repository, reference);
    return row && manifestOf(row);
  }

  /** @throws NAME_UNKNOWN, MANIFEST_UNKNOWN */
  manifest(repository: string, reference: string): ManifestRecord {
    const found = this.findManifest(repository, reference);
    if (found) return found;
    this.requireRepository(repository);
    throw manifestUnknown(repository, reference);
  }

  references(repository: string, digest: Digest): readonly ManifestReference[] {
    return this.#db
      .sql(`SELECT f.digest, f.kind, f.media_type, f.size FROM repositories r JOIN manifests m ON m.repository = r.id
            JOIN manifest_references f ON f.manifest = m.id WHERE r.name = ? AND m.digest = ? ORDER BY f.position`)
      .all(repository, digest)
      .map(referenceOf);
  }

  parents(repository: string, digest: Digest): readonly Digest[] {
    return this.#db
      .sql(`SELECT DISTINCT m.digest FROM manifest_references f JOIN manifests m ON m.id = f.manifest
            JOIN repositories r ON r.id = m.repository WHERE f.digest = ? AND f.kind = 'manifest' AND r.name = ? LIMIT ${PARENTS_MAX}`)
      .all(digest, repository)
      .map((row) => digestIn(row.digest));
  }

  referrers(repository: string, subject: Digest, artifactType?: string): readonly ReferrerDescriptor[] {
    const rows = this.#db
      .sql(`SELECT m.media_type, m.digest, m.size, m.artifact_type, m.annotations FROM repositories r
            JOIN manifests m ON m.repository = r.id
            WHERE r.name = ? AND m.subject = ? AND (? IS NULL OR m.artifact_type = ?) ORDER BY m.pushed_ms, m.id`)
      .all(repository, subject, artifactType ?? null, artifactType ?? null);
    return rows.map(referrerOf);
  }

  /** The size of a blob that may be read through `repository`, or undefined. */
  findBlobSize(repository: string, digest: Digest): number | undefined {
    const row = this.#db
      .sql(`SELECT b.size FROM repositories r JOIN blob_links l ON l.repository = r.id JOIN blobs b ON b.id = l.blob
            WHERE r.name = ? AND b.digest = ?`)
      .get(repository, digest);
    return row && Number(row.size);
  }

  /** The size that the store should have for a digest, of a blob or a manifest, in whichever repository. */
  storedSize(digest: Digest): number | undefined {
    const row = this.#db.sql('SELECT size FROM blobs WHERE digest = ?').get(digest);
    return row && Number(row.size);
  }

  /** @throws BLOB_UNKNOWN, NAME_UNKNOWN */
  blobSize(repository: string, digest: Digest): number {
    const sizeBytes = this.findBlobSize(repository, digest);
    if (sizeBytes !== undefined) return sizeBytes;
    this.requireRepository(repository);
    throw blobUnknown(digest);
  }

  /** @throws NAME_UNKNOWN */
  tags(repository: string, { after = FIRST, limit }: Page): readonly string[] {
    return this.#db
      .sql(`SELECT t.name FROM tags t JOIN manifests m ON m.id = t.manifest AND m.repository = t.repository
            WHERE t.repository = ? AND t.name > ? ORDER BY t.name LIMIT ?`)
      .all(this.requireRepository(repository), after, limit)
      .map((row) => String(row.name));
  }

  /** @throws NAME_UNKNOWN */
  tagRecords(repository: string, { after = FIRST, limit }: Page): readonly TagRecord[] {
    return this.#db
      .sql(`SELECT r.name AS repository, t.name, m.digest, t.updated_ms, t.pushed_by FROM tags t
            JOIN manifests m ON m.id = t.manifest AND m.repository = t.repository JOIN repositories r ON r.id = t.repository
            WHERE t.repository = ? AND t.name > ? ORDER BY t.name LIMIT ?`)
      .all(this.requireRepository(repository), after, limit)
      .map(tagOf);
  }

  newestTags(repository: string, limit: number): readonly TagRecord[] {
    return this.#db
      .sql(`SELECT r.name AS repository, t.name, m.digest, t.updated_ms, t.pushed_by FROM repositories r
            JOIN tags t ON t.repository = r.id JOIN manifests m ON m.id = t.manifest AND m.repository = t.repository
            WHERE r.name = ? ORDER BY t.updated_ms DESC, t.name LIMIT ?`)
      .all(repository, limit)
      .map(tagOf);
  }

  tagCount(repository: string): number {
    const row = this.#db
      .sql(`SELECT count(*) AS count FROM repositories r JOIN tags t ON t.repository = r.id
            JOIN manifests m ON m.id = t.manifest AND m.repository = t.repository WHERE r.name = ?`)
      .get(repository);
    return Number(row?.count);
  }

  /** Counts rows: some milliseconds where there are a hundred thousand. */
  inventory(): Inventory {
    const count = (table: string): number =>
      Number(this.#db.sql(`SELECT count(*) AS count FROM ${table}`).get()?.count);
    return {
      repositories: count(`repositories WHERE ${HOLDS_SOMETHING}`),
      tags: count('tags'),
      manifests: count('manifests'),
      blobs: count('blobs'),
      blobBytes: Number(this.#db.sql('SELECT coalesce(sum(size), 0) AS size FROM blobs').get()?.size),
      uploads: count('uploads'),
    };
  }

  tagsOf(repository: string, digest: Digest): readonly string[] {
    return this.#db
      .sql(`SELECT t.name FROM repositories r JOIN manifests m ON m.repository = r.id JOIN tags t ON t.manifest = m.id
            WHERE r.name = ? AND m.digest = ? ORDER BY t.name`)
      .all(repository, digest)
      .map((row) => String(row.name));
  }

  /** True when over `count` tags point at a manifest. */
  hasMoreTags(repository: string, digest: Digest, count: number): boolean {
    const row = this.#db
      .sql(`SELECT 1 FROM repositories r JOIN manifests m ON m.repository = r.id JOIN tags t ON t.manifest = m.id
            WHERE r.name = ? AND m.digest = ? LIMIT 1 OFFSET ?`)
      .get(repository, digest, count);
    return row !== undefined;
  }

  /** Tags of indexes that lead to a manifest, over however many others; some of them. */
  tagsAbove(repository: string, digest: Digest): readonly string[] {
    return this.#db
      .sql(`WITH RECURSIVE above (repository, id, digest) AS (
              SELECT m.repository, m.id, m.digest FROM repositories r JOIN manifests m ON m.repository = r.id
                JOIN manifest_references f ON f.manifest = m.id AND f.kind = 'manifest' WHERE r.name = ? AND f.digest = ?
              UNION SELECT m.repository, m.id, m.digest FROM above a JOIN manifest_references f ON f.digest = a.digest
                AND f.kind = 'manifest' JOIN manifests m ON m.id = f.manifest AND m.repository = a.repository)
            SELECT t.name FROM above a JOIN tags t ON t.manifest = a.id LIMIT 5`)
      .all(repository, digest)
      .map((row) => String(row.name));
  }

  tagHistory(repository: string, tag: string, limit: number): readonly TagHistoryEntry[] {
    return this.#db
      .sql(`SELECT h.digest, h.since_ms, h.until_ms, h.pushed_by FROM repositories r JOIN tag_history h ON h.repository = r.id
            WHERE r.name = ? AND h.tag = ? ORDER BY h.id DESC LIMIT ?`)
      .all(repository, tag, limit)
      .map(historyOf);
  }

  /** @throws NAME_UNKNOWN */
  manifests(repository: string, { after = FIRST, limit }: Page): readonly ManifestRecord[] {
    return this.#db
      .sql(`SELECT ${MANIFEST_COLUMNS} FROM manifests m JOIN repositories r ON r.id = m.repository
            WHERE m.repository = ? AND m.digest > ? ORDER BY m.digest LIMIT ?`)
      .all(this.requireRepository(repository), after, limit)
      .map(manifestOf);
  }

  repositories({ after = FIRST, limit }: Page): readonly string[] {
    return this.#db
      .sql(`SELECT name FROM repositories WHERE name > ? AND ${HOLDS_SOMETHING} ORDER BY name LIMIT ?`)
      .all(after, limit)
      .map((row) => String(row.name));
  }
}

function referrerOf(row: Row): ReferrerDescriptor {
  const annotations = JSON.parse(String(row.annotations)) as Record<string, string>;
  const artifactType = String(row.artifact_type);
  return {
    mediaType: String(row.media_type),
    digest: digestIn(row.digest),
    size: Number(row.size),
    ...(artifactType === '' ? {} : { artifactType }),
    ...(Object.keys(annotations).length === 0 ? {} : { annotations }),
  };
}

function historyOf(row: Row): TagHistoryEntry {
  return {
    digest: digestIn(row.digest),
    sinceMs: Number(row.since_ms),
    untilMs: row.until_ms === null ? undefined : Number(row.until_ms),
    by: String(row.pushed_by),
  };
}
