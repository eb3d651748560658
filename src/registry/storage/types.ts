// Owns the contract of a storage driver, which keeps the registry's bytes. Knows no repository, no tag, no manifest.

import type { Readable } from 'node:stream';
import type { Digest } from '../../spec/digest.ts';

/** Bytes from `start` up to, not including, `end`. */
export interface ByteRange {
  readonly start: number;
  readonly end: number;
}

/** A blob in the store. */
export interface StoredBlob {
  readonly digest: Digest;
  readonly sizeBytes: number;
}

/** An unfinished upload. */
export interface StoredUpload {
  readonly id: string;
  readonly sizeBytes: number;
  /** When the last bytes arrived, Unix milliseconds. */
  readonly touchedAtMs: number;
}

/** A piece of an upload. */
export interface Append {
  /** Where the piece begins. It must be the present size of the upload. */
  readonly offsetBytes: number;
  /** The largest size of the whole upload. */
  readonly maxBytes: number;
  /** True when the driver owns the pieces: it frees their memory as soon as they are stored. */
  readonly isHandedOver?: boolean | undefined;
}

/** Reads blobs. */
export interface StorageReader {
  /** The size of a blob, or undefined when it is not in the store. */
  size(digest: Digest): Promise<number | undefined>;
  /** A stream of a blob. @throws NO_SUCH_BLOB (notFound) */
  read(digest: Digest, range?: ByteRange): Promise<Readable>;
  /** A small blob in memory. @throws NO_SUCH_BLOB; BLOB_DAMAGED (system) when the bytes do not match the digest; BLOB_TOO_LARGE */
  readSmall(digest: Digest, maxBytes: number): Promise<Buffer>;
  /** The local file that holds exactly the blob's bytes, for `sendfile`. Absent when the driver has no such files. */
  localPath?(digest: Digest): string;
}

/** Uploads in parts. A finished upload becomes a blob. */
interface StorageUploads {
  /** Begins an upload. The caller chooses `id`: `[0-9a-f]{32}`. */
  begin(id: string): Promise<void>;
  /**
   * Appends bytes; resolves to the upload's new size. When `source` fails half-way, the received bytes are kept and its error is thrown.
   * @throws NO_SUCH_UPLOAD; RANGE_INVALID when `offsetBytes` is not the present size; SIZE_INVALID (exhausted) over `maxBytes`, with
   * the upload as it was before or aborted; DISK_FULL (exhausted)
   */
  append(id: string, source: AsyncIterable<Uint8Array>, append: Append): Promise<number>;
  /** The size of an upload, or undefined when there is none. */
  uploadSize(id: string): Promise<number | undefined>;
  /**
   * Verifies an upload and makes it a blob; resolves to its size. The upload is removed in either case.
   * @throws NO_SUCH_UPLOAD; DIGEST_INVALID (invalid) when its bytes do not match the digest
   */
  finish(id: string, digest: Digest): Promise<number>;
  /** Removes an upload. A missing upload is no error. */
  abort(id: string): Promise<void>;
}

/** Writes and removes whole files of the store. */
interface StorageWriter {
  /** Stores a small blob. @throws DIGEST_INVALID */
  put(digest: Digest, bytes: Uint8Array): Promise<void>;
  /** Removes a blob. A missing blob is no error. Whether open streams of it end early depends on the driver. */
  remove(digest: Digest): Promise<void>;
  /** Replaces the `index.json` of a store that is an OCI image layout, atomically for its readers. */
  writeIndex?(text: AsyncIterable<string>): Promise<void>;
}

/** Lists what is stored. */
interface StorageLister {
  /** Every unfinished upload. */
  uploads(): AsyncIterable<StoredUpload>;
  /** Every blob, in no order. */
  blobs(): AsyncIterable<StoredBlob>;
}

/**
 * A storage driver. A blob is visible only when it is whole and verified; what a failed call wrote stays invisible.
 * One process writes a store at a time. The caller serialises calls for one upload id or one digest.
 */
export type Storage = StorageReader & StorageUploads & StorageWriter & StorageLister & AsyncDisposable;
