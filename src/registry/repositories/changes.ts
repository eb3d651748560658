// Owns every write to the records, each as one step of a transaction that the caller holds open. Touches no stored bytes.

import type { Digest } from '../../spec/digest.ts';
import type { Database } from '../../store/database.ts';
import type { ManifestBody } from './manifest-body.ts';
import { HIDDEN } from './schema.ts';
import type { ManifestSummary } from './types.ts';

/** A claim that has run out already: only the next collection decides. */
const LONG_AGO_MS = 1;
/** Kept of one tag's past. */
const HISTORY_MAX = 1000;

export interface NewManifest {
  readonly repositoryId: number;
  readonly digest: Digest;
  readonly sizeBytes: number;
  readonly body: ManifestBody;
  readonly summary: ManifestSummary;
  readonly nowMs: number;
  readonly by: string;
}

/** The writing half of the records. */
export class Changes {
  readonly #db: Database;

  constructor(db: Database) {
    this.#db = db;
  }

  /** The repository's row id, made when it is new. */
  ensureRepository(name: string, nowMs: number): number {
    this.#db.sql('INSERT OR IGNORE INTO repositories (name, created_ms) VALUES (?, ?)').run(name, nowMs);
    return Number(this.#db.sql('SELECT id FROM repositories WHERE name = ?').get(name)?.id);
  }

  /** Takes a repository out of sight; what is in it goes step by step. */
  hideRepository(id: number): void {
    this.#db.sql('UPDATE repositories SET name = ? WHERE id = ?').run(`${HIDDEN}repository/${id}`, id);
  }

  /** The blob's row id, made when it is new. It is no longer up for removal. */
  ensureBlob(digest: Digest, sizeBytes: number): number {
    this.#db.sql('INSERT OR IGNORE INTO blobs (digest, size) VALUES (?, ?)').run(digest, sizeBytes);
    this.#db.sql('DELETE FROM removals WHERE digest = ?').run(digest);
    return Number(this.#db.sql('SELECT id FROM blobs WHERE digest = ?').get(digest)?.id);
  }

  /** Makes a blob readable through a repository, spared from now on for the grace period. */
  link(repositoryId: number, blobId: number, nowMs: number): void {
    this.#db
      .sql(`INSERT INTO blob_links (repository, blob, unclaimed_ms) VALUES (?, ?, ?) ON CONFLICT (repository, blob)
            DO UPDATE SET unclaimed_ms = max(unclaimed_ms, excluded.unclaimed_ms) WHERE unclaimed_ms > 0`)
      .run(repositoryId, blobId, nowMs);
  }

  /** Spares a linked blob for another grace period, also when the manifest that needs it now should go. Claims after `staleMs` stand. */
  claim(repository: string, digest: Digest, nowMs: number, staleMs: number): void {
    this.#db
      .sql(`UPDATE blob_links SET unclaimed_ms = ? WHERE repository = (SELECT id FROM repositories WHERE name = ?)
            AND blob = (SELECT id FROM blobs WHERE digest = ?) AND unclaimed_ms < ?`)
      .run(nowMs, repository, digest, staleMs);
  }

  /** Adds or replaces a manifest with its references, and takes the claims of the blobs that it needs. Its row id. */
  putManifest(manifest: NewManifest): number {
    const { repositoryId, digest, sizeBytes, body, summary, nowMs, by } = manifest;
    const id = Number(
      this.#db
        .sql(`INSERT INTO manifests (repository, digest, media_type, size, artifact_type, subject, annotations, summary, pushed_ms, pushed_by)
              VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?) ON CONFLICT (repository, digest)
              DO UPDATE SET media_type = excluded.media_type, summary = excluded.summary RETURNING id`)
        .get(
          repositoryId,
          digest,
          body.mediaType,
          sizeBytes,
          body.artifactType,
          body.subject ?? null,
          JSON.stringify(body.annotations),
          JSON.stringify(summary),
          nowMs,
          by,
        )?.id,
    );
    this.#db.sql('DELETE FROM manifest_references WHERE manifest = ?').run(id);
    body.references.forEach((reference, position) => {
      this.#db
        .sql(
          'INSERT INTO manifest_references (manifest, position, digest, kind, media_type, size) VALUES (?, ?, ?, ?, ?, ?)',
        )
        .run(id, position, reference.digest, reference.kind, reference.mediaType, reference.sizeBytes);
    });
    this.#db
      .sql(`UPDATE blob_links SET unclaimed_ms = 0 WHERE repository = ? AND blob IN
            (SELECT b.id FROM manifest_references f JOIN blobs b ON b.digest = f.digest WHERE f.manifest = ?)`)
      .run(repositoryId, id);
    return id;
  }

  /** Removes a manifest; the blobs that it needed are left to the next collection. */
  deleteManifest(repositoryId: number, digest: Digest): void {
    this.#leaveBlobs(repositoryId, digest);
    this.#db.sql('DELETE FROM manifests WHERE repository = ? AND digest = ?').run(repositoryId, digest);
    this.removeIfUnneeded(digest);
  }

  /** Takes a manifest with all its tags out of sight, however many these are; they go step by step. */
  hideManifest(repositoryId: number, digest: Digest, nowMs: number): void {
    this.#leaveBlobs(repositoryId, digest);
    const found = this.#db
      .sql('SELECT id FROM manifests WHERE repository = ? AND digest = ?')
      .get(repositoryId, digest);
    const hidden = this.ensureRepository(`${HIDDEN}manifest/${Number(found?.id)}`, nowMs);
    this.#db.sql('UPDATE manifests SET repository = ? WHERE id = ?').run(hidden, Number(found?.id));
  }

  /** The blobs that a manifest needs are spared by nothing but other manifests. */
  #leaveBlobs(repositoryId: number, digest: Digest): void {
    this.#db
      .sql(`UPDATE blob_links SET unclaimed_ms = max(unclaimed_ms, ${LONG_AGO_MS}) WHERE repository = ? AND blob IN
            (SELECT b.id FROM manifests m JOIN manifest_references f ON f.manifest = m.id JOIN blobs b ON b.digest = f.digest
             WHERE m.repository = ? AND m.digest = ?)`)
      .run(repositoryId, repositoryId, digest);
  }

  /** Forgets a blob that no repository links and no manifest is; its bytes go when `removals` is worked off. */
  removeIfUnneeded(digest: Digest): void {
    const gone = this.#db
      .sql(`DELETE FROM blobs WHERE digest = ? AND NOT EXISTS (SELECT 1 FROM blob_links WHERE blob = blobs.id)
            AND NOT EXISTS (SELECT 1 FROM manifests WHERE manifests.digest = blobs.digest)`)
      .run(digest);
    if (Number(gone.changes) > 0) this.#db.sql('INSERT OR IGNORE INTO removals (digest) VALUES (?)').run(digest);
  }

  /** Points a tag at a manifest. */
  setTag(repositoryId: number, tag: string, manifestId: number, digest: Digest, nowMs: number, by: string): void {
    // What is hidden already ended when it was.
    const before = this.#db
      .sql(`SELECT t.manifest, CASE WHEN m.repository = t.repository THEN NULL ELSE r.created_ms END AS until_ms FROM tags t
            JOIN manifests m ON m.id = t.manifest JOIN repositories r ON r.id = m.repository WHERE t.repository = ? AND t.name = ?`)
      .get(repositoryId, tag);
    this.#db
      .sql(`INSERT INTO tags (repository, name, manifest, updated_ms, pushed_by) VALUES (?, ?, ?, ?, ?) ON CONFLICT (repository, name)
            DO UPDATE SET manifest = excluded.manifest, updated_ms = excluded.updated_ms, pushed_by = excluded.pushed_by`)
      .run(repositoryId, tag, manifestId, nowMs, by);
    if (before?.manifest === manifestId) return;
    this.endHistory(repositoryId, tag, Number(before?.until_ms ?? nowMs));
    this.#db
      .sql('INSERT INTO tag_history (repository, tag, digest, since_ms, pushed_by) VALUES (?, ?, ?, ?, ?)')
      .run(repositoryId, tag, digest, nowMs, by);
    this.#db
      .sql(`DELETE FROM tag_history WHERE repository = ? AND tag = ? AND id <=
            (SELECT id FROM tag_history WHERE repository = ? AND tag = ? ORDER BY id DESC LIMIT 1 OFFSET ${HISTORY_MAX})`)
      .run(repositoryId, tag, repositoryId, tag);
  }

  deleteTag(repositoryId: number, tag: string, nowMs: number): void {
    this.#db.sql('DELETE FROM tags WHERE repository = ? AND name = ?').run(repositoryId, tag);
    this.endHistory(repositoryId, tag, nowMs);
  }

  endHistory(repositoryId: number, tag: string, nowMs: number): void {
    this.#db
      .sql('UPDATE tag_history SET until_ms = ? WHERE repository = ? AND tag = ? AND until_ms IS NULL')
      .run(nowMs, repositoryId, tag);
  }
}
