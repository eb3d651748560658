// Owns the question whether a store can be reached. Writes nothing.

import { digestBytes } from './hashing.ts';
import type { Storage } from './types.ts';

const PATIENCE_MS = 5000;
/** Need not be there. */
const NOBODYS = digestBytes('sha256', Buffer.from('a check of health'));

/** @throws Error when the store cannot be reached, or not in time */
export async function checkStorage(storage: Storage): Promise<void> {
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<never>((_, reject) => {
    timer = setTimeout(() => reject(new Error(`no answer in ${PATIENCE_MS} ms`)), PATIENCE_MS);
  });
  try {
    await Promise.race([storage.size(NOBODYS), late]);
  } finally {
    clearTimeout(timer);
  }
}
