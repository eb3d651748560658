// Owns the names of objects in the bucket, both ways. Talks to no store.
//
//     <prefix>blobs/<algorithm>/<hex>        whole and verified: the shape of an OCI image layout
//     <prefix>uploads/<id>/begun             an upload was begun
//     <prefix>uploads/<id>/<offset, 16>      a part of it; names in order are the bytes in order

import { algorithmOf, type Digest, hexOf, parseAnyDigest } from '../../../spec/digest.ts';

const UPLOAD = /^[0-9a-f]{32}$/;
const PART = /^\d{16}$/;
const OFFSET_DIGITS = 16;
const MARK = 'begun';

/** What a key under `uploads/` stands for; `offset` is undefined for the mark that the upload was begun. */
interface UploadKey {
  readonly id: string;
  readonly offset: number | undefined;
}

/** The keys under one prefix, '' or ending in `/`. */
export interface Keys {
  /** Where every blob's key begins. */
  readonly blobs: string;
  /** Where every upload's keys begin. */
  readonly uploads: string;
  blob(digest: Digest): string;
  /** The digest that a key stands for, or undefined for what somebody else put there. */
  digestOf(key: string): Digest | undefined;
  /** Where the keys of one upload begin, or undefined when `id` is no upload's. */
  upload(id: string): string | undefined;
  mark(upload: string): string;
  part(upload: string, offset: number): string;
  /** What a key under `uploads` stands for, or undefined for what somebody else put there. */
  uploadOf(key: string): UploadKey | undefined;
}

/** Names objects under `prefix`. */
export function keysUnder(prefix: string): Keys {
  const blobs = `${prefix}blobs/`;
  const uploads = `${prefix}uploads/`;
  return {
    blobs,
    uploads,
    blob: (digest) => `${blobs}${algorithmOf(digest)}/${hexOf(digest)}`,
    digestOf(key) {
      const [algorithm, hex, ...more] = key.startsWith(blobs) ? key.slice(blobs.length).split('/') : [];
      return more.length === 0 ? parseAnyDigest(`${algorithm}:${hex}`) : undefined;
    },
    upload: (id) => (UPLOAD.test(id) ? `${uploads}${id}/` : undefined),
    mark: (upload) => `${upload}${MARK}`,
    part: (upload, offset) => `${upload}${String(offset).padStart(OFFSET_DIGITS, '0')}`,
    uploadOf(key) {
      const [id = '', name = '', ...more] = key.startsWith(uploads) ? key.slice(uploads.length).split('/') : [];
      if (!UPLOAD.test(id) || more.length > 0) return undefined;
      if (name === MARK) return { id, offset: undefined };
      return PART.test(name) ? { id, offset: Number(name) } : undefined;
    },
  };
}
