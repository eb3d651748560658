// Owns moving bytes into and out of one open upload file: written in large pieces, hashed on the way. Opens and names no file.

import { createHash } from 'node:crypto';
import type { FileHandle } from 'node:fs/promises';
import { giveBack } from '../../../lib/give-back.ts';
import type { Digest } from '../../../spec/digest.ts';
import { uploadTooLarge } from '../errors.ts';
import { digestOfHash, type RunningHash } from '../hashing.ts';
import type { Append } from '../types.ts';
import { EarlyDisk } from './early-disk.ts';

/** Sockets give 64 KiB at a time; a write for each would be a trip to the thread pool each. */
const WRITE_BYTES = 512 * 1024;
const HASH_READ_BYTES = 1 << 20;

/**
 * Appends `source` at `offsetBytes`; resolves to the new size. When `source` fails, what came before is written, then its error thrown.
 * @throws SIZE_INVALID over `maxBytes`, ENOSPC on a full disk: then the file is cut back to `offsetBytes`
 */
export async function appendTo(
  handle: FileHandle,
  source: AsyncIterable<Uint8Array>,
  { offsetBytes, maxBytes, isHandedOver }: Append,
  progress: RunningHash | undefined,
): Promise<number> {
  let at = offsetBytes;
  let pieces: Uint8Array[] = [];
  let waiting = 0;
  const disk = new EarlyDisk(handle, at);
  const flush = async (): Promise<void> => {
    await writeAll(handle, pieces, at);
    at += waiting;
    disk.wrote(at);
    const written = pieces;
    pieces = [];
    waiting = 0;
    if (progress) await progress.update(written, isHandedOver);
    else if (isHandedOver) for (const piece of written) giveBack(piece);
  };
  try {
    for await (const piece of source) {
      if (at + waiting + piece.length > maxBytes) throw uploadTooLarge(maxBytes);
      pieces.push(piece);
      waiting += piece.length;
      if (waiting >= WRITE_BYTES) await flush();
    }
  } catch (error) {
    if (isHopeless(error)) await handle.truncate(offsetBytes);
    else await flush();
    throw error;
  } finally {
    await disk.settled();
  }
  await flush();
  return at;
}

/** Over the limit, or over what the disk has: the space is wanted back at once. */
const isHopeless = (error: unknown): boolean =>
  ['SIZE_INVALID', 'ENOSPC', 'EDQUOT'].includes(String((error as { code?: unknown }).code));

async function writeAll(handle: FileHandle, pieces: readonly Uint8Array[], position: number): Promise<void> {
  let at = position;
  let left = [...pieces];
  while (left.length > 0) {
    const { bytesWritten } = await handle.writev(left, at);
    at += bytesWritten;
    left = rest(left, bytesWritten);
  }
}

/** What a short write has left over. */
function rest(pieces: readonly Uint8Array[], written: number): Uint8Array[] {
  let skip = written;
  return pieces.flatMap((piece) => {
    const taken = Math.min(skip, piece.length);
    skip -= taken;
    return taken === piece.length ? [] : [piece.subarray(taken)];
  });
}

/** The digest of a whole file, read once more: after a restart, or for a hash that was not running. */
export async function hashFile(handle: FileHandle, algorithm: 'sha256' | 'sha512'): Promise<Digest> {
  const hash = createHash(algorithm);
  const buffer = Buffer.allocUnsafe(HASH_READ_BYTES);
  for (let at = 0; ; ) {
    const { bytesRead } = await handle.read(buffer, 0, buffer.length, at);
    if (bytesRead === 0) return digestOfHash(algorithm, hash);
    hash.update(buffer.subarray(0, bytesRead));
    at += bytesRead;
  }
}
