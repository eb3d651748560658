// Owns how rows of the tables become the types of the face. Pure.

import { type Digest, parseAnyDigest } from '../../spec/digest.ts';
import type { ManifestRecord, ManifestReference, ManifestSummary, TagRecord } from './types.ts';

/** What node:sqlite gives. */
export type Row = Readonly<Record<string, unknown>>;

/** A digest that we wrote ourselves. */
export function digestIn(value: unknown): Digest {
  const digest = parseAnyDigest(String(value));
  if (!digest) throw new TypeError(`the records hold no digest: ${String(value)}`);
  return digest;
}

/** Columns that `manifestOf` reads, of table alias `m`, and the repository's name. */
export const MANIFEST_COLUMNS = `m.id, r.name AS repository, m.digest, m.media_type, m.size, m.artifact_type, m.subject,
  m.annotations, m.summary, m.pushed_ms, m.pushed_by`;

/** A row of MANIFEST_COLUMNS. */
export function manifestOf(row: Row): ManifestRecord {
  return {
    repository: String(row.repository),
    digest: digestIn(row.digest),
    mediaType: String(row.media_type),
    sizeBytes: Number(row.size),
    artifactType: String(row.artifact_type),
    subject: row.subject === null ? undefined : digestIn(row.subject),
    annotations: JSON.parse(String(row.annotations)) as Record<string, string>,
    pushedAtMs: Number(row.pushed_ms),
    pushedBy: String(row.pushed_by),
    summary: JSON.parse(String(row.summary)) as ManifestSummary,
  };
}

/** A row of `tags` joined with its manifest's digest. */
export function tagOf(row: Row): TagRecord {
  return {
    repository: String(row.repository),
    tag: String(row.name),
    digest: digestIn(row.digest),
    updatedAtMs: Number(row.updated_ms),
    pushedBy: String(row.pushed_by),
  };
}

/** A row of `manifest_references`. */
export function referenceOf(row: Row): ManifestReference {
  return {
    digest: digestIn(row.digest),
    kind: row.kind as ManifestReference['kind'],
    mediaType: String(row.media_type),
    sizeBytes: Number(row.size),
  };
}
