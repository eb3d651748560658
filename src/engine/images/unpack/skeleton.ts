// Owns a layer's skeleton: its tar without the files' payloads, from which the very same tar is written again.
//
//   file    = chunk*          chunk  = u32 length, zstd frame of records
//   record  = u32 literal length, u32 path length, u32 entry number, u64 payload length, [u64 offset], path, literal
//
// A record says: these literal bytes, then the payload of the file at that path. All numbers are little-endian.
// The offset is there when the top bit of the payload length is set: a sparse file's payload is several parts of it.

import { closeSync, openSync, writeSync } from 'node:fs';
import { type FileHandle, open } from 'node:fs/promises';
import { promisify } from 'node:util';
import { constants, zstdCompressSync, zstdDecompress } from 'node:zlib';
import { openRooted, type Rooted } from '../../../host/rooted/index.ts';
import { type ByteString, rawBytes, textOf } from '../../../lib/bytes.ts';
import { errnoOf, ioError } from '../../../lib/errno.ts';
import { GantryError, isGantryError } from '../../../lib/errors.ts';
import type { Replaced } from './tree.ts';

const CHUNK_BYTES = 1 << 20;
const HEAD_BYTES = 20;
const OFFSET_BYTES = 8;
const HAS_OFFSET = 1n << 63n;
const READ_BYTES = 1 << 20;
/** Small files are read whole, some of them ahead of their turn: most of the time goes by waiting for threads and disks. */
const SMALL_BYTES = 256 * 1024;
const FILES_AHEAD = 16;
/** A frame holds about CHUNK_BYTES, and a record more: a literal of up to CHUNK_BYTES and a path. */
const FRAME_MAX_BYTES = 8 << 20;
const decompress = promisify(zstdDecompress);

/** Writes a skeleton, synchronously. */
export class SkeletonWriter implements Disposable {
  readonly #path: string;
  readonly #fd: number;
  #records: Buffer[] = [];
  #literal: Buffer[] = [];
  #literalBytes = 0;
  #heldBytes = 0;

  /** @throws NO_SPACE and other failures of the system, here and at every write */
  constructor(path: string) {
    this.#path = path;
    this.#fd = inWords('open', path, () => openSync(path, 'wx', 0o600));
  }

  /** Bytes of the archive that are no file's payload. Copied. */
  literal(bytes: Buffer): void {
    this.#literal.push(Buffer.from(bytes));
    this.#literalBytes += bytes.length;
    if (this.#literalBytes >= CHUNK_BYTES) this.payload('' as ByteString, 0, 0);
  }

  /** After the literal bytes so far come `bytes` of the file at `path`, from `offset` on. */
  payload(path: ByteString, entry: number, bytes: number, offset = 0): void {
    const head = Buffer.alloc(HEAD_BYTES + (offset > 0 ? OFFSET_BYTES : 0));
    const name = rawBytes(path);
    head.writeUInt32LE(this.#literalBytes, 0);
    head.writeUInt32LE(name.length, 4);
    head.writeUInt32LE(entry, 8);
    head.writeBigUInt64LE(BigInt(bytes) | (offset > 0 ? HAS_OFFSET : 0n), 12);
    if (offset > 0) head.writeBigUInt64LE(BigInt(offset), HEAD_BYTES);
    this.#records.push(head, name, ...this.#literal);
    this.#heldBytes += head.length + name.length + this.#literalBytes;
    this.#literal = [];
    this.#literalBytes = 0;
    if (this.#heldBytes >= CHUNK_BYTES) this.#flush();
  }

  /** Writes what is held back. */
  end(): void {
    if (this.#literalBytes > 0) this.payload('' as ByteString, 0, 0);
    this.#flush();
  }

  [Symbol.dispose](): void {
    closeSync(this.#fd);
  }

  #flush(): void {
    if (this.#records.length === 0) return;
    const frame = zstdCompressSync(Buffer.concat(this.#records), {
      params: { [constants.ZSTD_c_compressionLevel]: 1 },
    });
    const length = Buffer.alloc(4);
    length.writeUInt32LE(frame.length);
    inWords('write', this.#path, () => writeAll(this.#fd, Buffer.concat([length, frame])));
    this.#records = [];
    this.#heldBytes = 0;
  }
}

function inWords<T>(action: string, path: string, work: () => T): T {
  try {
    return work();
  } catch (error) {
    throw ioError(error, action, path);
  }
}

function writeAll(fd: number, bytes: Buffer): void {
  for (let at = 0; at < bytes.length; ) at += writeSync(fd, bytes, at);
}

interface SkeletonRecord {
  readonly literal: Buffer;
  readonly path: ByteString;
  readonly entry: number;
  readonly payloadBytes: number;
  readonly offset: number;
}

/**
 * The plain tar of a layer, as it once came. The caller compares its digest.
 * @throws LAYER_DAMAGED when a file is gone or has another size
 */
export async function* rebuildTar(
  target: { readonly directory: string; readonly skeleton: string; readonly replaced: string },
  moves: readonly Replaced[],
): AsyncGenerator<Buffer, void, void> {
  const byPath = Map.groupBy(moves, ({ path }) => path);
  using files = new PayloadFiles();
  const locate = (record: SkeletonRecord): Payload => {
    const { path, entry, payloadBytes: bytes, offset } = record;
    const move = movedAway(byPath, path, entry);
    const moved = move && (`${move.to}${path.slice(move.path.length)}` as ByteString);
    return { base: move ? target.replaced : target.directory, path: moved ?? path, bytes, offset };
  };
  const fetch = async (record: SkeletonRecord): Promise<Buffer | undefined> =>
    record.payloadBytes > 0 && record.payloadBytes <= SMALL_BYTES ? files.read(locate(record)) : undefined;
  for await (const records of readRecords(target.skeleton)) {
    for await (const { item, result } of inOrder(records, fetch, FILES_AHEAD)) {
      if (item.literal.length > 0) yield item.literal;
      if (result) yield result;
      else if (item.payloadBytes > 0) yield* files.stream(locate(item));
    }
  }
}

/** Length of the tar that a skeleton gives. @throws LAYER_DAMAGED when it is none */
export async function skeletonBytes(path: string): Promise<number> {
  let total = 0;
  for await (const records of readRecords(path)) {
    for (const { literal, payloadBytes } of records) total += literal.length + payloadBytes;
  }
  return total;
}

/** The results of `work` on the items one after the other, while as many as `ahead` are under way. */
async function* inOrder<T, R>(
  items: readonly T[],
  work: (item: T) => Promise<R>,
  ahead: number,
): AsyncGenerator<{ readonly item: T; readonly result: R }, void, void> {
  const running: Promise<R>[] = [];
  const begin = (index: number): void => {
    const item = items[index];
    if (item === undefined) return;
    const result = work(item);
    // A failure is reported when its turn comes, or never when an earlier one ended the work.
    result.catch(() => {});
    running.push(result);
  };
  for (let i = 0; i < ahead; i++) begin(i);
  try {
    for (const [index, item] of items.entries()) {
      const result = await running.shift();
      begin(index + ahead);
      yield { item, result: result as R };
    }
  } finally {
    await Promise.allSettled(running);
  }
}

/** The first move after entry number `entry` that took `path` or a folder above it away. Moves of one path come in order. */
export function movedAway(
  byPath: ReadonlyMap<string, readonly Replaced[]>,
  path: string,
  entry: number,
): Replaced | undefined {
  let first: Replaced | undefined;
  for (let end = path.length; end > 0 && byPath.size > 0; end = path.lastIndexOf('/', end - 1)) {
    const found = firstAfter(byPath.get(path.slice(0, end)) ?? [], entry);
    if (found && (!first || found.to < first.to)) first = found;
  }
  return first;
}

/** By halves: a hostile archive may replace one file a million times. */
function firstAfter(moves: readonly Replaced[], entry: number): Replaced | undefined {
  let [low, high] = [0, moves.length];
  while (low < high) {
    const middle = (low + high) >> 1;
    if ((moves[middle]?.entry ?? 0) > entry) high = middle;
    else low = middle + 1;
  }
  return moves[low];
}

/** The records, as many at once as lie in one frame. */
async function* readRecords(path: string): AsyncGenerator<readonly SkeletonRecord[], void, void> {
  await using file = await open(path).catch((error) => {
    throw errnoOf(error) === 'ENOENT' ? damaged(`${path} is gone`, error) : ioError(error, 'open', path);
  });
  const length = Buffer.alloc(4);
  for (;;) {
    const { bytesRead } = await file.read(length, 0, 4, null);
    if (bytesRead === 0) return;
    const frame = Buffer.alloc(bytesRead === 4 ? Math.min(length.readUInt32LE(), FRAME_MAX_BYTES) : 0);
    const read = await file.read(frame, 0, frame.length, null);
    if (frame.length === 0 || read.bytesRead < frame.length) throw damaged('the skeleton ends too early');
    const records = await decompress(frame, { maxOutputLength: FRAME_MAX_BYTES }).catch((cause) => {
      throw damaged('the skeleton is no zstd', cause);
    });
    yield [...recordsIn(records)];
  }
}

function* recordsIn(bytes: Buffer): Generator<SkeletonRecord, void, void> {
  for (let at = 0; at < bytes.length; ) {
    if (at + HEAD_BYTES > bytes.length) throw damaged('the skeleton ends within a record');
    const length = bytes.readBigUInt64LE(at + 12);
    const nameAt = at + HEAD_BYTES + (length & HAS_OFFSET ? OFFSET_BYTES : 0);
    const literalAt = nameAt + bytes.readUInt32LE(at + 4);
    const end = literalAt + bytes.readUInt32LE(at);
    if (end > bytes.length) throw damaged('the skeleton ends within a record');
    yield {
      literal: bytes.subarray(literalAt, end),
      path: bytes.toString('latin1', nameAt, literalAt) as ByteString,
      entry: bytes.readUInt32LE(at + 8),
      payloadBytes: Number(length & ~HAS_OFFSET),
      offset: length & HAS_OFFSET ? Number(bytes.readBigUInt64LE(at + HEAD_BYTES)) : 0,
    };
    at = end;
  }
}

/** Some bytes of a file below one of the layer's folders. */
interface Payload {
  readonly base: string;
  readonly path: ByteString;
  readonly bytes: number;
  readonly offset: number;
}

/** Reads files below the layer's folders, each of which is opened once. All throw LAYER_DAMAGED when a file is gone or shorter, and failures of the system. */
class PayloadFiles implements Disposable {
  readonly #roots = new Map<string, Rooted>();

  async read(payload: Payload): Promise<Buffer> {
    const parts: Buffer[] = [];
    for await (const part of this.stream(payload)) parts.push(part);
    return parts.length === 1 && parts[0] ? parts[0] : Buffer.concat(parts);
  }

  async *stream({ base, path, bytes, offset }: Payload): AsyncGenerator<Buffer, void, void> {
    await using file = await this.#open(base, path);
    for (let left = bytes; left > 0; ) {
      const part = Buffer.allocUnsafe(Math.min(READ_BYTES, left));
      const { bytesRead } = await file.read(part, 0, part.length, offset + bytes - left).catch((error) => {
        throw ioError(error, 'read', textOf(path));
      });
      if (bytesRead === 0) throw damaged(`the file ${textOf(path)} is shorter than it was`);
      left -= bytesRead;
      yield part.subarray(0, bytesRead);
    }
  }

  async #open(base: string, path: ByteString): Promise<FileHandle> {
    try {
      const root = this.#roots.get(base) ?? openRooted(base);
      this.#roots.set(base, root);
      return await root.withFile(path, (handlePath) => open(handlePath));
    } catch (cause) {
      const code = errnoOf(cause);
      // Too few descriptors or a broken disk say nothing of the layer.
      if (code === 'ENOENT' || code === 'ENOTDIR' || isGantryError(cause, 'invalid')) {
        throw damaged(`the file ${textOf(path)} is gone`, cause);
      }
      throw ioError(cause, 'open', `${base}/${textOf(path)}`);
    }
  }

  [Symbol.dispose](): void {
    for (const root of this.#roots.values()) root[Symbol.dispose]();
  }
}

function damaged(message: string, cause?: unknown): GantryError {
  return new GantryError('system', 'LAYER_DAMAGED', message, { cause });
}
