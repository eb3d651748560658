// Owns the unpack workers: started when there is work, ended when idle, given up when they hang. The main thread only passes bytes on.

import { availableParallelism } from 'node:os';
import { setTimeout as sleep } from 'node:timers/promises';
import { Worker } from 'node:worker_threads';
import { libc } from '../../../host/libc.ts';
import { throwIfCancelled } from '../../../lib/abort.ts';
import { GantryError } from '../../../lib/errors.ts';
import { receivedError } from '../../../lib/thread-error.ts';
import { feed, type Job, newJob } from './feed.ts';
import type {
  CheckRequest,
  CheckResult,
  DocumentRequest,
  DocumentTypes,
  FromWorker,
  JobResult,
  ToWorker,
  UnpackResult,
  UnpackTarget,
} from './messages.ts';

const IDLE_MS = 3_000;
const MAX_WORKERS = 4;
/** A worker that has bytes to unpack, or a layer to read, shows a sign of life each second or so. */
const SILENCE_MS = 120_000;
/** Removing a tree shows none: a million files on a slow disk need minutes. */
const REMOVAL_MS = 600_000;
/** How long a worker that was asked to stop may need to clean up. */
const GIVE_UP_MS = 10_000;

interface UnpackRequest {
  readonly target: UnpackTarget;
  /** sha256 that the bytes as they come must have. */
  readonly expectedHex?: string | undefined;
  /** sha256 that the plain tar must have. */
  readonly plainHex?: string | undefined;
  /** Called as bytes are unpacked. */
  readonly consumed?: ((totalBytes: number) => void) | undefined;
}

/** Unpacks, checks and removes layers off the main thread, and reads large documents. */
export interface Unpacker extends AsyncDisposable {
  /**
   * Unpacks one layer out of `source`, whatever it is compressed by. After a failure nothing of it is left on disk,
   * but for WORKER_STUCK.
   * @throws TAR_*, CORRUPT_LAYER, DIGEST_MISMATCH, NO_SPACE, CANCELLED, WORKER_STUCK, and whatever `source` throws
   */
  unpack(source: AsyncIterable<Uint8Array>, request: UnpackRequest, signal: AbortSignal): Promise<UnpackResult>;
  /** What is wrong with a layer on disk, in words; undefined when it is whole. @throws WORKER_STUCK, and failures of the disk */
  check(request: CheckRequest): Promise<string | undefined>;
  /** Reads a JSON document that is too large for the main thread. @throws BAD_MANIFEST, SCHEMA1 */
  read<K extends keyof DocumentTypes>(request: DocumentRequest & { readonly kind: K }): Promise<DocumentTypes[K]>;
  /** Removes whole trees; what is not there is no error. @throws WORKER_STUCK */
  remove(paths: readonly string[]): Promise<void>;
}

export interface UnpackerOptions {
  readonly workers?: number;
  readonly idleMs?: number;
  readonly silenceMs?: number;
  readonly giveUpMs?: number;
  /** The worker's file, for tests. */
  readonly workerUrl?: URL;
}

interface PoolWorker {
  readonly worker: Worker;
  readonly jobs: Map<number, Job>;
  idle: NodeJS.Timeout | undefined;
}

/** The worker's own file: beside this one as source, beside the bundle when bundled. */
function ownWorkerUrl(): URL {
  return new URL(import.meta.url.endsWith('.ts') ? './unpack.worker.ts' : './unpack.worker.js', import.meta.url);
}

/** Makes the pool; no thread is started yet. */
export function createUnpacker(options: UnpackerOptions = {}): Unpacker {
  return new Pool(options);
}

class Pool implements Unpacker {
  readonly #workers: number;
  readonly #idleMs: number;
  readonly #silenceMs: number;
  readonly #giveUpMs: number;
  readonly #workerUrl: URL;
  readonly #pool: PoolWorker[] = [];
  #lastJob = 0;

  constructor(options: UnpackerOptions) {
    this.#workers = options.workers ?? Math.min(MAX_WORKERS, availableParallelism());
    this.#idleMs = options.idleMs ?? IDLE_MS;
    this.#silenceMs = options.silenceMs ?? SILENCE_MS;
    this.#giveUpMs = options.giveUpMs ?? GIVE_UP_MS;
    this.#workerUrl = options.workerUrl ?? ownWorkerUrl();
  }

  async unpack(
    source: AsyncIterable<Uint8Array>,
    { target, expectedHex, plainHex, consumed }: UnpackRequest,
    signal: AbortSignal,
  ): Promise<UnpackResult> {
    throwIfCancelled(signal);
    const result = await this.#run(
      (id) => ({ kind: 'unpack', job: id, target, expectedHex, plainHex }),
      this.#silenceMs,
      (job, id, send, giveUp) => feed(source, { job, id, send, consumed, signal, giveUp }),
    );
    return result as UnpackResult;
  }

  async check(request: CheckRequest): Promise<string | undefined> {
    const result = await this.#run((id) => ({ kind: 'check', job: id, request }), this.#silenceMs);
    return (result as CheckResult).damage;
  }

  async read<K extends keyof DocumentTypes>(
    request: DocumentRequest & { readonly kind: K },
  ): Promise<DocumentTypes[K]> {
    const result = await this.#run((id) => ({ kind: 'read', job: id, request }), this.#silenceMs);
    return result as DocumentTypes[K];
  }

  async remove(paths: readonly string[]): Promise<void> {
    if (paths.length > 0) await this.#run((id) => ({ kind: 'remove', job: id, paths }), REMOVAL_MS);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await Promise.all(
      this.#pool.slice().map(async (member) => {
        await Promise.allSettled([...member.jobs.values()].map((job) => job.settled.promise));
        this.#stop(member, new Error('an unpack worker ended in mid-work'));
        await Promise.race([member.worker.terminate(), sleep(this.#giveUpMs, undefined, { ref: false })]);
      }),
    );
  }

  /** Gives a worker a job, feeds it, and waits for its result; not longer than the worker shows that it lives. */
  async #run(
    begin: (id: number) => ToWorker,
    silenceMs: number,
    feeding?: (job: Job, id: number, send: Send, giveUp: () => void) => Promise<void>,
  ): Promise<JobResult> {
    const member = this.#choose();
    clearTimeout(member.idle);
    member.worker.ref();
    const job = newJob();
    const id = ++this.#lastJob;
    member.jobs.set(id, job);
    const watch = this.#watch(member, job, silenceMs);
    const send: Send = (message, transfer = []) => member.worker.postMessage(message, transfer);
    try {
      send(begin(id));
      await feeding?.(job, id, send, () => watch.expect(this.#giveUpMs));
      return await job.settled.promise;
    } finally {
      watch.stop();
    }
  }

  /** Ends the worker when a job of its has been silent for too long while it was its turn. */
  #watch(member: PoolWorker, job: Job, silenceMs: number): { expect: (ms: number) => void; stop: () => void } {
    let limitMs = silenceMs;
    let timer: NodeJS.Timeout | undefined;
    const stuck = (): void => {
      const idleMs = performance.now() - job.heardAt;
      // While the source is slow there is nothing that the worker could tell.
      if (idleMs < limitMs || !job.isWorkersTurn()) arm();
      else this.#abandon(member, limitMs);
    };
    const arm = (): void => {
      timer = setTimeout(stuck, Math.min(limitMs, Math.max(limitMs / 4, 10)));
      timer.unref();
    };
    arm();
    return {
      expect: (ms) => {
        limitMs = Math.min(limitMs, ms);
        job.heardAt = performance.now();
        clearTimeout(timer);
        arm();
      },
      stop: () => clearTimeout(timer),
    };
  }

  /** A thread that hangs in the kernel cannot be ended either, so its end is not awaited. */
  #abandon(member: PoolWorker, silenceMs: number): void {
    const seconds = Math.round(silenceMs / 1000);
    this.#stop(
      member,
      new GantryError('system', 'WORKER_STUCK', `the work on layers made no progress for ${seconds} seconds`, {
        hint: 'check the disk that holds the data root',
      }),
    );
    void member.worker.terminate();
  }

  #choose(): PoolWorker {
    const least = this.#pool.reduce<PoolWorker | undefined>(
      (a, b) => (a && a.jobs.size <= b.jobs.size ? a : b),
      undefined,
    );
    return least && (least.jobs.size === 0 || this.#pool.length >= this.#workers) ? least : this.#start();
  }

  #start(): PoolWorker {
    const worker = new Worker(this.#workerUrl, { resourceLimits: { maxOldGenerationSizeMb: 512 } });
    const member: PoolWorker = { worker, jobs: new Map(), idle: undefined };
    worker.on('message', (message: FromWorker) => this.#onMessage(member, message));
    worker.on('error', (error) => this.#stop(member, error));
    worker.on('exit', () => this.#stop(member, new Error('an unpack worker ended in mid-work')));
    this.#pool.push(member);
    return member;
  }

  #stop(member: PoolWorker, reason: unknown): void {
    const at = this.#pool.indexOf(member);
    if (at >= 0) this.#pool.splice(at, 1);
    clearTimeout(member.idle);
    for (const job of member.jobs.values()) job.settled.reject(reason);
    member.jobs.clear();
  }

  #onMessage(member: PoolWorker, message: FromWorker): void {
    const job = member.jobs.get(message.job);
    if (!job) return;
    job.heardAt = performance.now();
    if (message.kind === 'consumed') {
      job.onConsumed(message.bytes, message.spare);
      return;
    }
    member.jobs.delete(message.job);
    if (message.kind === 'done') job.settled.resolve(message.result);
    else job.settled.reject(receivedError(message.error));
    if (member.jobs.size === 0) this.#rest(member);
  }

  #rest(member: PoolWorker): void {
    member.idle = setTimeout(() => {
      this.#stop(member, undefined);
      void member.worker.terminate().then(() => this.#pool.length === 0 && libc.mallocTrim());
    }, this.#idleMs);
    member.idle.unref();
    member.worker.unref();
  }
}

type Send = (message: ToWorker, transfer?: readonly ArrayBuffer[]) => void;
