// Owns the unpack workers: started when there is work, ended when idle. The main thread only passes bytes on.

import { availableParallelism } from 'node:os';
import { Worker } from 'node:worker_threads';
import { libc } from '../../../host/libc.ts';
import { GantryError } from '../../../lib/errors.ts';
import type { FromWorker, SentError, ToWorker, UnpackResult, UnpackTarget } from './messages.ts';

const IDLE_MS = 3_000;
const MAX_WORKERS = 4;
/** Bytes sent to a worker that it has not yet inflated. */
const WINDOW_BYTES = 4 << 20;
const BLOCK_BYTES = 512 * 1024;

export interface UnpackRequest {
  readonly target: UnpackTarget;
  /** sha256 that the bytes as they come must have. */
  readonly expectedHex?: string | undefined;
  /** Told as bytes are unpacked. */
  readonly consumed?: ((totalBytes: number) => void) | undefined;
}

/** Unpacks and removes layers off the main thread. */
export interface Unpacker extends AsyncDisposable {
  /**
   * Unpacks one layer out of `source` (gzip, zstd or plain). After a failure nothing of it is left on disk.
   * @throws TAR_*, CORRUPT_LAYER, DIGEST_MISMATCH, NO_SPACE, CANCELLED, and whatever `source` throws
   */
  unpack(source: AsyncIterable<Uint8Array>, request: UnpackRequest, signal: AbortSignal): Promise<UnpackResult>;
  /** Removes whole trees; what is not there is no error. */
  remove(paths: readonly string[]): Promise<void>;
}

interface Job {
  readonly settled: PromiseWithResolvers<UnpackResult | undefined>;
  consumedBytes: number;
  onConsumed: (bytes: number) => void;
  /** Blocks that came back. */
  readonly spares: ArrayBuffer[];
}

interface Hand {
  readonly worker: Worker;
  readonly jobs: Map<number, Job>;
  idle: NodeJS.Timeout | undefined;
}

/** The worker's own file: beside this one as source, beside the bundle when bundled. */
function workerUrl(): URL {
  return new URL(import.meta.url.endsWith('.ts') ? './unpack.worker.ts' : './unpack.worker.js', import.meta.url);
}

/** Makes the pool; no thread is started yet. */
export function createUnpacker({
  workers = Math.min(MAX_WORKERS, availableParallelism()),
  idleMs = IDLE_MS,
} = {}): Unpacker {
  const hands: Hand[] = [];
  let lastJob = 0;

  const retire = (hand: Hand): void => {
    const at = hands.indexOf(hand);
    if (at >= 0) hands.splice(at, 1);
    clearTimeout(hand.idle);
    for (const job of hand.jobs.values()) job.settled.reject(new Error('an unpack worker ended in mid-work'));
    hand.jobs.clear();
  };

  const hire = (): Hand => {
    const worker = new Worker(workerUrl(), { resourceLimits: { maxOldGenerationSizeMb: 512 } });
    const hand: Hand = { worker, jobs: new Map(), idle: undefined };
    worker.on('message', (message: FromWorker) => onMessage(hand, message));
    worker.on('error', (error) => {
      for (const job of hand.jobs.values()) job.settled.reject(error);
      retire(hand);
    });
    worker.on('exit', () => retire(hand));
    hands.push(hand);
    return hand;
  };

  const choose = (): Hand => {
    const least = hands.reduce<Hand | undefined>((a, b) => (a && a.jobs.size <= b.jobs.size ? a : b), undefined);
    return least && (least.jobs.size === 0 || hands.length >= workers) ? least : hire();
  };

  const onMessage = (hand: Hand, message: FromWorker): void => {
    const job = hand.jobs.get(message.job);
    if (!job) return;
    if (message.kind === 'consumed') {
      if (message.spare?.byteLength === BLOCK_BYTES) job.spares.push(message.spare);
      job.onConsumed(message.bytes);
      return;
    }
    hand.jobs.delete(message.job);
    if (message.kind === 'done') job.settled.resolve(message.result);
    else job.settled.reject(received(message.error));
    if (hand.jobs.size > 0) return;
    hand.idle = setTimeout(() => {
      retire(hand);
      void hand.worker.terminate().then(() => hands.length === 0 && libc.mallocTrim());
    }, idleMs);
    hand.idle.unref();
    hand.worker.unref();
  };

  const begin = (): { readonly hand: Hand; readonly id: number; readonly job: Job } => {
    const hand = choose();
    clearTimeout(hand.idle);
    hand.worker.ref();
    const job: Job = { settled: Promise.withResolvers(), consumedBytes: 0, onConsumed: () => {}, spares: [] };
    const id = ++lastJob;
    hand.jobs.set(id, job);
    return { hand, id, job };
  };

  return {
    async unpack(source, { target, expectedHex, consumed }, signal) {
      const { hand, id, job } = begin();
      const send = (message: ToWorker, transfer: readonly ArrayBuffer[] = []): void =>
        hand.worker.postMessage(message, transfer);
      send({ kind: 'unpack', job: id, target, ...(expectedHex === undefined ? {} : { expectedHex }) });
      await feed(source, job, id, send, consumed, signal);
      const result = await job.settled.promise;
      if (!result) throw new Error('an unpack worker answered without a result');
      return result;
    },
    async remove(paths) {
      if (paths.length === 0) return;
      const { hand, id, job } = begin();
      hand.worker.postMessage({ kind: 'remove', job: id, paths } satisfies ToWorker);
      await job.settled.promise;
    },
    async [Symbol.asyncDispose]() {
      await Promise.all(
        hands.slice().map(async (hand) => {
          await Promise.allSettled([...hand.jobs.values()].map((job) => job.settled.promise));
          retire(hand);
          await hand.worker.terminate();
        }),
      );
    },
  };
}

/** Sends the source in blocks of its own memory, at most WINDOW_BYTES ahead; stops early when the job has settled. */
async function feed(
  source: AsyncIterable<Uint8Array>,
  job: Job,
  id: number,
  send: (message: ToWorker, transfer?: readonly ArrayBuffer[]) => void,
  consumed: ((totalBytes: number) => void) | undefined,
  signal: AbortSignal,
): Promise<void> {
  let sentBytes = 0;
  let wake = (): void => {};
  let over = false;
  job.onConsumed = (bytes) => {
    job.consumedBytes += bytes;
    consumed?.(Math.min(job.consumedBytes, sentBytes));
    wake();
  };
  const settle = (): void => {
    over = true;
    wake();
  };
  job.settled.promise.then(settle, settle);
  const abort = (): void => send({ kind: 'abort', job: id });
  signal.addEventListener('abort', abort, { once: true });
  try {
    if (signal.aborted) abort();
    for await (const block of inBlocks(source, job.spares)) {
      while (!over && sentBytes - job.consumedBytes > WINDOW_BYTES) {
        await new Promise<void>((resolve) => {
          wake = resolve;
        });
      }
      if (over) return;
      sentBytes += block.byteLength;
      send({ kind: 'chunk', job: id, bytes: block }, [block.buffer]);
    }
    send({ kind: 'end', job: id });
  } catch (error) {
    abort();
    // Wait until the worker has cleaned up, then tell what the source said.
    await job.settled.promise.catch(() => {});
    throw error;
  } finally {
    await job.settled.promise.catch(() => {});
    signal.removeEventListener('abort', abort);
  }
}

/** Small pieces joined to blocks whose memory is theirs alone, so that it can be handed to the worker. */
async function* inBlocks(
  source: AsyncIterable<Uint8Array>,
  spares: ArrayBuffer[],
): AsyncGenerator<Uint8Array<ArrayBuffer>, void, void> {
  const fresh = (): Uint8Array<ArrayBuffer> => new Uint8Array(spares.pop() ?? new ArrayBuffer(BLOCK_BYTES));
  let block = fresh();
  let used = 0;
  for await (const piece of source) {
    for (let at = 0; at < piece.length; ) {
      const part = piece.subarray(at, at + BLOCK_BYTES - used);
      block.set(part, used);
      used += part.length;
      at += part.length;
      if (used < BLOCK_BYTES) continue;
      yield block;
      block = fresh();
      used = 0;
    }
  }
  if (used > 0) yield block.subarray(0, used);
}

function received(error: SentError): Error {
  if (error.kind === undefined) return new Error(error.message);
  return new GantryError(error.kind, error.code, error.message, error.hint === undefined ? {} : { hint: error.hint });
}
