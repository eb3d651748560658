// Owns every write to the records, each as one step of the caller's transaction. Touches no stored bytes.

import type { Digest } from '../../spec/digest.ts';
import type { Database } from '../../store/database.ts';
import type { ManifestBody } from './manifest-body.ts';
import { HIDDEN } from './schema.ts';
import type { ManifestSummary } from './types.ts';

/** An expired claim: the next collection may remove the blob. */
const LONG_AGO_MS = 1;
/** History entries that are kept of one tag. */
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

/** The writes. */
export class Changes {
  readonly #db: Database;

  constructor(db: Database) {
    this.#db = db;
  }

  /** The repository's row id. Creates a missing row. */
  ensureRepository(name: string, nowMs: number): number {
    this.#db.sql('INSERT OR IGNORE INTO repositories (name, created_ms) VALUES (?, ?)').run(name, nowMs);
    return Number(this.#db.sql('SELECT id FROM repositories WHERE name = ?').get(name)?.id);
  }

  /** Hides a repository. Its rows are removed in steps (`discard.ts`). */
  hideRepository(id: number): void {
    this.#db.sql('UPDATE repositories SET name = ? WHERE id = ?').run(`${HIDDEN}repository/${id}`, id);
  }

  /** The blob's row id. Creates a missing row, and cancels a pending removal. */
  ensureBlob(digest: Digest, sizeBytes: number): number {
    this.#db.sql('INSERT OR IGNORE INTO blobs (digest, size) VALUES (?, ?)').run(digest, sizeBytes);
    this.#db.sql('DELETE FROM removals WHERE digest = ?').run(digest);
    return Number(this.#db.sql('SELECT id FROM blobs WHERE digest = ?').get(digest)?.id);
  }

  /** Makes a blob readable through a repository, with a new claim. */
  link(repositoryId: number, blobId: number, nowMs: number): void {
    this.#db
      .sql(`INSERT INTO blob_links (repository, blob, unclaimed_ms) VALUES (?, ?, ?) ON CONFLICT (repository, blob)
            DO UPDATE SET unclaimed_ms = max(unclaimed_ms, excluded.unclaimed_ms) WHERE unclaimed_ms > 0`)
      .run(repositoryId, blobId, nowMs);
  }

  /** Renews the claim on a linked blob, also when a manifest needs it. Claims after `staleMs` stay as they are. */
  claim(repository: string, digest: Digest, nowMs: number, staleMs: number): void {
    this.#db
      .sql(`UPDATE blob_links SET unclaimed_ms = ? WHERE repository = (SELECT id FROM repositories WHERE name = ?)
            AND blob = (SELECT id FROM blobs WHERE digest = ?) AND unclaimed_ms < ?`)
      .run(nowMs, repository, digest, staleMs);
  }

  /** Adds or replaces a manifest with its references, and ends the claims on the blobs that it needs. Returns its row id. */
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

  /** Removes a manifest. The next collection removes the blobs that it needed. */
  deleteManifest(repositoryId: number, digest: Digest): void {
    this.#leaveBlobs(repositoryId, digest);
    this.#db.sql('DELETE FROM manifests WHERE repository = ? AND digest = ?').run(repositoryId, digest);
    this.removeIfUnneeded(digest);
  }

  /** Hides a manifest with all its tags, in constant time. Its rows are removed in steps (`discard.ts`). */
  hideManifest(repositoryId: number, digest: Digest, nowMs: number): void {
    this.#leaveBlobs(repositoryId, digest);
    const found = this.#db
      .sql('SELECT id FROM manifests WHERE repository = ? AND digest = ?')
      .get(repositoryId, digest);
    const hidden = this.ensureRepository(`${HIDDEN}manifest/${Number(found?.id)}`, nowMs);
    this.#db.sql('UPDATE manifests SET repository = ? WHERE id = ?').run(hidden, Number(found?.id));
  }

  /** Gives the blobs that a manifest needs an expired claim: only other manifests protect them then. */
  #leaveBlobs(repositoryId: number, digest: Digest): void {
    this.#db
      .sql(`UPDATE blob_links SET unclaimed_ms = max(unclaimed_ms, ${LONG_AGO_MS}) WHERE repository = ? AND blob IN
            (SELECT b.id FROM manifests m JOIN manifest_references f ON f.manifest = m.id JOIN blobs b ON b.digest = f.digest
             WHERE m.repository = ? AND m.digest = ?)`)
      .run(repositoryId, repositoryId, digest);
  }

  /** Removes the record of a blob that has no link and is no manifest. The collection removes its bytes, by `removals`. */
  removeIfUnneeded(digest: Digest): void {
    const gone = this.#db
      .sql(`DELETE FROM blobs WHERE digest = ? AND NOT EXISTS (SELECT 1 FROM blob_links WHERE blob = blobs.id)
            AND NOT EXISTS (SELECT 1 FROM manifests WHERE manifests.digest = blobs.digest)`)
      .run(digest);
    if (Number(gone.changes) > 0) this.#db.sql('INSERT OR IGNORE INTO removals (digest) VALUES (?)').run(digest);
  }

  /** Points a tag at a manifest. */
  setTag(repositoryId: number, tag: string, manifestId: number, digest: Digest, nowMs: number, by: string): void {
    // The history of a hidden manifest's tag ended when the manifest was hidden.
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
