// Owns the threads that work on containers' files: started when there is work, kept a while, given up when a disk does not answer.

import { once } from 'node:events';
import type { Socket } from 'node:net';
import { Readable } from 'node:stream';
import { pipeFromHere, pipeToHere } from '../../host/pipe.ts';
import { untilCancelled } from '../../lib/abort.ts';
import { Semaphore } from '../../lib/semaphore.ts';
import { within } from '../../lib/within.ts';
import { stuck } from './errors.ts';
import type { Task, ToThread } from './messages.ts';
import { Thread } from './thread.ts';
import type { FileArchive, FileStat } from './types.ts';

const MOST_THREADS = 16;
const IDLE_MS = 3000;

export interface FileThreadsOptions {
  /** After so long without progress a thread is given up. */
  readonly stuckMs?: number;
  /** The thread's file, for tests. */
  readonly workerUrl?: URL;
}

/** Where a task works: a container as the caller named it, and its tree. */
export type Target = Pick<ToThread, 'container' | 'root'>;

/** A task under way. */
interface Running {
  readonly stat: Promise<FileStat>;
  readonly done: Promise<void>;
  /** Leaves the thread to itself. */
  giveUp(): void;
}

export class FileThreads implements AsyncDisposable {
  readonly #slots = new Semaphore(MOST_THREADS);
  readonly #idle = new Map<Thread, NodeJS.Timeout>();
  readonly #stuckMs: number;
  readonly #workerUrl: URL;

  constructor({ stuckMs = 60_000, workerUrl = ownWorkerUrl() }: FileThreadsOptions = {}) {
    this.#stuckMs = stuckMs;
    this.#workerUrl = workerUrl;
  }

  /** @throws what the thread found; FILES_STUCK */
  stat(target: Target, path: string, signal: AbortSignal): Promise<FileStat> {
    return this.#slots.run(async () => {
      const running = this.#begin({ ...target, task: { kind: 'stat', path } });
      // Not before the thread is free: the caller's next look would start another.
      await untilCancelled(this.#inTime(running, running.done), signal);
      return running.stat;
    }, signal);
  }

  /** `ended` runs once, when the thread has left the tree. @throws as `stat`; the archive fails with what comes later */
  async pack(target: Target, path: string, signal: AbortSignal, ended: () => void): Promise<FileArchive> {
    const answer = Promise.withResolvers<FileArchive>();
    this.#slots
      .run(async () => {
        const { stream, fd } = pipeToHere();
        // Who reads the archive hears of its failure; before there is one, the answer tells it.
        stream.on('error', () => {});
        const running = this.#begin({ ...target, task: { kind: 'pack', path, output: fd } });
        try {
          const stat = await untilCancelled(this.#inTime(running, running.stat), signal);
          const archive = Readable.from(this.#archive(stream, running), { objectMode: false });
          // One that nobody began to read would not run its own end.
          archive.once('close', () => stream.destroy());
          answer.resolve({ stat, archive });
          await running.done;
        } catch (error) {
          stream.destroy(error as Error);
          answer.reject(error);
        }
      }, signal)
      .catch(answer.reject)
      .finally(ended);
    return answer.promise;
  }

  /** @throws what the thread found, what `archive` throws, FILES_STUCK, CANCELLED */
  extract(
    target: Target,
    task: Omit<Extract<Task, { kind: 'extract' }>, 'kind' | 'input'>,
    archive: AsyncIterable<Uint8Array>,
    signal: AbortSignal,
  ): Promise<void> {
    return this.#slots.run(async () => {
      const { stream, fd } = pipeFromHere();
      stream.on('error', () => {});
      const running = this.#begin({ ...target, task: { kind: 'extract', ...task, input: fd } });
      try {
        await Promise.race([this.#feed(stream, running, archive), running.done]);
        // A pipe knows no half-close: its end is its closing.
        stream.destroySoon();
        await untilCancelled(this.#inTime(running, running.done), signal);
      } finally {
        stream.destroy();
      }
    }, signal);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await Promise.all([...this.#idle.keys()].map((thread) => this.#leave(thread)));
  }

  async #feed(stream: Socket, running: Running, archive: AsyncIterable<Uint8Array>): Promise<void> {
    for await (const piece of archive) {
      if (stream.destroyed) return;
      // A thread that has failed reads no more: its error says why.
      if (!stream.write(piece))
        await this.#inTime(
          running,
          once(stream, 'drain').catch(() => undefined),
        );
    }
  }

  /** Ends well only when the thread did: the end of a pipe says nothing. */
  async *#archive(stream: Socket, running: Running): AsyncGenerator<Buffer, void, void> {
    const watch = this.#watch(stream, running);
    try {
      for await (const piece of stream) yield piece as Buffer;
      await running.done;
    } finally {
      clearInterval(watch);
      stream.destroy();
    }
  }

  /** While a slow reader has bytes left, the thread has nothing to show. */
  #watch(stream: Socket, running: Running): NodeJS.Timeout {
    let [seen, changedAt] = [0, performance.now()];
    const look = (): void => {
      const now = performance.now();
      if (stream.bytesRead !== seen || stream.readableLength > 0) [seen, changedAt] = [stream.bytesRead, now];
      if (now - changedAt < this.#stuckMs) return;
      running.giveUp();
      stream.destroy(stuck(this.#stuckMs / 1000));
    };
    return setInterval(look, this.#stuckMs / 4).unref();
  }

  async #inTime<T>(running: Running, work: Promise<T>): Promise<T> {
    if (await within(work, this.#stuckMs)) return work;
    running.giveUp();
    throw stuck(this.#stuckMs / 1000);
  }

  #begin(message: ToThread): Running {
    const thread = this.#take();
    const { stat, done } = thread.begin(message, () => this.#rest(thread));
    const giveUp = (): void => thread.giveUp(stuck(this.#stuckMs / 1000));
    return { stat, done, giveUp };
  }

  #take(): Thread {
    const [idle] = this.#idle.keys();
    if (!idle) return new Thread(this.#workerUrl);
    clearTimeout(this.#idle.get(idle));
    this.#idle.delete(idle);
    return idle;
  }

  #rest(thread: Thread): void {
    this.#idle.set(thread, setTimeout(() => void this.#leave(thread), IDLE_MS).unref());
  }

  async #leave(thread: Thread): Promise<void> {
    clearTimeout(this.#idle.get(thread));
    this.#idle.delete(thread);
    await thread.end();
  }
}

/** The worker's own file: beside this one as source, beside the bundle when bundled. */
function ownWorkerUrl(): URL {
  return new URL(import.meta.url.endsWith('.ts') ? './files.worker.ts' : './files.worker.js', import.meta.url);
}
