// Owns the verbs on blobs: GET, HEAD, ranges, DELETE. Plain files go out by the kernel, everything else through a stream.
// @source OCI distribution specification 1.1, "Pulling blobs"

import { type FileHandle, open } from 'node:fs/promises';
import type { ServerResponse } from 'node:http';
import type { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { GantryError, isGantryError } from '../../lib/errors.ts';
import type { Digest } from '../../spec/digest.ts';
import { sendFile, socketFd } from '../http/index.ts';
import type { Exchange } from '../http/types.ts';
import type { ByteRange } from '../storage/types.ts';
import { digestOf, rangeOf } from './parse.ts';
import type { DistributionOptions } from './types.ts';
import { refuseDelete } from './writable.ts';

/** Smaller blobs go through the heap: one write is less than the kernel calls. */
const SENDFILE_MIN_BYTES = 64 * 1024;

/** GET of a blob, whole or a range. */
export async function getBlob(options: DistributionOptions, exchange: Exchange): Promise<void> {
  const { name = '', digest: text = '' } = exchange.parameters;
  const digest = digestOf(text);
  if (!(await hasTurn(exchange.response))) return;
  const sizeBytes = await sizeHere(options, exchange, name, digest);
  if (sizeBytes === undefined) return;
  const headers = headersOf(digest);
  if (exchange.request.headers['if-none-match'] === headers.ETag) return exchange.send(304, headers);
  const range = rangeOf(exchange.request.headers.range, sizeBytes);
  if (range === 'unsatisfiable') {
    exchange.response.setHeader('Content-Range', `bytes */${sizeBytes}`);
    throw new GantryError('invalid', 'RANGE_INVALID', 'the range is outside the blob', { params: { sizeBytes } });
  }
  const part = range === 'none' ? { start: 0, end: sizeBytes } : range;
  const body = await openPart(options, exchange, digest, part);
  const content = { ...headers, 'Content-Length': String(part.end - part.start) };
  if (range === 'none') exchange.response.writeHead(200, content);
  else {
    const where = `bytes ${part.start}-${part.end - 1}/${sizeBytes}`;
    exchange.response.writeHead(206, { ...content, 'Content-Range': where });
  }
  await body();
}

/**
 * Waits until an answer has the connection: of requests sent without waiting for answers, those behind hold nothing open.
 * False when the peer goes away before.
 */
function hasTurn(response: ServerResponse): Promise<boolean> {
  if (response.socket) return Promise.resolve(true);
  if (response.destroyed) return Promise.resolve(false);
  return new Promise((resolve) => {
    response.once('socket', () => resolve(true));
    response.once('close', () => resolve(false));
  });
}

/** The size of a blob that is here; undefined when it was sent from the origin on its way into the store. */
async function sizeHere(
  { repositories, origin }: DistributionOptions,
  exchange: Exchange,
  name: string,
  digest: Digest,
): Promise<number | undefined> {
  if (!origin?.serves(name)) return repositories.blobSize(name, digest);
  const fetched = await origin.blob(name, digest, exchange.signal);
  if (!fetched) return repositories.blobSize(name, digest);
  exchange.response.writeHead(200, { ...headersOf(digest), 'Content-Length': String(fetched.sizeBytes) });
  await stream(fetched.stream, exchange);
  return undefined;
}

function headersOf(digest: Digest) {
  return {
    'Content-Type': 'application/octet-stream',
    'Docker-Content-Digest': digest,
    ETag: `"${digest}"`,
    'Accept-Ranges': 'bytes',
    'Cache-Control': 'max-age=31536000',
  };
}

/** Opens a part of a blob before a word of the answer is out; what it resolves to sends it. @throws BLOB_UNKNOWN */
async function openPart(
  { repositories }: DistributionOptions,
  exchange: Exchange,
  digest: Digest,
  part: ByteRange,
): Promise<() => Promise<void>> {
  const { response } = exchange;
  const path = repositories.localPath(digest);
  const length = part.end - part.start;
  try {
    if (path === undefined || length < SENDFILE_MIN_BYTES || socketFd(response) === undefined) {
      const source = await repositories.readBlob(digest, part);
      return () => stream(source, exchange);
    }
    const file = await open(path);
    return () => sendOpenFile(exchange, file, part.start, length);
  } catch (error) {
    // It was collected since we looked.
    if (isMissing(error)) throw blobUnknown(digest);
    throw error;
  }
}

function blobUnknown(digest: Digest): GantryError {
  return new GantryError('notFound', 'BLOB_UNKNOWN', 'blob unknown to registry', { params: { digest } });
}

function isMissing(error: unknown): boolean {
  return (isGantryError(error) && error.code === 'NO_SUCH_BLOB') || (error as { code?: unknown }).code === 'ENOENT';
}

async function sendOpenFile({ response }: Exchange, file: FileHandle, start: number, length: number): Promise<void> {
  try {
    await sendFile(response, file, start, length);
    response.end();
  } finally {
    await file.close();
  }
}

/** A reader that goes away is no failure of ours. */
async function stream(source: Readable, exchange: Exchange): Promise<void> {
  if (exchange.response.destroyed) return void source.destroy();
  await pipeline(source, exchange.response).catch((error: unknown) => {
    if (!exchange.response.destroyed) throw error;
  });
}

/** HEAD of a blob. Who may push is about to: the blob is held for them. */
export async function headBlob(options: DistributionOptions, exchange: Exchange): Promise<void> {
  const { name = '', digest: text = '' } = exchange.parameters;
  const digest = digestOf(text);
  const isMirror = options.origin?.serves(name) ?? false;
  const sizeBytes = isMirror
    ? await sizeOfMirrored(options, exchange, name, digest)
    : await sizeOfStored(options, exchange, name, digest);
  exchange.response.writeHead(200, { ...headersOf(digest), 'Content-Length': String(sizeBytes) });
  exchange.response.end();
}

/** A client that hears that a blob is here does not push it: so the store is asked, not the records alone. @throws BLOB_UNKNOWN */
async function sizeOfStored(
  { repositories }: DistributionOptions,
  { grant }: Exchange,
  name: string,
  digest: Digest,
): Promise<number> {
  const sizeBytes = grant.may('push', name)
    ? repositories.claimBlob(name, digest)
    : repositories.blobSize(name, digest);
  if (await repositories.isStored(digest)) return sizeBytes;
  throw blobUnknown(digest);
}

/** Fetches what is not here: who asks for its size wants it next. */
async function sizeOfMirrored(
  { repositories, origin }: DistributionOptions,
  exchange: Exchange,
  name: string,
  digest: Digest,
): Promise<number> {
  const fetched = await origin?.blob(name, digest, exchange.signal);
  fetched?.stream.resume();
  return fetched?.sizeBytes ?? repositories.blobSize(name, digest);
}

/** DELETE of a blob that no manifest of the repository needs. */
export async function deleteBlob(options: DistributionOptions, exchange: Exchange): Promise<void> {
  const { name = '', digest = '' } = exchange.parameters;
  refuseDelete(options);
  await options.repositories.deleteBlob(name, digestOf(digest), exchange.doer);
  exchange.send(202, {});
}
