// Owns work that is done from time to time: never twice at once, ended in order, and never what keeps a process alive. Keeps nothing.

export interface PeriodicOptions {
  /** Between the end of one run and the next; 0: only when asked. */
  readonly everyMs: number;
  /** From `start` to the first run; everyMs when it is not given. */
  readonly firstMs?: number | undefined;
  readonly run: (signal: AbortSignal) => Promise<unknown> | unknown;
  /** Hears of runs that failed; the next one comes all the same. */
  readonly onError: (error: unknown) => void;
}

/** A background activity. Disposing it aborts a run that is under way and waits for its end. */
export class Periodic implements AsyncDisposable {
  readonly #options: PeriodicOptions;
  readonly #aborter = new AbortController();
  #timer: NodeJS.Timeout | undefined;
  /** When the timer rings, by performance.now(). */
  #atMs = Number.POSITIVE_INFINITY;
  #running: Promise<void> | undefined;
  /** Asked for during a run: so long after it. */
  #againMs: number | undefined;
  #isStarted = false;

  constructor(options: PeriodicOptions) {
    this.#options = options;
  }

  start(): this {
    const { everyMs, firstMs = everyMs } = this.#options;
    this.#isStarted = true;
    if (this.#options.firstMs !== undefined || everyMs > 0) this.#ringIn(firstMs);
    return this;
  }

  /** Runs within `delayMs`, or sooner where it would have; after a run that is under way, once more. */
  soon(delayMs = 0): void {
    if (!this.#isStarted) return;
    if (this.#running) this.#againMs = Math.min(this.#againMs ?? Number.POSITIVE_INFINITY, delayMs);
    else this.#ringIn(delayMs);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#isStarted = false;
    clearTimeout(this.#timer);
    this.#aborter.abort();
    await this.#running;
  }

  #ringIn(ms: number): void {
    const atMs = performance.now() + ms;
    if (atMs >= this.#atMs) return;
    clearTimeout(this.#timer);
    this.#atMs = atMs;
    this.#timer = setTimeout(() => this.#ring(), ms).unref();
  }

  #ring(): void {
    this.#atMs = Number.POSITIVE_INFINITY;
    this.#running = this.#once().finally(() => {
      this.#running = undefined;
      if (!this.#isStarted) return;
      if (this.#options.everyMs > 0) this.#ringIn(this.#options.everyMs);
      if (this.#againMs !== undefined) this.#ringIn(this.#againMs);
      this.#againMs = undefined;
    });
  }

  async #once(): Promise<void> {
    try {
      await this.#options.run(this.#aborter.signal);
    } catch (error) {
      if (!this.#aborter.signal.aborted) this.#options.onError(error);
    }
  }
}
