// Owns reading what distribution requests say in parameters, queries and headers. Pure.

import { GantryError } from '../../lib/errors.ts';
import { type Digest, parseAnyDigest } from '../../spec/digest.ts';
import { isTagName } from '../../spec/oci/names.ts';
import type { ByteRange } from '../storage/types.ts';

/** @throws DIGEST_INVALID */
export function digestOf(text: string | undefined | null): Digest {
  const digest = parseAnyDigest(text ?? '');
  if (digest) return digest;
  throw new GantryError('invalid', 'DIGEST_INVALID', 'the digest is no sha256 or sha512 digest', {
    params: { digest: (text ?? '').slice(0, 200) },
  });
}

/** A tag or digest. @throws DIGEST_INVALID, MANIFEST_INVALID for what is no tag (MANIFEST_UNKNOWN when only asked for) */
export function referenceOf(text: string, isForPut: boolean): string {
  if (text.includes(':')) return digestOf(text);
  if (isForPut || isTagName(text)) return tagOf(text);
  throw new GantryError('notFound', 'MANIFEST_UNKNOWN', 'manifest unknown', {
    params: { reference: text.slice(0, 200) },
  });
}

/** @throws TAG_INVALID */
export function tagOf(text: string): string {
  if (isTagName(text)) return text;
  throw new GantryError('invalid', 'TAG_INVALID', 'the tag is not of the form [\\w][\\w.-]{0,127}', {
    params: { reference: text.slice(0, 200) },
  });
}

/** A page size of at most `max`. @throws PAGINATION_NUMBER_INVALID */
export function limitOf(text: string | null, max: number): number {
  if (text === null) return max;
  if (!/^\d{1,15}$/.test(text)) {
    throw new GantryError('invalid', 'PAGINATION_NUMBER_INVALID', 'n is not a number of 0 or more', {
      params: { n: text.slice(0, 40) },
    });
  }
  return Math.min(Number(text), max);
}

/**
 * The one range that a Range header asks of `sizeBytes` bytes. `none`: the whole is to be sent (no header, several ranges, other units).
 * @source RFC 9110, section 14
 */
export function rangeOf(header: string | undefined, sizeBytes: number): ByteRange | 'none' | 'unsatisfiable' {
  const match = header === undefined ? null : /^bytes=(\d{0,16})-(\d{0,16})$/.exec(header.trim());
  if (!match || (match[1] === '' && match[2] === '')) return 'none';
  const [, first = '', last = ''] = match;
  if (first === '') {
    const length = Math.min(Number(last), sizeBytes);
    return length === 0 ? 'unsatisfiable' : { start: sizeBytes - length, end: sizeBytes };
  }
  const start = Number(first);
  if (last !== '' && Number(last) < start) return 'none';
  if (start >= sizeBytes) return 'unsatisfiable';
  return { start, end: last === '' ? sizeBytes : Math.min(Number(last) + 1, sizeBytes) };
}

/** `start-end` of an upload piece, both inclusive. @source OCI distribution specification 1.1, pushing a blob in chunks */
export function contentRangeOf(
  header: string | undefined,
): { readonly start: number; readonly length: number } | undefined {
  if (header === undefined) return undefined;
  const match = /^(?:bytes[ =])?(\d{1,16})-(\d{1,16})(?:\/(?:\*|\d{1,16}))?$/.exec(header.trim());
  const start = Number(match?.[1]);
  const length = Number(match?.[2]) - start + 1;
  if (match && length >= 0) return { start, length };
  throw new GantryError('invalid', 'RANGE_INVALID', 'the Content-Range is not of the form start-end', {
    params: { contentRange: header.slice(0, 100) },
  });
}
