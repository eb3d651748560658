// Owns remembering that an origin failed: for a while it is not asked again, longer each time. Asks nobody. Pure but for the clock.

const FIRST_MS = 1000;
const LONGEST_MS = 60_000;
/** An origin may ask for much longer than anybody should wait for it. */
const ASKED_MAX_MS = 3_600_000;

/** The last failures of one origin at one kind of request. */
export class Breaker {
  readonly #now: () => number;
  #failures = 0;
  #untilMs = 0;
  #error: unknown;

  constructor(now: () => number) {
    this.#now = now;
  }

  /** True since a failure that no success has followed. */
  get hasFailed(): boolean {
    return this.#failures > 0;
  }

  /** The failure that stands while the origin is left alone, and for how much longer; undefined when it may be asked. */
  get pause(): { readonly error: unknown; readonly leftMs: number } | undefined {
    const leftMs = this.#untilMs - this.#now();
    return leftMs > 0 ? { error: this.#error, leftMs } : undefined;
  }

  succeeded(): void {
    this.#failures = 0;
    this.#untilMs = 0;
    this.#error = undefined;
  }

  /** `askedMs`: the origin said for how long it wants to be left alone. */
  failed(error: unknown, askedMs: number | undefined): void {
    const ownMs = Math.min(FIRST_MS * 2 ** Math.min(this.#failures, 10), LONGEST_MS);
    this.#failures++;
    this.#error = error;
    this.#untilMs = this.#now() + (askedMs === undefined ? ownMs : Math.min(askedMs, ASKED_MAX_MS));
  }
}
