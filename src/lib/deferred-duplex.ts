// Owns a duplex stream that may be used before the stream behind it exists. Copies no more than Node's pipes do.

import { Duplex } from 'node:stream';

/** Looks at bytes on their way in; returns what goes on, or undefined to end the stream. */
export type InputFilter = (chunk: Buffer) => Buffer | undefined;

/** Reads and writes are held until `connect`; then both sides flow with back-pressure, half-closes included. */
export class DeferredDuplex extends Duplex {
  #target: Duplex | undefined;
  #waiting: (() => void) | undefined;
  #wanted: (() => void) | undefined;
  readonly #filter: InputFilter | undefined;

  constructor(filter?: InputFilter) {
    super({ allowHalfOpen: true });
    this.#filter = filter;
  }

  /**
   * Puts `target` behind this stream. Bytes passed to `push` before come first. Readers see the end only once `settled` has
   * resolved, so that whoever asks for the outcome after the end finds it.
   */
  connect(target: Duplex, settled: Promise<unknown> = Promise.resolve()): void {
    if (this.destroyed) {
      target.destroy();
      return;
    }
    this.#target = target;
    target.on('data', (chunk: Buffer) => {
      if (!this.push(chunk)) target.pause();
    });
    let over = false;
    const finish = (): void => {
      if (over) return;
      over = true;
      void settled.finally(() => this.push(null));
    };
    target.once('end', finish);
    target.once('close', finish);
    target.once('error', (error) => this.destroy(error));
    this.#waiting?.();
    this.#waiting = undefined;
  }

  /** Output to be read before the target's, as fast as it is read. Resolves when all was taken, or nobody reads any more. */
  async replay(chunks: AsyncIterable<Uint8Array>): Promise<void> {
    for await (const chunk of chunks) {
      if (this.destroyed) return;
      if (this.push(chunk)) continue;
      await new Promise<void>((resolve) => {
        this.#wanted = resolve;
      });
    }
  }

  override _read(): void {
    this.#wanted?.();
    this.#wanted = undefined;
    this.#target?.resume();
  }

  override _write(chunk: Buffer, _encoding: BufferEncoding, done: (error?: Error | null) => void): void {
    this.#whenConnected((target) => {
      const passed = this.#filter ? this.#filter(chunk) : chunk;
      if (passed === undefined) {
        target.destroy();
        this.push(null);
        done();
      } else if (target.destroyed || passed.length === 0) done();
      else target.write(passed, () => done());
    });
  }

  override _final(done: (error?: Error | null) => void): void {
    this.#whenConnected((target) => {
      if (target.destroyed) done();
      else target.end(() => done());
    });
  }

  override _destroy(error: Error | null, done: (error?: Error | null) => void): void {
    this.#target?.destroy();
    this.#waiting = undefined;
    this.#wanted?.();
    done(error);
  }

  #whenConnected(act: (target: Duplex) => void): void {
    if (this.#target) act(this.#target);
    else {
      this.#waiting = () => {
        if (this.#target) act(this.#target);
      };
    }
  }
}
