// Owns the bytes of manifests in memory: a cache before the store. Reads no records.

import { LRUCache } from 'lru-cache';
import { isGantryError } from '../../lib/errors.ts';
import type { Digest } from '../../spec/digest.ts';
import type { StorageReader } from '../storage/types.ts';
import { manifestUnknown } from './errors.ts';

/** A busy registry serves the same few manifests over and over. */
const CACHE_BYTES = 16 << 20;
/** After this time the store is read again: it may have lost the manifest. */
const CACHE_MS = 60_000;
/** What an entry costs besides its bytes. */
const ENTRY_BYTES = 256;

/** Reads manifests from the store, and keeps the most recent ones in memory. */
export class ManifestBytes {
  readonly #storage: StorageReader;
  readonly #maxBytes: number;
  readonly #cache = new LRUCache<string, Buffer>({
    maxSize: CACHE_BYTES,
    ttl: CACHE_MS,
    sizeCalculation: (bytes) => bytes.length + ENTRY_BYTES,
  });

  constructor(storage: StorageReader, maxBytes: number) {
    this.#storage = storage;
    this.#maxBytes = maxBytes;
  }

  /** @throws MANIFEST_UNKNOWN when the store does not have it */
  async read(digest: Digest): Promise<Buffer> {
    const cached = this.#cache.get(digest);
    if (cached) return cached;
    const bytes = await this.#storage.readSmall(digest, this.#maxBytes).catch((error: unknown) => {
      throw isGantryError(error) && error.code === 'NO_SUCH_BLOB' ? manifestUnknown('', digest) : error;
    });
    this.#cache.set(digest, bytes);
    return bytes;
  }

  isCached(digest: Digest): boolean {
    return this.#cache.has(digest);
  }
}
