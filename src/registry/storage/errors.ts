// Owns what goes wrong in a store, by the specification's codes. Decides nothing.

import { GantryError } from '../../lib/errors.ts';
import type { Digest } from '../../spec/digest.ts';

/** @returns NO_SUCH_BLOB */
export function noSuchBlob(digest: Digest): GantryError {
  return new GantryError('notFound', 'NO_SUCH_BLOB', `content ${digest} is not in the store`, { params: { digest } });
}

/** @returns NO_SUCH_UPLOAD */
export function noSuchUpload(id: string): GantryError {
  return new GantryError('notFound', 'NO_SUCH_UPLOAD', `there is no upload ${id.slice(0, 64)}`);
}

/** @returns BLOB_TOO_LARGE */
export function tooLarge(digest: Digest, maxBytes: number): GantryError {
  return new GantryError('invalid', 'BLOB_TOO_LARGE', `content ${digest} is over ${maxBytes} bytes`);
}

/** @returns SIZE_INVALID */
export function uploadTooLarge(maxBytes: number): GantryError {
  return new GantryError('exhausted', 'SIZE_INVALID', `the upload is over ${maxBytes} bytes`, { params: { maxBytes } });
}

/** @returns DIGEST_INVALID */
export function digestMismatch(wanted: Digest, got: Digest): GantryError {
  const message = `provided digest ${wanted} does not match the uploaded content: got ${got}`;
  return new GantryError('invalid', 'DIGEST_INVALID', message, { params: { wanted, got } });
}

/** @returns RANGE_INVALID with `sizeBytes`, where the next piece must begin */
export function outOfOrder(offsetBytes: number, sizeBytes: number): GantryError {
  const message = `the piece begins at byte ${offsetBytes}, the upload has ${sizeBytes} bytes`;
  return new GantryError('conflict', 'RANGE_INVALID', message, { params: { offsetBytes, sizeBytes } });
}

const FULL = new Set(['ENOSPC', 'EDQUOT', 'EFBIG']);

/** Runs `act`; a full disk becomes DISK_FULL (exhausted). */
export async function withDiskFull<T>(act: () => Promise<T>): Promise<T> {
  try {
    return await act();
  } catch (cause) {
    if (!FULL.has(String((cause as { code?: unknown }).code))) throw cause;
    throw new GantryError('exhausted', 'DISK_FULL', 'cannot store content: no space left on device', { cause });
  }
}
