// Owns pax extended headers: records of binary values, parsed from and written to bytes.

import { type ByteString, byteString } from '../bytes.ts';
import { badHeader } from './errors.ts';
import type { TarTime } from './types.ts';

/** Keys (as bytes) to binary values; an empty value takes the key back. */
export type PaxRecords = Map<string, Buffer>;

const XATTR = 'SCHILY.xattr.';

/** Parses `length key=value\n` records into `into`. Values are copied. @throws BAD_TAR */
export function parsePax(bytes: Buffer, into: PaxRecords): void {
  const repeated: Buffer[] = [];
  let at = 0;
  while (at < bytes.length) {
    const space = bytes.indexOf(0x20, at);
    const digits = space < 0 ? '' : bytes.toString('latin1', at, space);
    if (!/^[1-9]\d{0,8}$/.test(digits)) throw badHeader('pax record without a length');
    const end = at + Number(digits);
    const equals = bytes.indexOf(0x3d, space);
    if (end > bytes.length || equals < 0 || equals >= end || bytes[end - 1] !== 0x0a) {
      throw badHeader('broken pax record');
    }
    const key = bytes.toString('latin1', space + 1, equals);
    if (key === '' || key.includes('\0')) throw badHeader('a pax record without a proper key');
    const value = Buffer.from(bytes.subarray(equals + 1, end - 1));
    if (key !== 'GNU.sparse.offset' && key !== 'GNU.sparse.numbytes') into.set(key, value);
    else if ((key === 'GNU.sparse.offset') === (repeated.length % 2 === 0)) repeated.push(value);
    else throw badHeader('a sparse map whose offsets and lengths do not alternate');
    at = end;
  }
  // The oldest sparse form names its pairs by records that come again and again; together they are the map of the next form.
  if (repeated.length > 0) into.set('GNU.sparse.map', Buffer.from(repeated.join(',')));
}

/** The extended attributes among `records`; undefined when there are none. */
export function paxXattrs(records: PaxRecords): Map<ByteString, Buffer> | undefined {
  let found: Map<ByteString, Buffer> | undefined;
  for (const [key, value] of records) {
    if (!key.startsWith(XATTR)) continue;
    found ??= new Map();
    found.set(key.slice(XATTR.length) as ByteString, value);
  }
  return found;
}

/** A path or link target. @throws BAD_TAR when it holds a NUL */
export function paxPath(value: Buffer): ByteString {
  if (value.includes(0)) throw badHeader('a name holds a NUL');
  return byteString(value);
}

/** A decimal number, maybe negative. @throws BAD_TAR */
export function paxNumber(value: Buffer): number {
  const text = value.toString('latin1');
  const number = Number(text);
  if (!/^-?\d{1,16}$/.test(text) || !Number.isSafeInteger(number)) throw badHeader('a pax number is no number');
  return number;
}

/** A length. @throws BAD_TAR when it is negative */
export function paxSize(value: Buffer): number {
  const size = paxNumber(value);
  if (size < 0) throw badHeader('a negative size');
  return size;
}

/** Seconds with an optional fraction, maybe negative. @throws BAD_TAR */
export function paxTime(value: Buffer): TarTime {
  const match = /^(-?)(\d{1,15})(?:\.(\d*))?$/.exec(value.toString('latin1'));
  if (!match) throw badHeader('a pax time is no time');
  const seconds = Number(match[2]);
  const nanoseconds = Number((match[3] ?? '').slice(0, 9).padEnd(9, '0'));
  if (!match[1]) return { seconds, nanoseconds };
  if (nanoseconds === 0) return { seconds: -seconds, nanoseconds };
  return { seconds: -seconds - 1, nanoseconds: 1_000_000_000 - nanoseconds };
}

/** One record's bytes; its length counts its own digits. */
function record(key: string, value: Buffer): Buffer {
  const rest = key.length + value.length + 3;
  let length = rest + String(rest).length;
  if (String(length).length > String(rest).length) length = rest + String(length).length;
  return Buffer.concat([Buffer.from(`${length} ${key}=`, 'latin1'), value, Buffer.from('\n')]);
}

/** The bytes of an extended header, records sorted by key. */
export function formatPax(records: PaxRecords): Buffer {
  const keys = [...records.keys()].sort();
  return Buffer.concat(keys.map((key) => record(key, records.get(key) ?? Buffer.alloc(0))));
}
