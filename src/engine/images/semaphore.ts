// Owns running at most so many pieces of work at once, first come first served.

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

  async run<T>(work: () => Promise<T>): Promise<T> {
    if (this.#free > 0) this.#free--;
    else await new Promise<void>((resolve) => this.#waiting.push(resolve));
    try {
      return await work();
    } finally {
      // The slot is handed on, so that a newcomer cannot take it in between.
      const next = this.#free >= 0 ? this.#waiting.shift() : undefined;
      if (next) next();
      else this.#free++;
    }
  }
}
