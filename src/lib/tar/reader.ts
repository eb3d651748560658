// Owns the streaming tar reader: bytes are pushed in, entries come out at the sink. Opens no file and checks no path.
//
// Written by hand because the libraries decode pax values as UTF-8, which corrupts binary extended attributes.

import type { ByteString } from '../bytes.ts';
import { byteString } from '../bytes.ts';
import { GantryError } from '../errors.ts';
import { badHeader, fieldTooLong, truncated } from './errors.ts';
import { BLOCK, isZeroBlock, parseHeader, type RawHeader } from './header.ts';
import { type PaxRecords, parsePax, paxNumber, paxPath, paxSize, paxTime, paxXattrs } from './pax.ts';
import { checkedSegments, mapInHeader, mapInPayload, type PaxSparse, paxSparse, type SparseMap } from './sparse.ts';
import type { TarEntry, TarEntryType, TarSegment, TarSink, TarTime } from './types.ts';

/** Longest extended header or long name that is read. @source Go's archive/tar: maxSpecialFileSize, 1 MiB */
const SPECIAL_MAX_BYTES = 1 << 20;

const TYPES: Readonly<Record<string, TarEntryType>> = {
  '\0': 'file',
  '0': 'file',
  '7': 'file',
  S: 'file',
  '1': 'hardlink',
  '2': 'symlink',
  '3': 'character',
  '4': 'block',
  '5': 'directory',
  '6': 'fifo',
};

type State = 'header' | 'map' | 'payload' | 'special' | 'padding' | 'end';

/** A sparse file whose map is still being read. */
interface MapInProgress {
  readonly entry: TarEntry;
  readonly map: SparseMap;
  /** What the header says to follow: the map of form 1.0 with it. */
  readonly storedBytes: number;
}

/**
 * Reads one archive. Call `write` with every piece in order, then `end`. Payload pieces are passed on without a copy.
 * Reading ends at the first zero block that another zero block, or the end of input, follows.
 * @throws BAD_TAR, UNSUPPORTED_TAR, TRUNCATED_TAR and whatever the sink throws; the reader is of no use after that
 */
export class TarReader {
  readonly #sink: TarSink;
  #state: State = 'header';
  /** A header block that is not yet whole. */
  readonly #block = Buffer.alloc(BLOCK);
  #held = 0;
  #sawZeroBlock = false;
  /** Bytes still to come of the payload, special header or padding. */
  #left = 0;
  #padding = 0;
  /** Where in the file the next payload byte belongs. */
  #offset = 0;
  #segments: readonly TarSegment[] | undefined;
  /** The segment that `#offset` lies in. */
  #segment = 0;
  #mapping: MapInProgress | undefined;
  #specialType = '';
  #special: Buffer[] = [];
  #local: PaxRecords | undefined;
  #longName: ByteString | undefined;
  #longLink: ByteString | undefined;

  constructor(sink: TarSink) {
    this.#sink = sink;
  }

  /** True once the end marker was read; what follows is only passed to `frame`. */
  get ended(): boolean {
    return this.#state === 'end';
  }

  write(chunk: Buffer): void {
    let at = 0;
    while (at < chunk.length) {
      if (this.#state === 'header' || this.#state === 'map') at = this.#readBlock(chunk, at);
      else if (this.#state === 'end') {
        this.#sink.frame?.(chunk.subarray(at));
        return;
      } else at = this.#readBody(chunk, at);
    }
  }

  /** Tells that no more bytes come. */
  end(): void {
    const clean = this.#state === 'header' && this.#held === 0 && !this.#extended();
    // The bytes that fill up the last file's block may be missing. @source Go's archive/tar and dockerd 28.5
    if (!clean && this.#state !== 'end' && this.#state !== 'padding') throw truncated();
  }

  #extended(): boolean {
    return this.#local !== undefined || this.#longName !== undefined || this.#longLink !== undefined;
  }

  #readBlock(chunk: Buffer, at: number): number {
    if (this.#held === 0 && chunk.length - at >= BLOCK) {
      this.#wholeBlock(chunk.subarray(at, at + BLOCK));
      return at + BLOCK;
    }
    const taken = chunk.copy(this.#block, this.#held, at, at + BLOCK - this.#held);
    this.#held += taken;
    if (this.#held === BLOCK) {
      this.#held = 0;
      this.#wholeBlock(this.#block);
    }
    return at + taken;
  }

  #wholeBlock(block: Buffer): void {
    if (this.#state === 'map') this.#mapBlock(block);
    else this.#header(block);
  }

  #readBody(chunk: Buffer, at: number): number {
    const end = Math.min(chunk.length, at + this.#left);
    const piece = chunk.subarray(at, end);
    this.#left -= piece.length;
    if (this.#state === 'payload') this.#payload(piece);
    else {
      this.#sink.frame?.(piece);
      if (this.#state === 'special') this.#special.push(Buffer.from(piece));
    }
    if (this.#left === 0) this.#bodyEnd();
    return end;
  }

  /** Says of each piece where it belongs; one that reaches over a hole comes in parts. */
  #payload(piece: Buffer): void {
    if (!this.#segments) {
      this.#sink.data(piece, this.#offset);
      this.#offset += piece.length;
      return;
    }
    for (let at = 0; at < piece.length; ) {
      const segment = this.#segments[this.#segment];
      if (!segment) throw badHeader('a sparse map that ends before its file');
      if (this.#offset < segment.offset) this.#offset = segment.offset;
      const part = piece.subarray(at, at + segment.offset + segment.length - this.#offset);
      this.#sink.data(part, this.#offset);
      this.#offset += part.length;
      at += part.length;
      if (this.#offset === segment.offset + segment.length) this.#segment++;
    }
  }

  #bodyEnd(): void {
    if (this.#state === 'payload') this.#sink.entryEnd();
    if (this.#state === 'special') this.#applySpecial();
    this.#left = this.#padding;
    this.#padding = 0;
    this.#state = this.#left > 0 ? 'padding' : 'header';
  }

  #body(state: 'payload' | 'special', size: number): void {
    this.#state = state;
    this.#left = size;
    this.#padding = (BLOCK - (size % BLOCK)) % BLOCK;
    if (size === 0) this.#bodyEnd();
  }

  #header(block: Buffer): void {
    this.#sink.frame?.(block);
    if (isZeroBlock(block, 0)) {
      if (this.#extended()) throw badHeader('an extended header without its entry');
      if (this.#sawZeroBlock) this.#state = 'end';
      this.#sawZeroBlock = true;
      return;
    }
    if (this.#sawZeroBlock) throw badHeader('a lone zero block');
    const header = parseHeader(block);
    if ('xgLK'.includes(header.typeflag)) {
      if (header.size > SPECIAL_MAX_BYTES) throw fieldTooLong();
      this.#specialType = header.typeflag;
      this.#body('special', header.size);
      return;
    }
    const sparse = this.#local && paxSparse(this.#local);
    const entry = this.#compose(header, sparse);
    const storedBytes = entry.type === 'file' ? entry.size : 0;
    if (header.typeflag === 'S') this.#beginMap(block, entry, storedBytes);
    else if (sparse) this.#beginPaxSparse(sparse, entry, storedBytes);
    else this.#begin(entry, storedBytes);
  }

  #begin(entry: TarEntry, storedBytes: number): void {
    this.#offset = 0;
    this.#segment = 0;
    this.#segments = entry.segments;
    this.#sink.entry(entry);
    this.#body('payload', storedBytes);
  }

  #beginPaxSparse(sparse: PaxSparse, entry: TarEntry, storedBytes: number): void {
    if (entry.type !== 'file') throw badHeader('a sparse entry that is no file');
    const size = sparse.size ? paxSize(sparse.size) : storedBytes;
    if (sparse.map) {
      this.#begin({ ...entry, size, segments: checkedSegments(sparse.map, size, storedBytes) }, storedBytes);
      return;
    }
    this.#mapping = { entry: { ...entry, size }, map: mapInPayload(), storedBytes };
    this.#state = 'map';
  }

  #beginMap(block: Buffer, entry: TarEntry, storedBytes: number): void {
    const map = mapInHeader(block);
    this.#mapping = { entry: { ...entry, size: map.size }, map, storedBytes };
    if (map.more) this.#state = 'map';
    else this.#endMap();
  }

  #mapBlock(block: Buffer): void {
    this.#sink.frame?.(block);
    if (this.#mapping?.map.add(block) === false) this.#endMap();
  }

  #endMap(): void {
    if (!this.#mapping) return;
    const { entry, map, storedBytes } = this.#mapping;
    this.#mapping = undefined;
    const left = storedBytes - map.payloadBytes;
    this.#begin({ ...entry, segments: checkedSegments(map.segments, entry.size, left) }, left);
  }

  #applySpecial(): void {
    const bytes = Buffer.concat(this.#special);
    this.#special = [];
    if (this.#specialType === 'g' || this.#specialType === 'x') {
      // Each stands alone, so that no number of them adds up in memory. A global one is checked and has no effect.
      // @source Go's archive/tar and dockerd 28.5: pkg/archive Unpack ignores XGlobalHeader
      const records: PaxRecords = new Map();
      parsePax(bytes, records);
      if (this.#specialType === 'x') this.#local = records;
    } else {
      const nul = bytes.indexOf(0);
      const name = byteString(bytes, 0, nul < 0 ? bytes.length : nul);
      if (this.#specialType === 'L') this.#longName = name;
      else this.#longLink = name;
    }
  }

  /** The entry of `header` with what came before it applied. Pax wins over GNU names. */
  #compose(header: RawHeader, sparse: PaxSparse | undefined): TarEntry {
    const pax = this.#local;
    this.#local = undefined;
    const get = (key: string): Buffer | undefined => {
      const value = pax?.get(key);
      return value === undefined || value.length === 0 ? undefined : value;
    };
    const [path, link, size, uid, gid, mtime] = [
      get('path'),
      get('linkpath'),
      get('size'),
      get('uid'),
      get('gid'),
      get('mtime'),
    ];
    const named = sparse?.name ?? path;
    const name = named ? paxPath(named) : (this.#longName ?? header.name);
    const linkName = link ? paxPath(link) : (this.#longLink ?? header.linkName);
    this.#longName = undefined;
    this.#longLink = undefined;
    const type = entryType(header.typeflag, name);
    const time: TarTime = mtime ? paxTime(mtime) : { seconds: header.mtime, nanoseconds: 0 };
    return {
      type,
      name,
      linkName,
      mode: header.mode & 0o7777,
      uid: uid ? paxNumber(uid) : header.uid,
      gid: gid ? paxNumber(gid) : header.gid,
      size: type === 'file' ? (size ? paxSize(size) : header.size) : 0,
      mtime: time,
      deviceMajor: header.deviceMajor,
      deviceMinor: header.deviceMinor,
      xattrs: pax && paxXattrs(pax),
    };
  }
}

function entryType(typeflag: string, name: ByteString): TarEntryType {
  const type = TYPES[typeflag];
  if (!type) {
    throw new GantryError('invalid', 'UNSUPPORTED_TAR', `unhandled tar header type ${typeflag.charCodeAt(0)}`);
  }
  // Before POSIX a directory was a file whose name ends in a slash.
  return type === 'file' && typeflag === '\0' && name.endsWith('/') ? 'directory' : type;
}
