// Owns writing a program's log lines to a descriptor that others hold the far end of: a pipe, a journal's socket, a terminal, a file.
// Waits for no reader. Lines that cannot be written are lost, counted, and nothing else happens.

import { errno, libc } from './libc.ts';

/** @source poll(2) */
const POLLOUT = 4;
/** A pipe that is ready to be written takes this much without blocking. @source pipe(7), PIPE_BUF */
const PIECE_BYTES = 4096;
/** Kept for a reader that is slow. */
const WAITING_MOST_BYTES = 256 * 1024;
const RETRY_MS = 100;
/** At the end of the program a slow reader may take this long. */
const LAST_MS = 500;

export interface LineSink extends Disposable {
  /** Takes whole lines, each with its newline. Never throws. */
  write(line: string): void;
}

/** A whole line that reports `count` lost ones, in the format of the others. */
export type LostLine = (count: number) => string;

const lostText: LostLine = (count) =>
  `time="${new Date().toISOString()}" level=warn msg="${count} log lines were lost"\n`;

/** A sink on `fd`, which stays open. Disposing writes what waits, for half a second at most. */
export function openLineSink(fd: number, lostLine: LostLine = lostText): LineSink {
  return new DescriptorSink(fd, lostLine);
}

class DescriptorSink implements LineSink {
  readonly #fd: number;
  readonly #lostLine: LostLine;
  readonly #poll = Buffer.alloc(8);
  #waiting: Buffer = Buffer.alloc(0);
  #lost = 0;
  /** The last write failed: there is nothing to come back for until somebody writes again. */
  #broken = false;
  #timer: NodeJS.Timeout | undefined;

  constructor(fd: number, lostLine: LostLine) {
    this.#fd = fd;
    this.#lostLine = lostLine;
    this.#poll.writeInt32LE(fd, 0);
    this.#poll.writeInt16LE(POLLOUT, 4);
  }

  write(line: string): void {
    const bytes = Buffer.from(line);
    if (this.#waiting.length + bytes.length > WAITING_MOST_BYTES) this.#lost += countLines(bytes);
    else this.#waiting = this.#waiting.length === 0 ? bytes : Buffer.concat([this.#waiting, bytes]);
    this.#flush(0);
  }

  [Symbol.dispose](): void {
    clearTimeout(this.#timer);
    const endMs = performance.now() + LAST_MS;
    while (this.#waiting.length > 0 && performance.now() < endMs) this.#writeWaiting(RETRY_MS);
  }

  #flush(waitMs: number): void {
    this.#writeWaiting(waitMs);
    if (this.#waiting.length === 0) this.#reportLost();
    if (this.#broken) return;
    if (this.#waiting.length > 0 || this.#lost > 0) this.#timer ??= setTimeout(() => this.#again(), RETRY_MS).unref();
  }

  #again(): void {
    this.#timer = undefined;
    this.#flush(0);
  }

  /** Writes until all is written or the descriptor takes no more. */
  #writeWaiting(waitMs: number): void {
    while (this.#waiting.length > 0 && libc.poll(this.#poll, 1, waitMs) > 0) {
      // Also without POLLOUT (a reader that is gone): the write then says what is wrong.
      const piece = this.#waiting.subarray(0, PIECE_BYTES);
      const written = libc.write(this.#fd, piece, piece.length);
      if (written === -errno.EAGAIN) return;
      this.#broken = written < 0;
      if (written < 0) {
        this.#lost += countLines(this.#waiting);
        this.#waiting = Buffer.alloc(0);
        return;
      }
      this.#waiting = this.#waiting.subarray(written);
    }
  }

  #reportLost(): void {
    if (this.#lost === 0) return;
    const piece = Buffer.from(this.#lostLine(this.#lost));
    if (libc.poll(this.#poll, 1, 0) > 0 && libc.write(this.#fd, piece, piece.length) === piece.length) this.#lost = 0;
  }
}

function countLines(bytes: Buffer): number {
  let lines = 0;
  for (let at = bytes.indexOf(0x0a); at >= 0; at = bytes.indexOf(0x0a, at + 1)) lines++;
  return lines;
}
