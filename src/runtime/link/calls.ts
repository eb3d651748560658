// Owns matching answers to requests by sequence number on one stream. Knows no operation.

import type { Socket } from 'node:net';
import { failureOf, shimFailed, shimGone, shimSilent } from './errors.ts';
import { createFrameDecoder, encodeFrame, type Field, fieldOf } from './frame.ts';

interface Waiting {
  readonly doing: string;
  readonly timer: NodeJS.Timeout;
  readonly resolve: (fields: readonly Field[]) => void;
  readonly reject: (error: Error) => void;
}

/** A peer that runs answers within milliseconds. After this time the call fails: the peer is stopped or starved. */
export const ANSWER_LIMIT_MS = 10_000;

/** Who hears what is no answer. */
interface CallStreamOptions {
  /** With `may-exit` only an outstanding call keeps this process alive. */
  readonly idle: 'stays' | 'may-exit';
  /** Gets the frames without `seq`. */
  onEvent(fields: readonly Field[]): void;
  /** Runs once, with the reason when it was an error. */
  onEnd(cause: Error | undefined): void;
}

/** Requests with answers over a stream, and frames that answer nothing. Takes the stream over. */
export class CallStream {
  readonly #stream: Socket;
  readonly #options: CallStreamOptions;
  readonly #waiting = new Map<string, Waiting>();
  #sequence = 0;
  #ended = false;

  constructor(stream: Socket, options: CallStreamOptions) {
    this.#stream = stream;
    this.#options = options;
    this.#settleRef();
    const decoder = createFrameDecoder();
    stream.on('data', (chunk: Buffer) => {
      try {
        for (const fields of decoder.push(chunk)) this.#take(fields);
      } catch (error) {
        this.#end(error instanceof Error ? error : new Error(String(error)));
      }
    });
    stream.on('error', (error) => this.#end(error));
    stream.on('end', () => this.#end(undefined));
    stream.on('close', () => this.#end(undefined));
  }

  /**
   * Sends `fields` with a fresh `seq`, resolves to the answer. `doing` names the act in errors.
   * @throws SHIM_FAILED when the peer answers a failure; SHIM_GONE when the stream ends first; SHIM_SILENT after `limitMs`
   */
  call(doing: string, fields: readonly Field[], limitMs: number = ANSWER_LIMIT_MS): Promise<readonly Field[]> {
    return new Promise((resolve, reject) => {
      if (this.#ended) {
        reject(shimGone(doing));
        return;
      }
      const seq = String(++this.#sequence);
      const frame = encodeFrame([['seq', seq], ...fields]);
      const timer = setTimeout(() => {
        this.#waiting.delete(seq);
        this.#settleRef();
        reject(shimSilent(doing, limitMs));
      }, limitMs);
      this.#waiting.set(seq, { doing, timer, resolve, reject });
      this.#settleRef();
      this.#stream.write(frame);
    });
  }

  #take(fields: readonly Field[]): void {
    const seq = fieldOf(fields, 'seq');
    if (seq === undefined) {
      this.#options.onEvent(fields);
      return;
    }
    // Undefined when the answer came after its limit.
    const asker = this.#waiting.get(seq);
    clearTimeout(asker?.timer);
    this.#waiting.delete(seq);
    this.#settleRef();
    const failure = failureOf(fields);
    if (failure === undefined) asker?.resolve(fields);
    else asker?.reject(shimFailed(asker.doing, failure));
  }

  #end(cause: Error | undefined): void {
    if (this.#ended) return;
    this.#ended = true;
    for (const { doing, timer, reject } of this.#waiting.values()) {
      clearTimeout(timer);
      reject(shimGone(doing, cause));
    }
    this.#waiting.clear();
    this.#stream.destroy();
    this.#options.onEnd(cause);
  }

  #settleRef(): void {
    if (this.#options.idle === 'stays') return;
    if (this.#waiting.size === 0) this.#stream.unref();
    else this.#stream.ref();
  }
}
