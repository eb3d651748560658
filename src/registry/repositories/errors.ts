// Owns the errors of repositories, with the specification's codes. Decides nothing.
// @source OCI distribution specification 1.1, "Error Codes"

import { GantryError } from '../../lib/errors.ts';
import type { Digest } from '../../spec/digest.ts';

/** @returns NAME_UNKNOWN */
export function nameUnknown(repository: string): GantryError {
  return new GantryError('notFound', 'NAME_UNKNOWN', 'repository name not known to registry', {
    params: { name: repository },
  });
}

/** @returns MANIFEST_UNKNOWN */
export function manifestUnknown(repository: string, reference: string): GantryError {
  return new GantryError('notFound', 'MANIFEST_UNKNOWN', 'manifest unknown', {
    params: { name: repository, reference },
  });
}

/** @returns BLOB_UNKNOWN */
export function blobUnknown(digest: Digest): GantryError {
  return new GantryError('notFound', 'BLOB_UNKNOWN', 'blob unknown to registry', { params: { digest } });
}

/** @returns MANIFEST_BLOB_UNKNOWN */
export function manifestBlobUnknown(digest: Digest): GantryError {
  const message = 'manifest references a manifest or blob unknown to registry';
  return new GantryError('notFound', 'MANIFEST_BLOB_UNKNOWN', message, { params: { digest } });
}

/** @returns BLOB_UPLOAD_UNKNOWN */
export function uploadUnknown(id: string): GantryError {
  return new GantryError('notFound', 'BLOB_UPLOAD_UNKNOWN', 'blob upload unknown to registry', {
    params: { upload: id.slice(0, 64) },
  });
}

/** @returns UNSUPPORTED: an index with these tags needs the manifest */
export function manifestInUse(digest: Digest, tags: readonly string[]): GantryError {
  const message = `an index that is tagged ${tags.join(', ')} needs this manifest`;
  return new GantryError('notImplemented', 'UNSUPPORTED', message, {
    params: { digest },
    hint: 'delete the tag or the index first, or say ?force=true (gantry registry rm --force)',
  });
}

/** @returns UNSUPPORTED: a manifest of the repository needs the blob */
export function blobInUse(digest: Digest): GantryError {
  return new GantryError('notImplemented', 'UNSUPPORTED', 'a manifest of the repository needs this blob', {
    params: { digest },
    hint: 'delete the manifest; its blobs go with it',
  });
}
