// Owns the 512-byte header block: fields, numbers, checksum. Knows nothing of what extends it (pax, GNU long names).

import { type ByteString, byteString } from '../bytes.ts';
import { badHeader } from './errors.ts';

export const BLOCK = 512;

/** A header block, decoded. `typeflag` is its character. */
export interface RawHeader {
  readonly name: ByteString;
  readonly linkName: ByteString;
  readonly typeflag: string;
  readonly mode: number;
  readonly uid: number;
  readonly gid: number;
  readonly size: number;
  readonly mtime: number;
  readonly deviceMajor: number;
  readonly deviceMinor: number;
}

/** Bytes up to the first NUL, at most `length`. */
function field(block: Buffer, at: number, length: number): ByteString {
  let end = at;
  const limit = at + length;
  while (end < limit && block[end] !== 0) end++;
  return byteString(block, at, end);
}

/** GNU's base-256: the top bit marks it, the rest is a big-endian two's complement. */
function base256(block: Buffer, at: number, length: number): number {
  const first = block[at] ?? 0;
  let value = first & 0x40 ? first - 0x100 : first & 0x7f;
  for (let i = at + 1; i < at + length; i++) value = value * 256 + (block[i] ?? 0);
  if (!Number.isSafeInteger(value)) throw badHeader('a number is too large');
  return value;
}

/** Octal text padded by spaces or NULs, or base-256. @throws BAD_TAR on anything else */
export function headerNumber(block: Buffer, at: number, length: number): number {
  if ((block[at] ?? 0) & 0x80) return base256(block, at, length);
  let i = at;
  const end = at + length;
  while (i < end && (block[i] === 0x20 || block[i] === 0)) i++;
  let value = 0;
  for (; i < end; i++) {
    const digit = (block[i] ?? 0) - 0x30;
    if (digit < 0 || digit > 7) break;
    value = value * 8 + digit;
  }
  for (; i < end; i++) if (block[i] !== 0x20 && block[i] !== 0) throw badHeader('a number is not octal');
  return value;
}

/** True when the 512 bytes at `at` are all zero. */
export function isZeroBlock(bytes: Buffer, at: number): boolean {
  for (let i = at; i < at + BLOCK; i++) if (bytes[i] !== 0) return false;
  return true;
}

function checksumFits(block: Buffer): boolean {
  const wanted = headerNumber(block, 148, 8);
  let unsigned = 8 * 0x20;
  let signed = unsigned;
  for (let i = 0; i < BLOCK; i++) {
    if (i === 148) i = 156;
    const byte = block[i] ?? 0;
    unsigned += byte;
    signed += byte > 127 ? byte - 256 : byte;
  }
  return wanted === unsigned || wanted === signed;
}

function joinPrefix(prefix: ByteString, name: ByteString): ByteString {
  return prefix === '' ? name : (`${prefix}/${name}` as ByteString);
}

/** Decodes the header block `block` (512 bytes). @throws BAD_TAR */
export function parseHeader(block: Buffer): RawHeader {
  if (!checksumFits(block)) throw badHeader('wrong checksum');
  const magic = block.toString('latin1', 257, 265);
  const posix = magic.startsWith('ustar\0');
  const known = posix || magic === 'ustar  \0';
  let name = field(block, 0, 100);
  if (posix) {
    const star = block.toString('latin1', 508, 512) === 'tar\0';
    name = joinPrefix(field(block, 345, star ? 131 : 155), name);
  }
  const size = headerNumber(block, 124, 12);
  if (size < 0) throw badHeader('negative size');
  return {
    name,
    linkName: field(block, 157, 100),
    typeflag: String.fromCharCode(block[156] ?? 0),
    mode: headerNumber(block, 100, 8),
    uid: headerNumber(block, 108, 8),
    gid: headerNumber(block, 116, 8),
    size,
    mtime: headerNumber(block, 136, 12),
    deviceMajor: known ? headerNumber(block, 329, 8) : 0,
    deviceMinor: known ? headerNumber(block, 337, 8) : 0,
  };
}
