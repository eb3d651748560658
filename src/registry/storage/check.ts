// Owns the health check of a store: whether it answers. Writes nothing.

import { digestBytes } from './hashing.ts';
import type { StorageReader } from './types.ts';

const TIMEOUT_MS = 5000;
/** Any digest will do: the blob need not exist. */
const PROBE = digestBytes('sha256', Buffer.from('a check of health'));

/** @throws Error when the store cannot be reached, or does not answer in time */
export async function checkStorage(storage: StorageReader): Promise<void> {
  let timer: NodeJS.Timeout | undefined;
  const timeout = new Promise<never>((_, reject) => {
    timer = setTimeout(() => reject(new Error(`no answer in ${TIMEOUT_MS} ms`)), TIMEOUT_MS);
  });
  try {
    await Promise.race([storage.size(PROBE), timeout]);
  } finally {
    clearTimeout(timer);
  }
}
