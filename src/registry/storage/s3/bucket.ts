// Owns talking to one bucket: objects, lists, multipart uploads, timeouts, and what failures mean. Knows no blob and no upload.

import { Readable } from 'node:stream';
import type { S3Client } from '@aws-sdk/client-s3';
import { GantryError, messageOf } from '../../../lib/errors.ts';
import type { StorageConfig } from '../../config/types.ts';
import type { ByteRange } from '../types.ts';

export type S3Config = StorageConfig & { readonly kind: 's3' };

/** Keys in one delete request. @source Amazon S3 API, DeleteObjects */
const DELETED_MAX = 1000;
const CONNECT_TIMEOUT_MS = 5_000;
/** A connection on which nothing moves for so long is given up. */
const SILENCE_TIMEOUT_MS = 60_000;
/** Every pull holds a connection for as long as its client takes; beyond this they wait for one another. */
const CONNECTIONS_MAX = 1024;

type Sdk = typeof import('@aws-sdk/client-s3');

/** An object as lists tell of it. */
export interface StoredObject {
  readonly key: string;
  readonly sizeBytes: number;
  /** When it was written, Unix milliseconds. */
  readonly touchedAtMs: number;
}

/** An object, or a part of one, that is being read. Its stream must be consumed or destroyed. */
export interface OpenObject {
  readonly stream: Readable;
  readonly sizeBytes: number;
}

/** A multipart upload that was begun. */
export interface Multipart {
  readonly key: string;
  readonly id: string;
}

/** Opens a bucket that exists. Loads Amazon's client at this first need. @throws UNAVAILABLE when it cannot be listed under `prefix` */
export async function openBucket(config: S3Config): Promise<Bucket> {
  const sdk = await import('@aws-sdk/client-s3');
  const { accessKeyId, secretAccessKey, endpoint } = config;
  const agent = { maxSockets: CONNECTIONS_MAX };
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
    // Waiting for leave to send would cost each part a connection of its own.
    expectContinueHeader: false,
    requestHandler: {
      connectionTimeout: CONNECT_TIMEOUT_MS,
      socketTimeout: SILENCE_TIMEOUT_MS,
      httpAgent: agent,
      httpsAgent: agent,
    },
  });
  const bucket = new Bucket(sdk, client, config.bucket);
  try {
    await bucket.check(config.prefix);
  } catch (error) {
    bucket.close();
    throw error;
  }
  return bucket;
}

/** One bucket. Every method @throws UNAVAILABLE when the store refuses, fails, or says nothing. */
export class Bucket {
  readonly #sdk: Sdk;
  readonly #client: S3Client;
  readonly #name: string;
  #canCopyParts = true;

  constructor(sdk: Sdk, client: S3Client, name: string) {
    this.#sdk = sdk;
    this.#client = client;
    this.#name = name;
  }

  close(): void {
    this.#client.destroy();
  }

  /** Finds out whether the bucket is there and may be listed: a HEAD could not tell a missing bucket from a missing object. */
  async check(prefix: string): Promise<void> {
    const command = new this.#sdk.ListObjectsV2Command({ Bucket: this.#name, Prefix: `${prefix}nothing/`, MaxKeys: 1 });
    await attempt(() => this.#client.send(command));
  }

  async put(key: string, bytes: Uint8Array): Promise<void> {
    const what = { ...this.#at(key), Body: bytes, ContentLength: bytes.length };
    await attempt(() => this.#client.send(new this.#sdk.PutObjectCommand(what)));
  }

  /** The size of an object, or undefined when it is not there. */
  async sizeOf(key: string): Promise<number | undefined> {
    const answer = await orMissing(() => this.#client.send(new this.#sdk.HeadObjectCommand(this.#at(key))));
    return answer?.ContentLength;
  }

  /** An object's bytes, or undefined when it is not there. A range must not be empty nor begin beyond the end. */
  async get(key: string, range?: ByteRange): Promise<OpenObject | undefined> {
    const wanted = range ? { Range: `bytes=${range.start}-${range.end - 1}` } : {};
    const command = new this.#sdk.GetObjectCommand({ ...this.#at(key), ...wanted });
    const answer = await orMissing(() => this.#client.send(command));
    if (!answer) return undefined;
    const stream = answer.Body as Readable;
    const sizeBytes = answer.ContentLength ?? 0;
    // Some stores answer a range with more than was asked for, or all, as HTTP lets them.
    const start = Number(/^bytes (\d+)-/.exec(answer.ContentRange ?? '')?.[1] ?? 0);
    if (!range || (start === range.start && sizeBytes <= range.end - range.start)) return { stream, sizeBytes };
    const part = { start: range.start - start, end: Math.min(range.end - start, sizeBytes) };
    return { stream: cutOut(stream, part), sizeBytes: part.end - part.start };
  }

  /** All of an object's bytes, in pieces. @throws UNAVAILABLE also when it is not there */
  async *bytes(key: string): AsyncGenerator<Buffer> {
    const found = await this.get(key);
    if (!found) throw unavailable({ name: 'NoSuchKey' });
    yield* drain(found);
  }

  async copy(from: string, to: string): Promise<void> {
    const command = new this.#sdk.CopyObjectCommand({ ...this.#at(to), CopySource: this.#source(from) });
    await attempt(() => this.#client.send(command));
  }

  /** Removes objects; none is no error. */
  async remove(keys: readonly string[]): Promise<void> {
    for (let i = 0; i < keys.length; i += DELETED_MAX) {
      const Objects = keys.slice(i, i + DELETED_MAX).map((Key) => ({ Key }));
      const command = new this.#sdk.DeleteObjectsCommand({ Bucket: this.#name, Delete: { Objects, Quiet: true } });
      const { Errors = [] } = await attempt(() => this.#client.send(command));
      // Keys fail one by one inside an answer that succeeds.
      const refused = Errors.find(({ Code }) => Code !== 'NoSuchKey');
      if (refused) throw unavailable({ name: refused.Code });
    }
  }

  /** Every object whose key begins with `start`, by key. */
  async *list(start: string): AsyncGenerator<StoredObject> {
    for (let token: string | undefined; ; ) {
      const from = token === undefined ? {} : { ContinuationToken: token };
      const command = new this.#sdk.ListObjectsV2Command({ Bucket: this.#name, Prefix: start, ...from });
      const page = await attempt(() => this.#client.send(command));
      for (const { Key = '', Size = 0, LastModified } of page.Contents ?? []) {
        yield { key: Key, sizeBytes: Size, touchedAtMs: LastModified?.getTime() ?? 0 };
      }
      token = page.NextContinuationToken;
      if (!page.IsTruncated || token === undefined) return;
    }
  }

  async beginMultipart(key: string): Promise<Multipart> {
    const command = new this.#sdk.CreateMultipartUploadCommand(this.#at(key));
    const { UploadId } = await attempt(() => this.#client.send(command));
    if (UploadId === undefined) throw unavailable({ name: 'NoUploadId' });
    return { key, id: UploadId };
  }

  /** Resolves to the part's entity tag. `number` counts from 1. */
  async putPart(multipart: Multipart, number: number, bytes: Uint8Array): Promise<string | undefined> {
    const command = new this.#sdk.UploadPartCommand({ ...this.#partOf(multipart, number), Body: bytes });
    return (await attempt(() => this.#client.send(command))).ETag;
  }

  /** As `putPart`, with a whole object of the bucket as the part; undefined when the store cannot copy into parts. */
  async copyPart(multipart: Multipart, number: number, from: string): Promise<{ tag: string | undefined } | undefined> {
    if (!this.#canCopyParts) return undefined;
    const where = { ...this.#partOf(multipart, number), CopySource: this.#source(from) };
    const command = new this.#sdk.UploadPartCopyCommand(where);
    try {
      return { tag: (await this.#client.send(command)).CopyPartResult?.ETag };
    } catch (error) {
      if (statusOf(error) !== 501) throw unavailable(error);
      this.#canCopyParts = false;
      return undefined;
    }
  }

  async completeMultipart(multipart: Multipart, tags: readonly (string | undefined)[]): Promise<void> {
    const Parts = tags.map((ETag, index) => ({ ETag, PartNumber: index + 1 }));
    const what = { ...this.#at(multipart.key), UploadId: multipart.id, MultipartUpload: { Parts } };
    await attempt(() => this.#client.send(new this.#sdk.CompleteMultipartUploadCommand(what)));
  }

  async abortMultipart({ key, id }: Multipart): Promise<void> {
    await orMissing(() =>
      this.#client.send(new this.#sdk.AbortMultipartUploadCommand({ ...this.#at(key), UploadId: id })),
    );
  }

  /** Multipart uploads that nobody completed: no list of objects shows them, but their space is paid for. */
  async multiparts(start: string): Promise<Multipart[]> {
    const command = new this.#sdk.ListMultipartUploadsCommand({ Bucket: this.#name, Prefix: start });
    const { Uploads = [] } = await attempt(() => this.#client.send(command));
    return Uploads.flatMap(({ Key, UploadId }) => (Key && UploadId ? [{ key: Key, id: UploadId }] : []));
  }

  #at(key: string): { Bucket: string; Key: string } {
    return { Bucket: this.#name, Key: key };
  }

  #partOf(
    { key, id }: Multipart,
    number: number,
  ): { Bucket: string; Key: string; UploadId: string; PartNumber: number } {
    return { ...this.#at(key), UploadId: id, PartNumber: number };
  }

  /** It travels in a header. */
  #source(key: string): string {
    return `${this.#name}/${key}`.split('/').map(encodeURIComponent).join('/');
  }
}

const statusOf = (error: unknown): number | undefined =>
  (error as { $metadata?: { httpStatusCode?: number } }).$metadata?.httpStatusCode;

async function attempt<T>(act: () => Promise<T>): Promise<T> {
  try {
    return await act();
  } catch (error) {
    throw unavailable(error);
  }
}

async function orMissing<T>(act: () => Promise<T>): Promise<T | undefined> {
  try {
    return await act();
  } catch (error) {
    if (statusOf(error) === 404 && (error as Error).name !== 'NoSuchBucket') return undefined;
    throw unavailable(error);
  }
}

/** What is read of an object, in pieces. @throws UNAVAILABLE when its stream breaks off */
export async function* drain({ stream }: OpenObject): AsyncGenerator<Buffer> {
  try {
    for await (const piece of stream) yield piece as Buffer;
  } catch (error) {
    throw unavailable(error);
  }
}

/** The bytes of a range out of a whole, which goes when they do. */
function cutOut(whole: Readable, range: ByteRange): Readable {
  const part = Readable.from(cut(whole, range), { objectMode: false });
  part.once('close', () => whole.destroy());
  return part;
}

async function* cut(source: Readable, { start, end }: ByteRange): AsyncGenerator<Buffer> {
  let at = 0;
  for await (const piece of source as AsyncIterable<Buffer>) {
    const part = piece.subarray(Math.max(0, start - at), Math.max(0, end - at));
    if (part.length > 0) yield part;
    at += piece.length;
    if (at >= end) return;
  }
}

const WORD = /^[A-Za-z][A-Za-z0-9_]{0,63}$/;

/**
 * What clients of the registry may know: what kind of failure it was, not of which address or account. The client's own error
 * carries request headers and key ids; only its text is kept.
 */
function unavailable(error: unknown): GantryError {
  const { name, code } = error as { name?: unknown; code?: unknown };
  const word = [code, name].find((one) => typeof one === 'string' && WORD.test(one)) ?? 'Unknown';
  const status = statusOf(error);
  const said = status === undefined ? String(word) : `${String(word)}, status ${status}`;
  const cause = new Error(messageOf(error));
  return new GantryError('unavailable', 'UNAVAILABLE', `the object store failed: ${said}`, { cause });
}
