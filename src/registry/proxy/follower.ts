// Owns what one reader gets of a blob while it is being stored: live as long as it keeps up, out of the store when it does not.
// The end always comes out of the store: nobody is sent the whole of something that turns out not to be what its digest says.

import type { Readable } from 'node:stream';

/** Of what a reader is behind at most, in memory; then the store takes over. */
const LAG_MAX_BYTES = 8 << 20;

/** One reader. Whoever stores the blob pushes pieces and never waits. */
export class Follower {
  #waiting: Buffer[] = [];
  #waitingBytes = 0;
  /** No more pieces are taken: the reader fell behind, went away, or there are none. */
  #isClosed = false;
  #wake: (() => void) | undefined;

  push(piece: Buffer): void {
    if (this.#isClosed) return;
    this.#waiting.push(piece);
    this.#waitingBytes += piece.length;
    if (this.#waitingBytes > LAG_MAX_BYTES) this.#isClosed = true;
    this.#wake?.();
  }

  /** No more pieces come. */
  end(): void {
    this.#isClosed = true;
    this.#wake?.();
  }

  /** All of the blob. `rest` resolves, when it is stored, to what comes from an offset on; its error ends the reading. */
  async *read(rest: (offset: number) => Promise<Readable>): AsyncGenerator<Buffer> {
    let sent = 0;
    try {
      for (;;) {
        // All but the last piece: the end is the store's.
        const piece = this.#waiting.length > 1 ? this.#waiting.shift() : undefined;
        if (piece) {
          this.#waitingBytes -= piece.length;
          sent += piece.length;
          yield piece;
        } else if (this.#isClosed) break;
        else await this.#pushed();
      }
    } finally {
      this.end();
      this.#waiting = [];
    }
    yield* (await rest(sent)) as AsyncIterable<Buffer>;
  }

  #pushed(): Promise<void> {
    return new Promise((resolve) => {
      this.#wake = resolve;
    });
  }
}
