// Owns a layer's skeleton: its tar without the files' payloads, from which the very same tar is written again.
//
//   file    = chunk*          chunk  = u32 length, zstd frame of records
//   record  = u32 literal length, u32 path length, u32 entry number, u64 payload length, path, literal
//
// A record says: these literal bytes, then the payload of the file at that path. All numbers are little-endian.

import { closeSync, openSync, writeSync } from 'node:fs';
import { type FileHandle, open } from 'node:fs/promises';
import { promisify } from 'node:util';
import { constants, zstdCompressSync, zstdDecompress } from 'node:zlib';
import { openRooted } from '../../../host/rooted/index.ts';
import { type ByteString, rawBytes } from '../../../lib/bytes.ts';
import { GantryError } from '../../../lib/errors.ts';
import type { Replaced } from './tree.ts';

const CHUNK_BYTES = 1 << 20;
const HEAD_BYTES = 20;
const READ_BYTES = 1 << 20;
const decompress = promisify(zstdDecompress);

/** Writes a skeleton, synchronously. */
export class SkeletonWriter implements Disposable {
  readonly #fd: number;
  #records: Buffer[] = [];
  #literal: Buffer[] = [];
  #literalBytes = 0;
  #heldBytes = 0;

  constructor(path: string) {
    this.#fd = openSync(path, 'wx', 0o600);
  }

  /** Bytes of the archive that are no file's payload. Copied. */
  literal(bytes: Buffer): void {
    this.#literal.push(Buffer.from(bytes));
    this.#literalBytes += bytes.length;
    if (this.#literalBytes >= CHUNK_BYTES) this.payload('' as ByteString, 0, 0);
  }

  /** The payload of the file at `path` follows the literal bytes so far. */
  payload(path: ByteString, entry: number, bytes: number): void {
    const head = Buffer.alloc(HEAD_BYTES);
    const name = rawBytes(path);
    head.writeUInt32LE(this.#literalBytes, 0);
    head.writeUInt32LE(name.length, 4);
    head.writeUInt32LE(entry, 8);
    head.writeBigUInt64LE(BigInt(bytes), 12);
    this.#records.push(head, name, ...this.#literal);
    this.#heldBytes += HEAD_BYTES + name.length + this.#literalBytes;
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
    writeAll(this.#fd, Buffer.concat([length, frame]));
    this.#records = [];
    this.#heldBytes = 0;
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
  for await (const record of readRecords(target.skeleton)) {
    if (record.literal.length > 0) yield record.literal;
    if (record.payloadBytes === 0) continue;
    const move = firstMove(byPath, record.path, record.entry);
    const base = move ? target.replaced : target.directory;
    const path = (move ? `${move.to}${record.path.slice(move.path.length)}` : record.path) as ByteString;
    yield* readPayload(base, path, record.payloadBytes);
  }
}

/** The first move after entry number `entry` that took `path` or a folder above it away. Moves of one path come in order. */
function firstMove(
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

async function* readRecords(path: string): AsyncGenerator<SkeletonRecord, void, void> {
  await using file = await open(path);
  const length = Buffer.alloc(4);
  for (;;) {
    if ((await file.read(length, 0, 4, null)).bytesRead === 0) return;
    const frame = Buffer.alloc(length.readUInt32LE());
    await file.read(frame, 0, frame.length, null);
    const records = await decompress(frame);
    for (let at = 0; at < records.length; ) {
      const literalBytes = records.readUInt32LE(at);
      const pathEnd = at + HEAD_BYTES + records.readUInt32LE(at + 4);
      yield {
        literal: records.subarray(pathEnd, pathEnd + literalBytes),
        path: records.toString('latin1', at + HEAD_BYTES, pathEnd) as ByteString,
        entry: records.readUInt32LE(at + 8),
        payloadBytes: Number(records.readBigUInt64LE(at + 12)),
      };
      at = pathEnd + literalBytes;
    }
  }
}

async function* readPayload(base: string, path: ByteString, bytes: number): AsyncGenerator<Buffer, void, void> {
  await using file = await openInside(base, path);
  for (let left = bytes; left > 0; ) {
    const part = Buffer.allocUnsafe(Math.min(READ_BYTES, left));
    const { bytesRead } = await file.read(part, 0, part.length, null);
    if (bytesRead === 0) {
      throw new GantryError('system', 'LAYER_DAMAGED', `the layer's file ${path} is shorter than it was`);
    }
    left -= bytesRead;
    yield part.subarray(0, bytesRead);
  }
}

async function openInside(base: string, path: ByteString): Promise<FileHandle> {
  using root = openRooted(base);
  return await root.withFile(path, (handlePath) => open(handlePath));
}
