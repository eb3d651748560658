// The face of storage: opens the driver that the configuration names.

import type { StorageConfig } from '../config/types.ts';
import { openFileStorage } from './filesystem/filesystem.ts';
import type { Storage } from './types.ts';

export { checkStorage } from './check.ts';
export { digestMismatch, uploadTooLarge } from './errors.ts';
export { digestBytes, digestOfHash } from './hashing.ts';

/** Opens the store: files under `root`, or a bucket, whose client is loaded only then. @throws UNAVAILABLE */
export async function openStorage(config: StorageConfig, root: string): Promise<Storage> {
  if (config.kind === 'filesystem') return openFileStorage(root);
  const { openS3Storage } = await import('./s3/s3.ts');
  return openS3Storage(config);
}
