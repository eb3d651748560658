// Owns running at most so many pieces of work at once, first come first served.

import { cancelled, throwIfCancelled } from './abort.ts';

/** `run` starts work when fewer than `slots` are under way. */
export class Semaphore {
  #free: number;
  readonly #waiting: (() => void)[] = [];

  constructor(slots: number) {
    this.#free = slots;
  }

  /** True when work given now would have to wait. */
  get busy(): boolean {
    return this.#free === 0;
  }

  /** @throws CANCELLED when the signal fires while waiting; work that runs hears of it by itself */
  async run<T>(work: () => Promise<T>, signal: AbortSignal): Promise<T> {
    throwIfCancelled(signal);
    if (this.#free > 0) this.#free--;
    else await this.#slot(signal);
    try {
      return await work();
    } finally {
      // The slot is handed on, so that a newcomer cannot take it in between.
      const next = this.#waiting.shift();
      if (next) next();
      else this.#free++;
    }
  }

  #slot(signal: AbortSignal): Promise<void> {
    return new Promise<void>((resolve, reject) => {
      const abort = (): void => {
        this.#waiting.splice(this.#waiting.indexOf(ready), 1);
        reject(cancelled());
      };
      const ready = (): void => {
        signal.removeEventListener('abort', abort);
        resolve();
      };
      signal.addEventListener('abort', abort, { once: true });
      this.#waiting.push(ready);
    });
  }
}
