// Owns giving memory back to the machine once the daemon is quiet. Never runs while requests do.

import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import { libc } from '../host/libc.ts';

/** Looked at this often; acts once in each quiet time. */
const CHECK_MS = 2000;
/** Below this there is nothing to gain. */
const ENOUGH_BYTES = 80 * 1024 * 1024;

/**
 * Collects garbage and trims the allocator when `busy` has not been called for a while: both keep what a burst (a pull, 100 MB of
 * output) made them take, for ever if nothing is allocated afterwards.
 */
export function trimWhenIdle(): { readonly busy: () => void } & Disposable {
  setFlagsFromString('--expose-gc');
  const collect = runInNewContext('gc') as () => void;
  let active = true;
  let trimmed = true;
  const timer = setInterval(() => {
    if (!active && !trimmed && process.memoryUsage.rss() > ENOUGH_BYTES) {
      collect();
      libc.mallocTrim();
      trimmed = true;
    }
    active = false;
  }, CHECK_MS);
  timer.unref();
  return {
    busy() {
      active = true;
      trimmed = false;
    },
    [Symbol.dispose]: () => clearInterval(timer),
  };
}
