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
  // A failure that is no longer awaited must not count as an unhandled one.
  work.catch(() => {});
  signal.addEventListener('abort', abort, { once: true });
  try {
    throwIfCancelled(signal);
    return await Promise.race([work, promise]);
  } finally {
    signal.removeEventListener('abort', abort);
  }
}

/** The items of `source` until the signal fires; a source in mid-wait is left to itself then. @throws CANCELLED, and what `source` throws */
export async function* itemsUntilCancelled<T>(
  source: AsyncIterable<T>,
  signal: AbortSignal,
): AsyncGenerator<T, void, void> {
  const items = source[Symbol.asyncIterator]();
  try {
    for (;;) {
      const next = await untilCancelled(items.next(), signal);
      if (next.done) return;
      yield next.value;
    }
  } finally {
    // Not awaited: one that waits answers only when it has something.
    items.return?.().catch(() => {});
  }
}
