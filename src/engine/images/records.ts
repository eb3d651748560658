// Owns the records of images and of the names that point at them: SQLite tables with a copy in memory.

import type { Digest } from '../../spec/digest.ts';
import type { ImageFacts } from '../../spec/oci/image-config.ts';
import { familiarReference, parseReference } from '../../spec/reference.ts';
import type { Database, Migrations } from '../../store/database.ts';
import type { ImageRecord } from './types.ts';

const MIGRATIONS: Migrations = {
  name: 'images',
  steps: [
    `CREATE TABLE images (
       id TEXT PRIMARY KEY,
       facts TEXT NOT NULL,
       size_bytes INTEGER NOT NULL,
       blobs TEXT NOT NULL,
       last_tag_time TEXT NOT NULL,
       removed INTEGER NOT NULL DEFAULT 0
     ) STRICT;
     CREATE TABLE image_refs (
       ref TEXT PRIMARY KEY,
       image_id TEXT NOT NULL REFERENCES images (id) ON DELETE CASCADE
     ) STRICT`,
  ],
};

const ZERO_TIME = '0001-01-01T00:00:00Z';

/** An image as it is stored. */
export interface StoredImage {
  readonly id: Digest;
  readonly facts: ImageFacts;
  readonly sizeBytes: number;
  /** Configuration and manifests kept for it in the blob store. */
  readonly blobs: readonly Digest[];
  readonly lastTagTime: string;
  /** Removed by force while containers still use it: unseen, but its layers stay. */
  readonly removed: boolean;
}

/** All images and references. References are canonical texts: `docker.io/library/nginx:latest`. */
export class ImageRecords {
  readonly #db: Database;
  readonly #images = new Map<Digest, StoredImage>();
  readonly #refs = new Map<string, Digest>();
  readonly #refsOf = new Map<Digest, Set<string>>();

  constructor(db: Database) {
    this.#db = db;
    db.migrate(MIGRATIONS);
    for (const row of db.sql('SELECT * FROM images').all()) {
      const id = String(row.id) as Digest;
      this.#images.set(id, {
        id,
        facts: JSON.parse(String(row.facts)) as ImageFacts,
        sizeBytes: Number(row.size_bytes),
        blobs: JSON.parse(String(row.blobs)) as Digest[],
        lastTagTime: String(row.last_tag_time),
        removed: row.removed === 1,
      });
    }
    for (const row of db.sql('SELECT ref, image_id FROM image_refs').all()) {
      this.#point(String(row.ref), String(row.image_id) as Digest);
    }
  }

  /** Also images that are removed but still used. */
  stored(id: Digest): StoredImage | undefined {
    return this.#images.get(id);
  }

  allStored(): readonly StoredImage[] {
    return [...this.#images.values()];
  }

  get(id: Digest): ImageRecord | undefined {
    const image = this.#images.get(id);
    return image && !image.removed ? this.#view(image) : undefined;
  }

  /** All images that users see. */
  all(): readonly ImageRecord[] {
    return this.allStored().flatMap((image) => (image.removed ? [] : [this.#view(image)]));
  }

  /** Ids whose hex starts with `prefix`. */
  startingWith(prefix: string): readonly Digest[] {
    return this.allStored().flatMap(({ id, removed }) => (!removed && id.startsWith(`sha256:${prefix}`) ? [id] : []));
  }

  resolve(ref: string): Digest | undefined {
    return this.#refs.get(ref);
  }

  /** Canonical references to `id`, sorted. */
  refsOf(id: Digest): readonly string[] {
    return [...(this.#refsOf.get(id) ?? [])].sort();
  }

  /** Canonical references with a tag in the repository `name`, sorted. */
  tagsIn(name: string): readonly string[] {
    return [...this.#refs.keys()].filter((ref) => ref.startsWith(`${name}:`) && !ref.includes('@')).sort();
  }

  /** Adds an image, or brings a removed one back; a known one gains the blobs. */
  add(image: Omit<StoredImage, 'lastTagTime' | 'removed'>): void {
    const known = this.#images.get(image.id);
    const blobs = [...new Set([...(known?.blobs ?? []), ...image.blobs])];
    this.#write({ ...image, blobs, lastTagTime: known?.lastTagTime ?? ZERO_TIME, removed: false });
  }

  /** Points `ref` at `id`, taking it from whatever it pointed at. `time` is given for tags: RFC 3339. */
  setRef(ref: string, id: Digest, time?: string): void {
    this.#db.transaction(() => {
      this.#db
        .sql('INSERT INTO image_refs VALUES (?, ?) ON CONFLICT (ref) DO UPDATE SET image_id = excluded.image_id')
        .run(ref, id);
      const image = this.#images.get(id);
      if (image && time !== undefined) this.#write({ ...image, lastTagTime: time });
    });
    this.#point(ref, id);
  }

  removeRef(ref: string): void {
    this.#db.sql('DELETE FROM image_refs WHERE ref = ?').run(ref);
    this.#unpoint(ref);
  }

  /** Forgets the image, or only hides it. Its references must be gone. */
  remove(id: Digest, keepHidden: boolean): void {
    const image = this.#images.get(id);
    if (!image) return;
    if (keepHidden) {
      this.#write({ ...image, removed: true });
      return;
    }
    this.#db.sql('DELETE FROM images WHERE id = ?').run(id);
    this.#images.delete(id);
  }

  #point(ref: string, id: Digest): void {
    this.#unpoint(ref);
    this.#refs.set(ref, id);
    const refs = this.#refsOf.get(id) ?? new Set();
    this.#refsOf.set(id, refs.add(ref));
  }

  #unpoint(ref: string): void {
    const id = this.#refs.get(ref);
    this.#refs.delete(ref);
    const refs = id && this.#refsOf.get(id);
    refs?.delete(ref);
    if (id && refs?.size === 0) this.#refsOf.delete(id);
  }

  #write(image: StoredImage): void {
    this.#db
      .sql(
        `INSERT INTO images VALUES (?, ?, ?, ?, ?, ?) ON CONFLICT (id) DO UPDATE SET facts = excluded.facts,
         size_bytes = excluded.size_bytes, blobs = excluded.blobs, last_tag_time = excluded.last_tag_time,
         removed = excluded.removed`,
      )
      .run(
        image.id,
        JSON.stringify(image.facts),
        image.sizeBytes,
        JSON.stringify(image.blobs),
        image.lastTagTime,
        image.removed ? 1 : 0,
      );
    this.#images.set(image.id, image);
  }

  #view(image: StoredImage): ImageRecord {
    const { facts, id, sizeBytes, lastTagTime } = image;
    const refs = this.refsOf(id);
    const familiar = (ref: string): string => familiarReference(parseReference(ref));
    return {
      ...facts,
      id,
      repoTags: refs.filter((ref) => !ref.includes('@')).map(familiar),
      repoDigests: refs.filter((ref) => ref.includes('@')).map(familiar),
      sizeBytes,
      lastTagTime,
    };
  }
}
