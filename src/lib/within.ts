// Owns waiting for something no longer than a given time.

/** True when `promise` resolved within `ms` milliseconds; undefined waits for as long as it takes. Rejects as `promise` does. */
export async function within(promise: Promise<unknown>, ms: number | undefined): Promise<boolean> {
  if (ms === undefined) {
    await promise;
    return true;
  }
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<boolean>((resolve) => {
    timer = setTimeout(() => resolve(false), ms);
  });
  try {
    return await Promise.race([promise.then(() => true), late]);
  } finally {
    clearTimeout(timer);
  }
}

/** The items of `source`, each within `ms` milliseconds of the one before. @throws `late()` otherwise, and what `source` throws */
export async function* itemsInTime<T>(
  source: AsyncIterable<T>,
  ms: number,
  late: () => Error,
): AsyncGenerator<T, void, void> {
  const items = source[Symbol.asyncIterator]();
  try {
    for (;;) {
      const next = items.next();
      if (!(await within(next, ms))) throw late();
      const { done, value } = await next;
      if (done) return;
      yield value;
    }
  } finally {
    void items.return?.().catch(() => undefined);
  }
}
