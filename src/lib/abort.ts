// Owns what a call fails with that was called off, and waiting that ends when it is.

import { GantryError } from './errors.ts';

/** @source what dockerd 28.5 says when the client leaves */
export function cancelled(): GantryError {
  return new GantryError('cancelled', 'CANCELLED', 'context canceled');
}

/** @throws CANCELLED when the signal has fired */
export function throwIfCancelled(signal: AbortSignal): void {
  if (signal.aborted) throw cancelled();
}

/** The result of `work`, which goes on by itself when the signal fires. @throws CANCELLED then, and what `work` throws */
export async function untilCancelled<T>(work: Promise<T>, signal: AbortSignal): Promise<T> {
  const { promise, reject } = Promise.withResolvers<never>();
  const abort = (): void => reject(cancelled());
  signal.addEventListener('abort', abort, { once: true });
  try {
    throwIfCancelled(signal);
    return await Promise.race([work, promise]);
  } finally {
    signal.removeEventListener('abort', abort);
  }
}
