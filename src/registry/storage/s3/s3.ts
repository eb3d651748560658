// Owns the S3 driver: blobs as objects in the shape of an OCI image layout, uploads as numbered parts. Knows no repository.
//
//     <prefix>blobs/<algorithm>/<hex>        whole and verified
//     <prefix>uploads/<id>/begun             an upload was begun
//     <prefix>uploads/<id>/<offset, 16>      a part of it, in the order of its bytes
//
// Parts are objects of their own, so that an upload outlives a restart and can be read back to be hashed. Finishing composes them by
// a multipart upload: parts of 5 MiB and more are copied inside the store, smaller ones go through here once more.

import { createHash, type Hash } from 'node:crypto';
import { Readable } from 'node:stream';
import type { S3Client } from '@aws-sdk/client-s3';
import { GantryError, messageOf } from '../../../lib/errors.ts';
import { algorithmOf, type Digest, hexOf, parseAnyDigest } from '../../../spec/digest.ts';
import type { StorageConfig } from '../../config/types.ts';
import { digestMismatch, noSuchBlob, noSuchUpload, outOfOrder, tooLarge, uploadTooLarge } from '../errors.ts';
import { digestBytes, digestOfHash, RunningHashes } from '../hashing.ts';
import type { Append, ByteRange, Storage, StoredBlob, StoredUpload } from '../types.ts';

export type S3Config = StorageConfig & { readonly kind: 's3' };

/** The smallest part that may be copied inside the store, but for the last. @source Amazon S3: multipart upload limits */
const PART_MIN_BYTES = 5 << 20;
/** What one append holds in memory. */
const PART_BYTES = 8 << 20;
const UPLOAD = /^[0-9a-f]{32}$/;
const LISTED_MAX = 1000;

type Sdk = typeof import('@aws-sdk/client-s3');

interface Part {
  readonly key: string;
  readonly offset: number;
  readonly sizeBytes: number;
  readonly touchedAtMs: number;
}

/** Opens a bucket that exists. Loads Amazon's client at this first need. @throws UNAVAILABLE when the bucket cannot be reached */
export async function openS3Storage(config: S3Config): Promise<Storage> {
  const sdk = await import('@aws-sdk/client-s3');
  const { accessKeyId, secretAccessKey, endpoint } = config;
  const client = new sdk.S3Client({
    region: config.region,
    forcePathStyle: config.forcePathStyle,
    ...(endpoint === undefined ? {} : { endpoint }),
    ...(accessKeyId !== undefined && secretAccessKey !== undefined
      ? { credentials: { accessKeyId, secretAccessKey } }
      : {}),
    // Stores other than Amazon's know no checksums but the old ones; digests are ours to check anyway.
    requestChecksumCalculation: 'WHEN_REQUIRED',
    responseChecksumValidation: 'WHEN_REQUIRED',
  });
  const storage = new S3Storage(sdk, client, config);
  await storage.size(digestBytes('sha256', Buffer.alloc(0)));
  return storage;
}

class S3Storage implements Storage {
  readonly #sdk: Sdk;
  readonly #client: S3Client;
  readonly #bucket: string;
  readonly #prefix: string;
  readonly #hashes = new RunningHashes();

  constructor(sdk: Sdk, client: S3Client, { bucket, prefix }: S3Config) {
    this.#sdk = sdk;
    this.#client = client;
    this.#bucket = bucket;
    this.#prefix = prefix;
  }

  async size(digest: Digest): Promise<number | undefined> {
    return this.#sizeOf(this.#blobKey(digest));
  }

  async read(digest: Digest, range?: ByteRange): Promise<Readable> {
    if (range && range.end <= range.start) {
      if ((await this.size(digest)) === undefined) throw noSuchBlob(digest);
      return Readable.from([]);
    }
    const found = await this.#get(this.#blobKey(digest), range);
    if (!found) throw noSuchBlob(digest);
    return found;
  }

  async readSmall(digest: Digest, maxBytes: number): Promise<Buffer> {
    const sizeBytes = await this.size(digest);
    if (sizeBytes === undefined) throw noSuchBlob(digest);
    if (sizeBytes > maxBytes) throw tooLarge(digest, maxBytes);
    const pieces: Buffer[] = [];
    for await (const piece of await this.read(digest)) pieces.push(piece as Buffer);
    const bytes = Buffer.concat(pieces);
    if (digestBytes(algorithmOf(digest), bytes) === digest) return bytes;
    throw new GantryError('system', 'BLOB_DAMAGED', `content ${digest} is damaged in the store`);
  }

  async put(digest: Digest, bytes: Uint8Array): Promise<void> {
    const got = digestBytes(algorithmOf(digest), bytes);
    if (got !== digest) throw digestMismatch(digest, got);
    await this.#put(this.#blobKey(digest), bytes);
  }

  async begin(id: string): Promise<void> {
    await this.#put(`${this.#uploadKey(id)}begun`, Buffer.alloc(0));
    this.#hashes.begin(id);
  }

  async append(id: string, source: AsyncIterable<Uint8Array>, { offsetBytes, maxBytes }: Append): Promise<number> {
    const sizeBytes = await this.uploadSize(id);
    if (sizeBytes === undefined) throw noSuchUpload(id);
    if (sizeBytes !== offsetBytes) throw outOfOrder(offsetBytes, sizeBytes);
    const hash = this.#hashes.take(id, sizeBytes);
    let at = offsetBytes;
    let waiting: Uint8Array[] = [];
    let waitingBytes = 0;
    const written: string[] = [];
    const flush = async (): Promise<void> => {
      if (waitingBytes === 0) return;
      const key = `${this.#uploadKey(id)}${String(at).padStart(16, '0')}`;
      await this.#put(key, Buffer.concat(waiting));
      written.push(key);
      at += waitingBytes;
      waiting = [];
      waitingBytes = 0;
    };
    try {
      for await (const piece of source) {
        if (at + waitingBytes + piece.length > maxBytes) throw uploadTooLarge(maxBytes);
        hash?.hash.update(piece);
        if (hash) hash.bytes += piece.length;
        waiting.push(piece);
        waitingBytes += piece.length;
        if (waitingBytes >= PART_BYTES) await flush();
      }
    } catch (error) {
      if (error instanceof GantryError && error.code === 'SIZE_INVALID') {
        await this.#remove(written);
        this.#hashes.settle(id, offsetBytes);
      } else {
        await flush();
        this.#hashes.settle(id, at);
      }
      throw error;
    }
    await flush();
    return at;
  }

  async uploadSize(id: string): Promise<number | undefined> {
    if (!UPLOAD.test(id)) return undefined;
    const parts = await this.#parts(id);
    if (!parts.isBegun) return undefined;
    const last = parts.list.at(-1);
    return last ? last.offset + last.sizeBytes : 0;
  }

  async finish(id: string, digest: Digest): Promise<number> {
    const { isBegun, list } = await this.#parts(id);
    if (!isBegun) throw noSuchUpload(id);
    try {
      const sizeBytes = list.reduce((total, part) => total + part.sizeBytes, 0);
      const got =
        this.#hashes.digest(id, sizeBytes, algorithmOf(digest)) ?? (await this.#hashParts(list, algorithmOf(digest)));
      if (got !== digest) throw digestMismatch(digest, got);
      await this.#compose(list, this.#blobKey(digest));
      return sizeBytes;
    } finally {
      await this.abort(id);
    }
  }

  async abort(id: string): Promise<void> {
    this.#hashes.forget(id);
    if (!UPLOAD.test(id)) return;
    const { list } = await this.#parts(id);
    await this.#remove([...list.map(({ key }) => key), `${this.#uploadKey(id)}begun`]);
  }

  async *uploads(): AsyncGenerator<StoredUpload> {
    let current: { id: string; sizeBytes: number; touchedAtMs: number } | undefined;
    for await (const { key, sizeBytes, touchedAtMs } of this.#list(`${this.#prefix}uploads/`)) {
      const [id = ''] = key.slice(`${this.#prefix}uploads/`.length).split('/');
      if (!UPLOAD.test(id)) continue;
      if (current && current.id !== id) yield current;
      if (current?.id !== id) current = { id, sizeBytes: 0, touchedAtMs: 0 };
      current.sizeBytes += sizeBytes;
      current.touchedAtMs = Math.max(current.touchedAtMs, touchedAtMs);
    }
    if (current) yield current;
  }

  async remove(digest: Digest): Promise<void> {
    await this.#remove([this.#blobKey(digest)]);
  }

  async *blobs(): AsyncGenerator<StoredBlob> {
    const start = `${this.#prefix}blobs/`;
    for await (const { key, sizeBytes } of this.#list(start)) {
      const digest = parseAnyDigest(key.slice(start.length).replace('/', ':'));
      if (digest) yield { digest, sizeBytes };
    }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#hashes.clear();
    this.#client.destroy();
  }

  #blobKey(digest: Digest): string {
    return `${this.#prefix}blobs/${algorithmOf(digest)}/${hexOf(digest)}`;
  }

  #uploadKey(id: string): string {
    if (!UPLOAD.test(id)) throw noSuchUpload(id);
    return `${this.#prefix}uploads/${id}/`;
  }

  async #parts(id: string): Promise<{ readonly isBegun: boolean; readonly list: readonly Part[] }> {
    const start = this.#uploadKey(id);
    const list: Part[] = [];
    let isBegun = false;
    for await (const entry of this.#list(start)) {
      const name = entry.key.slice(start.length);
      if (name === 'begun') isBegun = true;
      else if (/^\d{16}$/.test(name)) list.push({ ...entry, offset: Number(name) });
    }
    return { isBegun, list };
  }

  async #hashParts(parts: readonly Part[], algorithm: 'sha256' | 'sha512'): Promise<Digest> {
    const hash: Hash = createHash(algorithm);
    for (const { key } of parts) {
      const stream = await this.#get(key);
      if (!stream) throw unavailable(new Error(`the part ${key} is gone`));
      for await (const piece of stream) hash.update(piece as Buffer);
    }
    return digestOfHash(algorithm, hash);
  }

  /** Makes one object of all parts. */
  async #compose(parts: readonly Part[], key: string): Promise<void> {
    const [only] = parts;
    if (!only) return this.#put(key, Buffer.alloc(0));
    if (parts.length === 1) return this.#copy(only.key, key);
    const { CreateMultipartUploadCommand, CompleteMultipartUploadCommand, AbortMultipartUploadCommand } = this.#sdk;
    const where = { Bucket: this.#bucket, Key: key };
    const { UploadId } = await this.#call(() => this.#client.send(new CreateMultipartUploadCommand(where)));
    try {
      const Parts: { ETag: string | undefined; PartNumber: number }[] = [];
      for (const group of groupsOf(parts)) {
        const PartNumber = Parts.length + 1;
        Parts.push({ ETag: await this.#addPart({ ...where, UploadId, PartNumber }, group), PartNumber });
      }
      await this.#call(() =>
        this.#client.send(new CompleteMultipartUploadCommand({ ...where, UploadId, MultipartUpload: { Parts } })),
      );
    } catch (error) {
      await this.#client.send(new AbortMultipartUploadCommand({ ...where, UploadId })).catch(() => undefined);
      throw error;
    }
  }

  async #addPart(
    where: { Bucket: string; Key: string; UploadId: string | undefined; PartNumber: number },
    group: readonly Part[],
  ): Promise<string | undefined> {
    const { UploadPartCommand, UploadPartCopyCommand } = this.#sdk;
    const [only] = group;
    if (only && group.length === 1) {
      const CopySource = `${this.#bucket}/${only.key}`;
      const { CopyPartResult } = await this.#call(() =>
        this.#client.send(new UploadPartCopyCommand({ ...where, CopySource })),
      );
      return CopyPartResult?.ETag;
    }
    const pieces: Buffer[] = [];
    for (const { key } of group) {
      for await (const piece of (await this.#get(key)) ?? Readable.from([])) pieces.push(piece as Buffer);
    }
    const { ETag } = await this.#call(() =>
      this.#client.send(new UploadPartCommand({ ...where, Body: Buffer.concat(pieces) })),
    );
    return ETag;
  }

  async #copy(from: string, to: string): Promise<void> {
    const { CopyObjectCommand } = this.#sdk;
    const CopySource = `${this.#bucket}/${from}`;
    await this.#call(() => this.#client.send(new CopyObjectCommand({ Bucket: this.#bucket, Key: to, CopySource })));
  }

  async #put(key: string, bytes: Uint8Array): Promise<void> {
    const { PutObjectCommand } = this.#sdk;
    await this.#call(() =>
      this.#client.send(
        new PutObjectCommand({ Bucket: this.#bucket, Key: key, Body: bytes, ContentLength: bytes.length }),
      ),
    );
  }

  async #get(key: string, range?: ByteRange): Promise<Readable | undefined> {
    const { GetObjectCommand } = this.#sdk;
    const wanted = range ? { Range: `bytes=${range.start}-${range.end - 1}` } : {};
    const command = new GetObjectCommand({ Bucket: this.#bucket, Key: key, ...wanted });
    const answer = await this.#call(() => this.#client.send(command), true);
    const body = answer?.Body as Readable | undefined;
    // Some stores answer a range with the whole object, as HTTP lets them.
    const isWhole = range !== undefined && answer?.ContentLength !== range.end - range.start;
    return body && isWhole ? Readable.from(cut(body, range)) : body;
  }

  async #sizeOf(key: string): Promise<number | undefined> {
    const { HeadObjectCommand } = this.#sdk;
    const answer = await this.#call(
      () => this.#client.send(new HeadObjectCommand({ Bucket: this.#bucket, Key: key })),
      true,
    );
    return answer?.ContentLength;
  }

  /** In batches; what is not there is no error. */
  async #remove(keys: readonly string[]): Promise<void> {
    const { DeleteObjectsCommand } = this.#sdk;
    for (let i = 0; i < keys.length; i += LISTED_MAX) {
      const Objects = keys.slice(i, i + LISTED_MAX).map((Key) => ({ Key }));
      await this.#call(() =>
        this.#client.send(new DeleteObjectsCommand({ Bucket: this.#bucket, Delete: { Objects, Quiet: true } })),
      );
    }
  }

  async *#list(start: string): AsyncGenerator<Omit<Part, 'offset'>> {
    const { ListObjectsV2Command } = this.#sdk;
    for (let ContinuationToken: string | undefined; ; ) {
      const command = new ListObjectsV2Command({
        Bucket: this.#bucket,
        Prefix: start,
        ...(ContinuationToken === undefined ? {} : { ContinuationToken }),
      });
      const page = await this.#call(() => this.#client.send(command));
      for (const { Key = '', Size = 0, LastModified } of page.Contents ?? []) {
        yield { key: Key, sizeBytes: Size, touchedAtMs: LastModified?.getTime() ?? 0 };
      }
      ContinuationToken = page.NextContinuationToken;
      if (!page.IsTruncated || ContinuationToken === undefined) return;
    }
  }

  #call<T>(act: () => Promise<T>): Promise<T>;
  #call<T>(act: () => Promise<T>, mayBeMissing: true): Promise<T | undefined>;
  async #call<T>(act: () => Promise<T>, mayBeMissing = false): Promise<T | undefined> {
    try {
      return await act();
    } catch (error) {
      const status = (error as { $metadata?: { httpStatusCode?: number } }).$metadata?.httpStatusCode;
      if (mayBeMissing && status === 404 && (error as Error).name !== 'NoSuchBucket') return undefined;
      throw unavailable(error);
    }
  }
}

/** The bytes of a range out of a whole. */
async function* cut(source: Readable, { start, end }: ByteRange): AsyncGenerator<Buffer> {
  let at = 0;
  for await (const piece of source as AsyncIterable<Buffer>) {
    const part = piece.subarray(Math.max(0, start - at), Math.max(0, end - at));
    if (part.length > 0) yield part;
    at += piece.length;
    if (at >= end) return;
  }
}

/** Neighbours until each group but the last is large enough for a part. */
export function groupsOf<T extends { readonly sizeBytes: number }>(parts: readonly T[]): T[][] {
  const groups: T[][] = [];
  let group: T[] = [];
  let bytes = 0;
  for (const part of parts) {
    group.push(part);
    bytes += part.sizeBytes;
    if (bytes < PART_MIN_BYTES) continue;
    groups.push(group);
    group = [];
    bytes = 0;
  }
  if (group.length > 0) groups.push(group);
  return groups;
}

/** The client's words, which hold no secrets. */
function unavailable(cause: unknown): GantryError {
  return new GantryError('unavailable', 'UNAVAILABLE', `the object store failed: ${messageOf(cause)}`, { cause });
}
