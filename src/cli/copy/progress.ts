// Owns what `cp` tells on stderr while bytes go by, and at its end.

import { humanSize } from '../render/units.ts';
import type { OutputStream } from '../session.ts';

const UPDATE_MS = 75;
const [SAVE, RESTORE, ERASE_LINE, HIDE, SHOW] = ['\x1b7', '\x1b8', '\x1b[2K', '\x1b[?25l', '\x1b[?25h'];

/** Counts what a copy carries, and on a terminal shows it. Disposing gives the terminal's line back. */
export class CopyProgress implements Disposable {
  #bytes = 0;
  #shown = 0;
  readonly #output: OutputStream;
  readonly #header: string;
  readonly #timer: NodeJS.Timeout | undefined;
  readonly #interrupted = (signal: NodeJS.Signals): void => {
    this[Symbol.dispose]();
    process.kill(process.pid, signal);
  };

  /** `direction`: whose end the container is. */
  constructor(output: OutputStream, direction: 'to' | 'from') {
    this.#output = output;
    this.#header = `Copying ${direction} container - `;
    if (!output.isTTY) return;
    output.write(`${SAVE}${HIDE}`);
    this.#draw();
    this.#timer = setInterval(() => {
      if (this.#bytes !== this.#shown) this.#draw();
    }, UPDATE_MS);
    process.once('SIGINT', this.#interrupted).once('SIGTERM', this.#interrupted);
  }

  readonly add = (bytes: number): void => {
    this.#bytes += bytes;
  };

  /** The pieces of `source`, counted. */
  async *counted(source: AsyncIterable<Buffer>): AsyncGenerator<Buffer, void, void> {
    for await (const piece of source) {
      this.add(piece.length);
      yield piece;
    }
  }

  /** The last line, once the terminal is given back. */
  summary(target: string): string {
    return `Successfully copied ${humanSize(this.#bytes)} to ${target}`;
  }

  [Symbol.dispose](): void {
    if (this.#timer === undefined) return;
    clearInterval(this.#timer);
    process.off('SIGINT', this.#interrupted).off('SIGTERM', this.#interrupted);
    this.#output.write(`${SHOW}${RESTORE}${ERASE_LINE}`);
  }

  #draw(): void {
    this.#shown = this.#bytes;
    this.#output.write(`${RESTORE}${ERASE_LINE}${this.#header}${humanSize(this.#shown)}`);
  }
}
