// Owns tar writing: the bytes of headers and padding, POSIX (ustar, pax where that is too small). Reads no file.

import { type ByteString, rawBytes } from '../bytes.ts';
import { BLOCK } from './header.ts';
import { formatPax, type PaxRecords } from './pax.ts';
import type { TarEntry, TarEntryType, TarTime } from './types.ts';

const FLAGS: Readonly<Record<TarEntryType, string>> = {
  file: '0',
  hardlink: '1',
  symlink: '2',
  character: '3',
  block: '4',
  directory: '5',
  fifo: '6',
};

/** What a writer must name; the rest is root's, mode 0644 and the start of 1970. */
export type TarEntryInput = Pick<TarEntry, 'name' | 'type'> & Partial<TarEntry>;

/** Two zero blocks: the end of an archive. */
export const TAR_END: Buffer = Buffer.alloc(2 * BLOCK);

/** The zero bytes that follow a payload of `size` bytes. */
export function tarPadding(size: number): Buffer {
  return Buffer.alloc((BLOCK - (size % BLOCK)) % BLOCK);
}

/** The header block or blocks of an entry; the same entry always gives the same bytes. Its payload and padding follow. */
export function tarHeader(input: TarEntryInput): Buffer {
  const entry = complete(input);
  const records = recordsFor(entry);
  const head = block(entry, FLAGS[entry.type]);
  if (records.size === 0) return head;
  const body = formatPax(records);
  const name = `PaxHeaders.0/${baseName(entry.name)}`.slice(0, 100) as ByteString;
  const pax = block({ ...complete({ name, type: 'file' }), size: body.length }, 'x');
  return Buffer.concat([pax, body, tarPadding(body.length), head]);
}

function complete(input: TarEntryInput): TarEntry {
  return {
    linkName: '' as ByteString,
    mode: 0o644,
    uid: 0,
    gid: 0,
    size: 0,
    mtime: { seconds: 0, nanoseconds: 0 },
    deviceMajor: 0,
    deviceMinor: 0,
    xattrs: undefined,
    ...input,
  };
}

function baseName(name: ByteString): string {
  return name.replace(/\/+$/, '').replace(/^.*\//, '');
}

function recordsFor(entry: TarEntry): PaxRecords {
  const records: PaxRecords = new Map();
  const text = (key: string, value: string): void => void records.set(key, Buffer.from(value, 'latin1'));
  if (!splitName(entry.name) || isWide(entry.name)) text('path', entry.name);
  if (entry.linkName.length > 100 || isWide(entry.linkName)) text('linkpath', entry.linkName);
  if (entry.size > 0o77777777777) text('size', String(entry.size));
  if (entry.uid > 0o7777777) text('uid', String(entry.uid));
  if (entry.gid > 0o7777777) text('gid', String(entry.gid));
  const { seconds, nanoseconds } = entry.mtime;
  if (nanoseconds !== 0 || seconds < 0 || seconds > 0o77777777777) text('mtime', timeText(entry.mtime));
  for (const [key, value] of entry.xattrs ?? []) records.set(`SCHILY.xattr.${key}`, value);
  return records;
}

/** POSIX wants names beyond ASCII in pax records. */
function isWide(name: ByteString): boolean {
  return /[^\0-\x7f]/.test(name);
}

function timeText({ seconds, nanoseconds }: TarTime): string {
  if (nanoseconds === 0) return String(seconds);
  if (seconds >= 0) return `${seconds}.${String(nanoseconds).padStart(9, '0').replace(/0+$/, '')}`;
  const fraction = String(1_000_000_000 - nanoseconds)
    .padStart(9, '0')
    .replace(/0+$/, '');
  return `-${-seconds - 1}.${fraction}`;
}

/** Name and prefix as ustar splits them, or undefined when they do not fit. */
function splitName(name: ByteString): { readonly name: string; readonly prefix: string } | undefined {
  if (name.length <= 100) return { name, prefix: '' };
  const slash = name.indexOf('/', name.length - 101);
  if (slash <= 0 || slash > 155 || slash === name.length - 1) return undefined;
  return { name: name.slice(slash + 1), prefix: name.slice(0, slash) };
}

function octal(out: Buffer, at: number, length: number, value: number): void {
  const fits = Number.isInteger(value) && value >= 0 && value < 8 ** (length - 1);
  out.write((fits ? value : 0).toString(8).padStart(length - 1, '0'), at, 'latin1');
}

function block(entry: TarEntry, flag: string): Buffer {
  const out = Buffer.alloc(BLOCK);
  const name = splitName(entry.name) ?? { name: entry.name.slice(0, 100), prefix: '' };
  out.write(name.name, 0, 'latin1');
  octal(out, 100, 8, entry.mode);
  octal(out, 108, 8, entry.uid);
  octal(out, 116, 8, entry.gid);
  octal(out, 124, 12, entry.size);
  octal(out, 136, 12, entry.mtime.seconds);
  out.write(flag, 156, 'latin1');
  rawBytes(entry.linkName).copy(out, 157, 0, 100);
  out.write('ustar\x0000', 257, 'latin1');
  octal(out, 329, 8, entry.deviceMajor);
  octal(out, 337, 8, entry.deviceMinor);
  out.write(name.prefix, 345, 'latin1');
  out.write('        ', 148, 'latin1');
  let sum = 0;
  for (const byte of out) sum += byte;
  out.write(`${sum.toString(8).padStart(6, '0')}\0 `, 148, 'latin1');
  return out;
}
