// Owns telling compressions apart by their first bytes, and the streams that undo them.

import { Buffer as NodeBuffer } from 'node:buffer';
import type { Duplex } from 'node:stream';
import { createZstdDecompress } from 'node:zlib';
import { GantryError } from '../../lib/errors.ts';
import { GunzipMembers } from './gunzip.ts';
import { ToolInflater } from './tool-inflater.ts';

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

/** An inflating stream, whose work runs on other threads or in a process; undefined when there is nothing to inflate. */
export function inflaterFor(compression: Compression): Duplex | undefined {
  switch (compression) {
    case 'none':
      return undefined;
    case 'gzip':
      return new GunzipMembers(PIECE_BYTES);
    case 'zstd':
      return createZstdDecompress({ chunkSize: PIECE_BYTES });
    default:
      return new ToolInflater(compression, PIECE_BYTES);
  }
}

/** A failure of an inflating stream in the words that Docker's users know. */
export function inflateError(error: unknown): GantryError {
  if (error instanceof GantryError) return error;
  const code = (error as { code?: unknown }).code;
  const text = error instanceof Error ? error.message : String(error);
  if (code === 'Z_BUF_ERROR' || /unexpected end|incomplete/i.test(text)) {
    return new GantryError('invalid', 'TRUNCATED_LAYER', 'unexpected EOF', { cause: error });
  }
  const message = text === 'incorrect data check' ? 'gzip: invalid checksum' : `corrupt compressed data: ${text}`;
  return new GantryError('invalid', 'CORRUPT_LAYER', message, { cause: error });
}
