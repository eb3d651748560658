// Owns the S3 driver: blobs as objects, uploads as numbered parts. Knows no repository; names objects by keys.ts.
//
// Parts are objects of their own, so that an upload outlives a restart and can be read back to be hashed. Finishing composes them.

import { createHash } from 'node:crypto';
import { Readable } from 'node:stream';
import { GantryError } from '../../../lib/errors.ts';
import { giveBack } from '../../../lib/give-back.ts';
import { algorithmOf, type Digest } from '../../../spec/digest.ts';
import { digestMismatch, noSuchBlob, noSuchUpload, outOfOrder, tooLarge, uploadTooLarge } from '../errors.ts';
import { digestBytes, digestOfHash, type RunningHash, RunningHashes } from '../hashing.ts';
import type { Append, ByteRange, Storage, StoredBlob, StoredUpload } from '../types.ts';
import { type Bucket, drain, openBucket, type S3Config, type StoredObject } from './bucket.ts';
import { compose } from './compose.ts';
import { type Keys, keysUnder } from './keys.ts';

export type { S3Config } from './bucket.ts';

/** What one append holds in memory. */
const PART_BYTES = 8 << 20;

/** An upload's parts, without a gap between them, and whatever else lies under its name. */
interface Parts {
  readonly isBegun: boolean;
  readonly list: readonly StoredObject[];
  readonly sizeBytes: number;
  readonly keys: readonly string[];
}

/** Opens a bucket that exists. Loads Amazon's client at this first need. @throws UNAVAILABLE when the bucket cannot be reached */
export async function openS3Storage(config: S3Config): Promise<Storage> {
  const bucket = await openBucket(config);
  const keys = keysUnder(config.prefix);
  await removeLeftovers(bucket, keys.blobs);
  return new S3Storage(bucket, keys);
}

/** What a crash left half composed. Nobody else writes here, and not every store can list it. */
async function removeLeftovers(bucket: Bucket, start: string): Promise<void> {
  const left = await bucket.multiparts(start).catch(() => []);
  for (const multipart of left) await bucket.abortMultipart(multipart).catch(() => undefined);
}

class S3Storage implements Storage {
  readonly #bucket: Bucket;
  readonly #keys: Keys;
  readonly #hashes = new RunningHashes();

  constructor(bucket: Bucket, keys: Keys) {
    this.#bucket = bucket;
    this.#keys = keys;
  }

  async size(digest: Digest): Promise<number | undefined> {
    return this.#bucket.sizeOf(this.#keys.blob(digest));
  }

  async read(digest: Digest, range?: ByteRange): Promise<Readable> {
    if (range && range.end <= range.start) {
      if ((await this.size(digest)) === undefined) throw noSuchBlob(digest);
      return Readable.from([]);
    }
    const found = await this.#bucket.get(this.#keys.blob(digest), range);
    if (!found) throw noSuchBlob(digest);
    return found.stream;
  }

  async readSmall(digest: Digest, maxBytes: number): Promise<Buffer> {
    const found = await this.#bucket.get(this.#keys.blob(digest));
    if (!found) throw noSuchBlob(digest);
    if (found.sizeBytes > maxBytes) {
      found.stream.destroy();
      throw tooLarge(digest, maxBytes);
    }
    const pieces: Buffer[] = [];
    for await (const piece of drain(found)) pieces.push(piece);
    const bytes = Buffer.concat(pieces);
    if (digestBytes(algorithmOf(digest), bytes) === digest) return bytes;
    throw new GantryError('system', 'BLOB_DAMAGED', `content ${digest} is damaged in the store`);
  }

  async put(digest: Digest, bytes: Uint8Array): Promise<void> {
    const got = digestBytes(algorithmOf(digest), bytes);
    if (got !== digest) throw digestMismatch(digest, got);
    await this.#bucket.put(this.#keys.blob(digest), bytes);
  }

  async begin(id: string): Promise<void> {
    await this.#bucket.put(this.#keys.mark(this.#upload(id)), Buffer.alloc(0));
    this.#hashes.begin(id);
  }

  async append(id: string, source: AsyncIterable<Uint8Array>, append: Append): Promise<number> {
    const sizeBytes = await this.uploadSize(id);
    if (sizeBytes === undefined) throw noSuchUpload(id);
    if (sizeBytes !== append.offsetBytes) throw outOfOrder(append.offsetBytes, sizeBytes);
    const writer = new PartWriter(this.#bucket, (offset) => this.#keys.part(this.#upload(id), offset), append);
    try {
      await writer.take(source, this.#hashes.take(id, sizeBytes));
    } catch (error) {
      // A hash that ran ahead of what is stored would vouch, later, for bytes that it never saw.
      this.#hashes.forget(id);
      if (isTooLarge(error)) await writer.undo();
      else await writer.flush();
      throw error;
    }
    return writer.sizeBytes;
  }

  async uploadSize(id: string): Promise<number | undefined> {
    const upload = this.#keys.upload(id);
    const parts = upload === undefined ? undefined : await this.#parts(upload);
    return parts?.isBegun ? parts.sizeBytes : undefined;
  }

  async finish(id: string, digest: Digest): Promise<number> {
    const { isBegun, list, sizeBytes } = await this.#parts(this.#upload(id));
    if (!isBegun) throw noSuchUpload(id);
    try {
      const algorithm = algorithmOf(digest);
      const got = (await this.#hashes.digest(id, sizeBytes, algorithm)) ?? (await this.#hashParts(list, algorithm));
      if (got !== digest) throw digestMismatch(digest, got);
      await compose(this.#bucket, list, this.#keys.blob(digest));
      return sizeBytes;
    } finally {
      // The outcome stands whether or not this works: `uploads` lists what is left, until it expires.
      await this.abort(id).catch(() => undefined);
    }
  }

  async abort(id: string): Promise<void> {
    this.#hashes.forget(id);
    const upload = this.#keys.upload(id);
    if (upload !== undefined) await this.#bucket.remove((await this.#parts(upload)).keys);
  }

  async *uploads(): AsyncGenerator<StoredUpload> {
    let current: { id: string; sizeBytes: number; touchedAtMs: number } | undefined;
    for await (const { key, sizeBytes, touchedAtMs } of this.#bucket.list(this.#keys.uploads)) {
      const id = this.#keys.uploadOf(key)?.id;
      if (id === undefined) continue;
      if (current && current.id !== id) yield current;
      if (current?.id !== id) current = { id, sizeBytes: 0, touchedAtMs: 0 };
      current.sizeBytes += sizeBytes;
      current.touchedAtMs = Math.max(current.touchedAtMs, touchedAtMs);
    }
    if (current) yield current;
  }

  async remove(digest: Digest): Promise<void> {
    await this.#bucket.remove([this.#keys.blob(digest)]);
  }

  async *blobs(): AsyncGenerator<StoredBlob> {
    for await (const { key, sizeBytes } of this.#bucket.list(this.#keys.blobs)) {
      const digest = this.#keys.digestOf(key);
      if (digest) yield { digest, sizeBytes };
    }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#hashes[Symbol.asyncDispose]();
    this.#bucket.close();
  }

  #upload(id: string): string {
    const upload = this.#keys.upload(id);
    if (upload === undefined) throw noSuchUpload(id);
    return upload;
  }

  /** A part after a gap is what a removal left behind; it counts for nothing, and goes with the upload. */
  async #parts(upload: string): Promise<Parts> {
    const keys: string[] = [];
    const list: StoredObject[] = [];
    let isBegun = false;
    let at = 0;
    for await (const object of this.#bucket.list(upload)) {
      const name = this.#keys.uploadOf(object.key);
      if (!name) continue;
      keys.push(object.key);
      if (name.offset === undefined) isBegun = true;
      if (name.offset !== at) continue;
      list.push(object);
      at += object.sizeBytes;
    }
    return { isBegun, list, sizeBytes: at, keys };
  }

  /** Reads an upload once more: after a restart, or for a hash that was not running. */
  async #hashParts(parts: readonly StoredObject[], algorithm: 'sha256' | 'sha512'): Promise<Digest> {
    const hash = createHash(algorithm);
    for (const { key } of parts) for await (const piece of this.#bucket.bytes(key)) hash.update(piece);
    return digestOfHash(algorithm, hash);
  }
}

const isTooLarge = (error: unknown): boolean => error instanceof GantryError && error.code === 'SIZE_INVALID';

/** Cuts a stream into parts and stores them; holds one in memory. */
class PartWriter {
  readonly #bucket: Bucket;
  readonly #keyAt: (offset: number) => string;
  readonly #append: Append;
  readonly #written: string[] = [];
  #waiting: Uint8Array[] = [];
  #waitingBytes = 0;
  /** What is stored of the upload. */
  sizeBytes: number;

  constructor(bucket: Bucket, keyAt: (offset: number) => string, append: Append) {
    this.#bucket = bucket;
    this.#keyAt = keyAt;
    this.#append = append;
    this.sizeBytes = append.offsetBytes;
  }

  async take(source: AsyncIterable<Uint8Array>, running: RunningHash | undefined): Promise<void> {
    const { maxBytes } = this.#append;
    for await (const piece of source) {
      if (this.sizeBytes + this.#waitingBytes + piece.length > maxBytes) throw uploadTooLarge(maxBytes);
      await running?.update([piece]);
      this.#waiting.push(piece);
      this.#waitingBytes += piece.length;
      if (this.#waitingBytes >= PART_BYTES) await this.flush();
    }
    await this.flush();
  }

  /** Stores what waits. */
  async flush(): Promise<void> {
    if (this.#waitingBytes === 0) return;
    const key = this.#keyAt(this.sizeBytes);
    const bytes = Buffer.concat(this.#waiting, this.#waitingBytes);
    // The pieces may go while the store takes its time; a failure leaves the part to be tried again.
    if (this.#append.isHandedOver) for (const piece of this.#waiting) giveBack(piece);
    this.#waiting = [bytes];
    await this.#bucket.put(key, bytes);
    this.#written.push(key);
    this.sizeBytes += bytes.length;
    this.#waiting = [];
    this.#waitingBytes = 0;
  }

  /** Removes what was stored. */
  async undo(): Promise<void> {
    await this.#bucket.remove(this.#written);
  }
}
