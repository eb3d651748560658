// Owns one thread that works on containers' files, and the task that it has now.

import { Worker } from 'node:worker_threads';
import { receivedError } from '../../lib/thread-error.ts';
import type { FromThread, ToThread } from './messages.ts';
import type { FileStat } from './types.ts';

interface Current {
  readonly stat: PromiseWithResolvers<FileStat>;
  readonly done: PromiseWithResolvers<void>;
  /** Runs when the thread is free again. */
  readonly freed: () => void;
}

export class Thread {
  readonly #worker: Worker;
  #current: Current | undefined;
  #isGivenUp = false;

  constructor(url: URL) {
    this.#worker = new Worker(url);
    this.#worker.on('message', (answer: FromThread) => this.#hear(answer));
    this.#worker.on('error', (error) => this.#fail(error as Error));
    this.#worker.on('exit', () => this.#fail(new Error('a thread ended in the middle of its work')));
  }

  /** Gives a free thread its next task. `stat` rejects with `done` where the task fails before it is known. */
  begin(message: ToThread, freed: () => void): { readonly stat: Promise<FileStat>; readonly done: Promise<void> } {
    const current = { stat: Promise.withResolvers<FileStat>(), done: Promise.withResolvers<void>(), freed };
    // A caller may want one of the two only.
    current.stat.promise.catch(() => {});
    current.done.promise.catch(() => {});
    this.#current = current;
    this.#worker.ref();
    this.#worker.postMessage(message);
    return { stat: current.stat.promise, done: current.done.promise };
  }

  /** Fails its task with `reason`. The thread may hang in the kernel: it is ended when it comes back. */
  giveUp(reason: Error): void {
    this.#isGivenUp = true;
    this.#worker.unref();
    this.#fail(reason);
  }

  async end(): Promise<void> {
    await this.#worker.terminate();
  }

  #hear(answer: FromThread): void {
    if (answer.kind === 'stat') {
      this.#current?.stat.resolve(answer.stat);
      return;
    }
    if (this.#isGivenUp) {
      void this.#worker.terminate();
      return;
    }
    this.#worker.unref();
    const current = this.#current;
    if (answer.kind === 'failed') this.#fail(receivedError(answer.error));
    else current?.done.resolve();
    this.#current = undefined;
    current?.freed();
  }

  #fail(reason: Error): void {
    this.#current?.stat.reject(reason);
    this.#current?.done.reject(reason);
    this.#current = undefined;
  }
}
