// Owns the tables of repositories. Other parts of the registry have tables of their own.

import type { Migrations } from '../../store/database.ts';

/** Names from here on belong to hidden repositories, whose content is being removed. No valid name begins with it. */
export const HIDDEN = '~';

/**
 * `blob_links.unclaimed_ms` is 0 while a manifest of the repository needs the blob. Otherwise it is the time (Unix ms) of the last claim.
 * `removals` are deleted blobs whose bytes may still be in the store.
 */
export const MIGRATIONS: Migrations = {
  name: 'registry',
  steps: [
    `CREATE TABLE repositories (id INTEGER PRIMARY KEY, name TEXT NOT NULL UNIQUE, created_ms INTEGER NOT NULL) STRICT;
     CREATE TABLE blobs (id INTEGER PRIMARY KEY, digest TEXT NOT NULL UNIQUE, size INTEGER NOT NULL) STRICT;
     CREATE TABLE blob_links (
       repository INTEGER NOT NULL REFERENCES repositories ON DELETE CASCADE,
       blob INTEGER NOT NULL REFERENCES blobs ON DELETE CASCADE,
       unclaimed_ms INTEGER NOT NULL,
       PRIMARY KEY (repository, blob)) STRICT, WITHOUT ROWID;
     CREATE INDEX blob_links_blob ON blob_links (blob);
     CREATE INDEX blob_links_unclaimed ON blob_links (unclaimed_ms) WHERE unclaimed_ms > 0;
     CREATE TABLE manifests (
       id INTEGER PRIMARY KEY,
       repository INTEGER NOT NULL REFERENCES repositories ON DELETE CASCADE,
       digest TEXT NOT NULL, media_type TEXT NOT NULL, size INTEGER NOT NULL,
       artifact_type TEXT NOT NULL, subject TEXT, annotations TEXT NOT NULL, summary TEXT NOT NULL,
       pushed_ms INTEGER NOT NULL, pushed_by TEXT NOT NULL,
       UNIQUE (repository, digest)) STRICT;
     CREATE INDEX manifests_digest ON manifests (digest);
     CREATE INDEX manifests_subject ON manifests (repository, subject) WHERE subject IS NOT NULL;
     CREATE TABLE manifest_references (
       manifest INTEGER NOT NULL REFERENCES manifests ON DELETE CASCADE,
       position INTEGER NOT NULL, digest TEXT NOT NULL, kind TEXT NOT NULL, media_type TEXT NOT NULL, size INTEGER NOT NULL,
       PRIMARY KEY (manifest, position)) STRICT, WITHOUT ROWID;
     CREATE INDEX manifest_references_digest ON manifest_references (digest);
     CREATE TABLE tags (
       repository INTEGER NOT NULL REFERENCES repositories ON DELETE CASCADE,
       name TEXT NOT NULL,
       manifest INTEGER NOT NULL REFERENCES manifests ON DELETE CASCADE,
       updated_ms INTEGER NOT NULL, pushed_by TEXT NOT NULL,
       PRIMARY KEY (repository, name)) STRICT, WITHOUT ROWID;
     CREATE INDEX tags_manifest ON tags (manifest);
     CREATE INDEX tags_newest ON tags (repository, updated_ms);
     CREATE TABLE tag_history (
       id INTEGER PRIMARY KEY,
       repository INTEGER NOT NULL REFERENCES repositories ON DELETE CASCADE,
       tag TEXT NOT NULL, digest TEXT NOT NULL, since_ms INTEGER NOT NULL, until_ms INTEGER, pushed_by TEXT NOT NULL) STRICT;
     CREATE INDEX tag_history_tag ON tag_history (repository, tag, id);
     CREATE TABLE uploads (
       id TEXT PRIMARY KEY,
       repository INTEGER NOT NULL REFERENCES repositories ON DELETE CASCADE,
       started_ms INTEGER NOT NULL) STRICT, WITHOUT ROWID;
     CREATE TABLE removals (digest TEXT PRIMARY KEY) STRICT, WITHOUT ROWID;`,
  ],
};
