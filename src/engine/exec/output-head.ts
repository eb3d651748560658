// Owns collecting the first bytes of a process's framed output from its shim, and the connection on which they come.

import { once } from 'node:events';
import type { Duplex } from 'node:stream';
import { within } from '../../lib/within.ts';
import { createFrameDecoder } from '../../spec/stream/frames.ts';

/** The shim closes the stream after the last byte; one that does not is not waited for. */
const LAST_BYTES_MS = 3000;

/** Reads `stream` to its end and keeps the first `mostBytes` of what stdout and stderr carried, in the order in which they came. */
export class OutputHead implements Disposable {
  readonly #stream: Duplex;
  readonly #parts: Buffer[] = [];
  readonly #closed: Promise<unknown>;
  #room: number;

  constructor(stream: Duplex, mostBytes: number) {
    this.#stream = stream;
    this.#room = mostBytes;
    this.#closed = once(stream, 'close').catch(() => undefined);
    const decoder = createFrameDecoder();
    stream.on('data', (chunk: Buffer) => {
      for (const { payload } of decoder.push(chunk)) this.#keep(payload);
    });
    // The connection allows half-closes: both halves must be ended.
    stream.once('end', () => stream.destroy());
    stream.on('error', () => undefined);
  }

  /** Resolves when all output has come, or after a few seconds without its end. */
  async complete(): Promise<void> {
    await within(this.#closed, LAST_BYTES_MS);
  }

  text(): string {
    return Buffer.concat(this.#parts).toString();
  }

  [Symbol.dispose](): void {
    this.#stream.destroy();
  }

  #keep(payload: Uint8Array): void {
    if (this.#room === 0) return;
    const part = Buffer.from(payload.subarray(0, this.#room));
    this.#parts.push(part);
    this.#room -= part.length;
  }
}
