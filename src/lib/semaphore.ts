// Owns running at most so many pieces of work at once, first come first served.

import { cancelled, throwIfCancelled } from './abort.ts';

/** `run` starts work when fewer than `slots` are under way. */
export class Semaphore {
  #slots: number;
  /** Less than 0 while more is under way than a smaller number of slots allows. */
  #free: number;
  readonly #waiting: (() => void)[] = [];

  constructor(slots: number) {
    this.#slots = slots;
    this.#free = slots;
  }

  /** From now on `slots` at once. */
  resize(slots: number): void {
    this.#free += slots - this.#slots;
    this.#slots = slots;
    for (; this.#free > 0 && this.#waiting.length > 0; this.#free--) this.#waiting.shift()?.();
  }

  /** True when work given now would have to wait. */
  get busy(): boolean {
    return this.#free <= 0;
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
      const next = this.#free >= 0 ? this.#waiting.shift() : undefined;
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
