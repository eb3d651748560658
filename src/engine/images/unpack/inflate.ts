// Owns telling compressions apart by their first bytes, and inflating the two that layers use.

import { Buffer as NodeBuffer } from 'node:buffer';
import type { Transform } from 'node:stream';
import { createGunzip, createZstdDecompress } from 'node:zlib';
import { GantryError } from '../../../lib/errors.ts';

export type Compression = 'none' | 'gzip' | 'zstd' | 'bzip2' | 'xz';

/** Bytes needed to tell. */
export const MAGIC_BYTES = 6;
/** Large pieces: fewer turns between threads. */
const PIECE_BYTES = 512 * 1024;

/** The compression of a stream that starts with `head` (MAGIC_BYTES, or all there is). */
export function compressionOf(head: Uint8Array): Compression {
  const hex = NodeBuffer.from(head.subarray(0, MAGIC_BYTES)).toString('hex');
  if (hex.startsWith('1f8b')) return 'gzip';
  // A zstd stream may begin with a skippable frame: 184d2a50 to 5f, little-endian.
  if (hex.startsWith('28b52ffd') || /^5.2a4d18/.test(hex)) return 'zstd';
  if (hex.startsWith('425a68')) return 'bzip2';
  if (hex.startsWith('fd377a585a00')) return 'xz';
  return 'none';
}

/** An inflating stream, whose work runs on libuv's threads; undefined when there is nothing to inflate. @throws UNSUPPORTED_COMPRESSION */
export function inflaterFor(compression: Compression): Transform | undefined {
  if (compression === 'none') return undefined;
  if (compression === 'gzip') return createGunzip({ chunkSize: PIECE_BYTES });
  if (compression === 'zstd') return createZstdDecompress({ chunkSize: PIECE_BYTES });
  throw new GantryError('invalid', 'UNSUPPORTED_COMPRESSION', `a layer compressed by ${compression} is not supported`);
}

/** Node's zlib error in the words that Docker's users know. */
export function inflateError(error: unknown): GantryError {
  const code = (error as { code?: unknown }).code;
  const text = error instanceof Error ? error.message : String(error);
  if (code === 'Z_BUF_ERROR' || /unexpected end|incomplete/i.test(text)) {
    return new GantryError('invalid', 'TRUNCATED_LAYER', 'unexpected EOF', { cause: error });
  }
  const message = text === 'incorrect data check' ? 'gzip: invalid checksum' : `corrupt compressed data: ${text}`;
  return new GantryError('invalid', 'CORRUPT_LAYER', message, { cause: error });
}
