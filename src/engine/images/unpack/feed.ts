// Owns how a layer's bytes go to a worker: in blocks of their own memory, a bounded number ahead, until the job has ended.

import type { JobResult, ToWorker } from './messages.ts';

/** Bytes sent to a worker that it has not yet inflated. */
const WINDOW_BYTES = 4 << 20;
const BLOCK_BYTES = 512 * 1024;

/** A job that a worker does, as the main thread sees it. */
export interface Job {
  readonly settled: PromiseWithResolvers<JobResult>;
  /** performance.now() when the worker last said something, or was given something after a pause. */
  heardAt: number;
  onConsumed: (bytes: number, spare: ArrayBuffer | undefined) => void;
  /** False while the worker has nothing to do. */
  isWorkersTurn: () => boolean;
}

/** A job without its task yet; its worker is expected to answer by itself. */
export function newJob(): Job {
  const settled = Promise.withResolvers<JobResult>();
  // Whoever waits for it hears of a failure; nobody may be waiting yet.
  settled.promise.catch(() => {});
  return { settled, heardAt: performance.now(), onConsumed: () => {}, isWorkersTurn: () => true };
}

export interface Feeding {
  readonly job: Job;
  readonly id: number;
  readonly send: (message: ToWorker, transfer?: readonly ArrayBuffer[]) => void;
  readonly consumed: ((totalBytes: number) => void) | undefined;
  readonly signal: AbortSignal;
  /** Called when the worker was asked to stop: from now on it may be silent for a short time only. */
  readonly giveUp: () => void;
}

/**
 * Sends the source, at most WINDOW_BYTES ahead, and returns when the job has settled.
 * @throws whatever the source throws, after the worker has cleaned up. How the job ended is the job's to tell.
 */
export async function feed(source: AsyncIterable<Uint8Array>, feeding: Feeding): Promise<void> {
  const { job, id, send, signal, giveUp } = feeding;
  const settled = job.settled.promise.then(
    () => true,
    () => true,
  );
  const abort = (): void => {
    send({ kind: 'abort', job: id });
    job.isWorkersTurn = () => true;
    giveUp();
  };
  const blocks = blocksOf(source, feeding);
  // One that waits for room would never come to close its source.
  void settled.then(() => job.onConsumed(Number.POSITIVE_INFINITY, undefined));
  signal.addEventListener('abort', abort, { once: true });
  try {
    for (;;) {
      // A source that never comes to an end must not keep a job that has failed.
      const next = await Promise.race([blocks.next(), settled.then(() => undefined)]);
      if (next === undefined || next.done) break;
    }
    send({ kind: 'end', job: id });
  } catch (error) {
    abort();
    await settled;
    throw error;
  } finally {
    await settled;
    signal.removeEventListener('abort', abort);
    // Not awaited: a source in mid-wait answers only when it has something.
    blocks.return().catch(() => {});
  }
}

/** Sends the blocks one by one; each step is one block sent, and waits for room first. */
async function* blocksOf(
  source: AsyncIterable<Uint8Array>,
  { job, id, send, consumed }: Feeding,
): AsyncGenerator<void, void, void> {
  const spares: ArrayBuffer[] = [];
  let [sentBytes, consumedBytes] = [0, 0];
  let wake = (): void => {};
  job.onConsumed = (bytes, spare) => {
    if (spare?.byteLength === BLOCK_BYTES) spares.push(spare);
    consumedBytes += bytes;
    if (bytes > 0 && Number.isFinite(bytes)) consumed?.(Math.min(consumedBytes, sentBytes));
    wake();
  };
  job.isWorkersTurn = () => consumedBytes < sentBytes;
  for await (const block of inBlocks(source, spares)) {
    while (sentBytes - consumedBytes > WINDOW_BYTES) {
      await new Promise<void>((resolve) => {
        wake = resolve;
      });
    }
    if (sentBytes <= consumedBytes) job.heardAt = performance.now();
    sentBytes += block.byteLength;
    send({ kind: 'chunk', job: id, bytes: block }, [block.buffer]);
    yield;
  }
  job.isWorkersTurn = () => true;
  job.heardAt = performance.now();
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
