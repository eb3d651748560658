// Owns the contract of a storage driver: where the registry's bytes lie. Knows no repository, no tag, no manifest.

import type { Readable } from 'node:stream';
import type { Digest } from '../../spec/digest.ts';

/** Bytes from `start` up to, not including, `end`. */
export interface ByteRange {
  readonly start: number;
  readonly end: number;
}

/** A blob as it lies in the store. */
export interface StoredBlob {
  readonly digest: Digest;
  readonly sizeBytes: number;
}

/** An upload that was begun and neither finished nor aborted. */
export interface StoredUpload {
  readonly id: string;
  readonly sizeBytes: number;
  /** When bytes last arrived, Unix milliseconds. */
  readonly touchedAtMs: number;
}

/** A piece of an upload. */
export interface Append {
  /** Where the piece begins; must be the upload's present size. */
  readonly offsetBytes: number;
  /** More bytes than this in the whole upload are refused. */
  readonly maxBytes: number;
  /** True when nobody else holds the pieces: their memory is given back as soon as they are stored. */
  readonly isHandedOver?: boolean | undefined;
}

/**
 * A storage driver. A blob can be seen only when it is whole and verified; what a failed call wrote can not be seen.
 * One process writes a store at a time; calls for one upload id or one digest are serialised by the caller.
 */
export interface Storage extends AsyncDisposable {
  /** The size of a blob, or undefined when it is not there. */
  size(digest: Digest): Promise<number | undefined>;
  /** A stream of a blob. @throws NO_SUCH_BLOB (notFound) */
  read(digest: Digest, range?: ByteRange): Promise<Readable>;
  /** A small blob in memory. @throws NO_SUCH_BLOB; BLOB_DAMAGED (system) when the bytes are not the digest's; BLOB_TOO_LARGE */
  readSmall(digest: Digest, maxBytes: number): Promise<Buffer>;
  /** Where the kernel can send a blob from, when it is a local file of exactly its bytes. */
  localPath?(digest: Digest): string;
  /** Keeps a small blob. @throws DIGEST_INVALID */
  put(digest: Digest, bytes: Uint8Array): Promise<void>;
  /** Begins an upload. `id` is chosen by the caller: `[0-9a-f]{32}`. */
  begin(id: string): Promise<void>;
  /**
   * Adds bytes; resolves to the upload's new size. When `source` fails half-way, what arrived is kept and the error thrown on.
   * @throws NO_SUCH_UPLOAD; RANGE_INVALID when `offsetBytes` is not the present size; SIZE_INVALID (exhausted) over `maxBytes`, with
   * the upload as it was before or aborted; DISK_FULL (exhausted)
   */
  append(id: string, source: AsyncIterable<Uint8Array>, append: Append): Promise<number>;
  /** The size of an upload, or undefined when there is none. */
  uploadSize(id: string): Promise<number | undefined>;
  /**
   * Verifies an upload and makes it a blob; resolves to its size. The upload is gone in either case.
   * @throws NO_SUCH_UPLOAD; DIGEST_INVALID (invalid) when its bytes are not the digest's
   */
  finish(id: string, digest: Digest): Promise<number>;
  /** Forgets an upload; none is no error. */
  abort(id: string): Promise<void>;
  /** Every unfinished upload. */
  uploads(): AsyncIterable<StoredUpload>;
  /** Removes a blob; none is no error. Streams that are being read may end early or not, by driver. */
  remove(digest: Digest): Promise<void>;
  /** Replaces the `index.json` of a store that is an OCI image layout; readers find the old one or the new one whole. */
  writeIndex?(text: AsyncIterable<string>): Promise<void>;
  /** Every blob, in no order. */
  blobs(): AsyncIterable<StoredBlob>;
}
