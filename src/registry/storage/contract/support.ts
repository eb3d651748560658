// Owns what the tests of the contract share: the subject, its content, and ways to write and read it.

import assert from 'node:assert/strict';
import { createHash, randomBytes } from 'node:crypto';
import { type Digest, parseAnyDigest } from '../../../spec/digest.ts';
import type { ByteRange, Storage } from '../types.ts';

/** A store that can be closed and opened again. */
export interface Subject extends AsyncDisposable {
  open(): Promise<Storage>;
  /** Replaces a blob's bytes without the driver's knowledge. */
  damage(digest: Digest, bytes: Uint8Array): Promise<void>;
}

/** Test cases by what each of them promises. */
export type Cases = Readonly<Record<string, (storage: Storage, subject: Subject) => Promise<void>>>;

/** A bound that no test reaches. */
export const MAX = { maxBytes: 1 << 30 };

/** The digest of bytes. */
export function digestOf(bytes: Uint8Array, algorithm = 'sha256'): Digest {
  const digest = parseAnyDigest(`${algorithm}:${createHash(algorithm).update(bytes).digest('hex')}`);
  if (!digest) throw new TypeError('no digest');
  return digest;
}

/** The id of a new upload. */
export const newId = (): string => randomBytes(16).toString('hex');

/** The bytes as a stream. */
export async function* pieces(bytes: Uint8Array, size = 64 * 1024): AsyncGenerator<Uint8Array> {
  for (let at = 0; at < bytes.length; at += size) yield bytes.subarray(at, at + size);
}

/** A stream that fails after the bytes. */
export async function* failing(bytes: Uint8Array): AsyncGenerator<Uint8Array> {
  yield bytes;
  throw new Error('the client went away');
}

/** Reads a blob, or a range of it. */
export async function bytesOf(storage: Storage, digest: Digest, range?: ByteRange): Promise<Buffer> {
  const got: Buffer[] = [];
  for await (const piece of await storage.read(digest, range)) got.push(Buffer.from(piece as Uint8Array));
  return Buffer.concat(got);
}

/** Compares by digest: a failure must not print large contents. */
export function assertSame(got: Buffer, wanted: Uint8Array): void {
  assert.equal(got.length, wanted.length);
  assert.equal(digestOf(got), digestOf(wanted));
}

/** Uploads bytes in one append. */
export async function upload(storage: Storage, bytes: Uint8Array, digest = digestOf(bytes)): Promise<Digest> {
  const id = newId();
  await storage.begin(id);
  await storage.append(id, pieces(bytes), { offsetBytes: 0, ...MAX });
  await storage.finish(id, digest);
  return digest;
}

/** All rows of a listing. */
export async function listed<T>(rows: AsyncIterable<T>): Promise<T[]> {
  const all: T[] = [];
  for await (const row of rows) all.push(row);
  return all;
}
