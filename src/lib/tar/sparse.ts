// Owns the forms in which a tar says that a file has holes: GNU's own header, and its three pax forms. Pure.
// Refuses maps that do not fit the file, and forms that nobody has defined.

import { badHeader, unsupported } from './errors.ts';
import { BLOCK, headerNumber } from './header.ts';
import type { PaxRecords } from './pax.ts';
import type { TarSegment } from './types.ts';

/** Longest map that is read. @source the same bound as for other extended headers */
const MAP_MAX_BYTES = 1 << 20;
const OLD_ENTRY_BYTES = 24;

/** Reads a map that comes in blocks; `add` answers true when it wants another. */
export interface SparseMap {
  readonly segments: TarSegment[];
  /** Bytes of the map that lie in the payload. */
  readonly payloadBytes: number;
  add(block: Buffer): boolean;
}

/** What pax records say of a sparse file. `map` is undefined when the map stands at the beginning of the payload. */
export interface PaxSparse {
  readonly name: Buffer | undefined;
  readonly size: Buffer | undefined;
  readonly map: readonly TarSegment[] | undefined;
}

/** The sparse file that `records` describe; undefined when they describe none. @throws BAD_TAR, UNSUPPORTED_TAR */
export function paxSparse(records: PaxRecords): PaxSparse | undefined {
  const text = (key: string): string => records.get(`GNU.sparse.${key}`)?.toString('latin1') ?? '';
  const version = `${text('major')}.${text('minor')}`;
  const map = text('map');
  // The forms 0.0 and 0.1 need not name their version.
  if (version === '.' && map === '') {
    if (text('numblocks') === '') return undefined;
  } else if (!['.', '0.0', '0.1', '1.0'].includes(version)) throw unsupported(`a sparse file of format ${version}`);
  const segments = version === '1.0' ? undefined : parsePairs(map, text('numblocks'));
  const size = records.get('GNU.sparse.size') ?? records.get('GNU.sparse.realsize');
  return { name: records.get('GNU.sparse.name'), size, map: segments };
}

/** `offset,length,offset,length…`, as many pairs as `count` says. */
function parsePairs(map: string, count: string): readonly TarSegment[] {
  const numbers = map === '' ? [] : map.split(',').map(decimal);
  if (decimal(count) * 2 !== numbers.length) throw badHeader('a sparse map of another length than said');
  return pairs(numbers);
}

/** The map of form 1.0: lines of decimal numbers before the payload, filled up to whole blocks. */
export function mapInPayload(): SparseMap {
  const segments: TarSegment[] = [];
  const blocks: Buffer[] = [];
  let lines = 0;
  let wanted: number | undefined;
  return {
    segments,
    get payloadBytes() {
      return blocks.length * BLOCK;
    },
    add(block) {
      blocks.push(Buffer.from(block));
      if (blocks.length * BLOCK > MAP_MAX_BYTES) throw badHeader('a sparse map of over 1 MiB');
      for (const byte of block) if (byte === 0x0a) lines++;
      if (wanted === undefined && lines > 0) wanted = 1 + 2 * decimal(linesOf(blocks)[0] ?? '');
      if (wanted === undefined || lines < wanted) return true;
      segments.push(...pairs(linesOf(blocks).slice(1, wanted).map(decimal)));
      return false;
    },
  };
}

function linesOf(blocks: readonly Buffer[]): readonly string[] {
  return Buffer.concat(blocks).toString('latin1').split('\n');
}

/** GNU's own map: four pairs in the header, and 21 in each block that follows while there are more. */
export function mapInHeader(header: Buffer): SparseMap & { readonly more: boolean; readonly size: number } {
  const segments = oldPairs(header, 386, 4);
  let bytes = 0;
  return {
    segments,
    payloadBytes: 0,
    more: header[482] !== 0,
    size: headerNumber(header, 483, 12),
    add(block) {
      bytes += BLOCK;
      if (bytes > MAP_MAX_BYTES) throw badHeader('a sparse map of over 1 MiB');
      segments.push(...oldPairs(block, 0, 21));
      return block[504] !== 0;
    },
  };
}

function oldPairs(block: Buffer, at: number, count: number): TarSegment[] {
  const found: TarSegment[] = [];
  for (let i = 0; i < count; i++) {
    const start = at + i * OLD_ENTRY_BYTES;
    // The first pair without an offset ends the list.
    if (block[start] === 0) break;
    found.push({ offset: headerNumber(block, start, 12), length: headerNumber(block, start + 12, 12) });
  }
  return found;
}

function pairs(numbers: readonly number[]): TarSegment[] {
  const found: TarSegment[] = [];
  for (let i = 0; i < numbers.length; i += 2) found.push({ offset: numbers[i] ?? 0, length: numbers[i + 1] ?? 0 });
  return found;
}

function decimal(text: string): number {
  const number = Number(text);
  if (!/^\d{1,16}$/.test(text) || !Number.isSafeInteger(number)) throw badHeader('a sparse map holds no number');
  return number;
}

/** The stored parts in order, without empty ones. @throws BAD_TAR when they overlap, leave the file or are not `storedBytes` together */
export function checkedSegments(
  segments: readonly TarSegment[],
  sizeBytes: number,
  storedBytes: number,
): readonly TarSegment[] {
  let end = 0;
  let stored = 0;
  for (const { offset, length } of segments) {
    if (offset < end || length < 0 || offset + length > sizeBytes) throw badHeader('a sparse map that does not fit');
    end = offset + length;
    stored += length;
  }
  if (stored !== storedBytes) throw badHeader('a sparse map of another size than the payload');
  return segments.filter(({ length }) => length > 0);
}
