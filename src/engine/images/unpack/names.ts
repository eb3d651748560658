// Owns the names of a layer's entries: cleaned, kept inside the root, whiteouts recognised. Pure.

import { type ByteString, textOf } from '../../../lib/bytes.ts';
import { GantryError } from '../../../lib/errors.ts';

/** Anything that cleaning would change: empty, `.` and `..` components, outer slashes. */
const UNCLEAN = /(^|\/)\.{0,2}(\/|$)/;

/**
 * `name` relative to the root, without `.`, `..`, empty components and outer slashes; '' is the root itself.
 * An absolute name is taken from the root, as Docker does.
 * @throws TAR_OUTSIDE when it climbs out, in the words of dockerd 28.5
 */
export function cleanName(name: ByteString, what = 'entry name'): ByteString {
  if (name.includes('\0')) throw new GantryError('invalid', 'BAD_TAR', 'archive/tar: invalid tar header');
  if (!UNCLEAN.test(name)) return name;
  const kept: string[] = [];
  for (const part of name.split('/')) {
    if (part === '' || part === '.') continue;
    if (part !== '..') kept.push(part);
    else if (kept.pop() === undefined) {
      throw new GantryError('invalid', 'TAR_OUTSIDE', `invalid ${what} ${JSON.stringify(textOf(name))}`);
    }
  }
  return kept.join('/') as ByteString;
}

/** Parent ('' is the root) and last component of a clean name. */
export function splitClean(name: ByteString): { readonly parent: ByteString; readonly base: ByteString } {
  const slash = name.lastIndexOf('/');
  return {
    parent: (slash < 0 ? '' : name.slice(0, slash)) as ByteString,
    base: name.slice(slash + 1) as ByteString,
  };
}

export type Whiteout =
  | { readonly kind: 'opaque' } // the whole directory hides what is below
  | { readonly kind: 'hides'; readonly base: ByteString } // one name is hidden
  | { readonly kind: 'metadata' }; // AUFS's own files: of no meaning here

/**
 * What a `.wh.` name asks for; undefined for ordinary names.
 * @source OCI image specification 1.1, layer.md, Whiteouts
 * @throws TAR_OUTSIDE for a whiteout of `.`, `..` or nothing
 */
export function whiteoutOf(base: ByteString): Whiteout | undefined {
  if (!base.startsWith('.wh.')) return undefined;
  if (base === '.wh..wh..opq') return { kind: 'opaque' };
  if (base.startsWith('.wh..wh.')) return { kind: 'metadata' };
  const hidden = base.slice(4) as ByteString;
  if (hidden === '' || hidden === '.' || hidden === '..') {
    throw new GantryError('invalid', 'TAR_OUTSIDE', `invalid whiteout entry ${JSON.stringify(textOf(base))}`);
  }
  return { kind: 'hides', base: hidden };
}
