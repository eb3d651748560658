// Checks how a layer's bytes go to a worker: never too far ahead, never in memory of others, and never without an end.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { feed, type Job, newJob } from './feed.ts';
import type { ToWorker } from './messages.ts';

const BLOCK = 512 * 1024;
const WINDOW = 4 << 20;

interface Fed {
  readonly job: Job;
  readonly sent: ToWorker[];
  readonly stop: AbortController;
  readonly consumed: number[];
  readonly gaveUp: () => boolean;
  run(source: AsyncIterable<Uint8Array>): Promise<void>;
  /** Bytes of the blocks that were sent. */
  bytes(): Buffer;
  /** Messages that are no blocks. */
  words(): string[];
}

/** A worker that takes what is sent, and does as the test says. */
function newFeed(onSend: (message: ToWorker, job: Job) => void = () => {}): Fed {
  const job = newJob();
  const sent: ToWorker[] = [];
  const stop = new AbortController();
  const consumed: number[] = [];
  let gaveUp = false;
  const chunks: Buffer[] = [];
  return {
    job,
    sent,
    stop,
    consumed,
    gaveUp: () => gaveUp,
    run: (source) =>
      feed(source, {
        job,
        id: 7,
        signal: stop.signal,
        consumed: (total) => void consumed.push(total),
        giveUp: () => {
          gaveUp = true;
        },
        send(message, transfer = []) {
          sent.push(message);
          if (message.kind === 'chunk') {
            assert.deepEqual(transfer, [message.bytes.buffer], 'its memory is handed over');
            chunks.push(Buffer.from(message.bytes));
          }
          onSend(message, job);
        },
      }),
    bytes: () => Buffer.concat(chunks),
    words: () => sent.flatMap(({ kind, job: id }) => (kind === 'chunk' ? [] : [`${kind} ${id}`])),
  };
}

/** Inflates each block as it comes, and is done at the end. */
const willing = (message: ToWorker, job: Job): void => {
  if (message.kind === 'chunk') setImmediate(() => job.onConsumed(message.bytes.length, message.bytes.buffer));
  else if (message.kind === 'end') job.settled.resolve(undefined);
  else job.settled.reject(new Error('aborted'));
};

async function* pieces(...parts: readonly Uint8Array[]): AsyncGenerator<Uint8Array> {
  yield* parts;
}

test('small pieces go as whole blocks, every byte of them in order, and then the end', async () => {
  const fed = newFeed(willing);
  const parts = Array.from({ length: 300 }, (_, n) => Buffer.alloc(7000, n));
  await fed.run(pieces(...parts));
  assert.ok(fed.bytes().equals(Buffer.concat(parts)));
  assert.equal(fed.sent.filter(({ kind }) => kind === 'chunk').length, Math.ceil((300 * 7000) / BLOCK));
  assert.deepEqual(fed.words(), ['end 7']);
});

test('a source of nothing is an end and no block', async () => {
  const fed = newFeed(willing);
  await fed.run(pieces(new Uint8Array(0)));
  assert.deepEqual(fed.sent.length, 1);
});

test('the memory of the source is not the worker’s: it may be used again', async () => {
  const fed = newFeed(willing);
  const shared = Buffer.alloc(BLOCK, 1);
  await fed.run(
    (async function* () {
      yield shared;
      shared.fill(2);
      yield shared;
    })(),
  );
  assert.ok(fed.bytes().equals(Buffer.concat([Buffer.alloc(BLOCK, 1), Buffer.alloc(BLOCK, 2)])));
});

test('a worker that is slow is not sent more than a few megabytes ahead', async () => {
  const fed = newFeed();
  const work = fed.run(pieces(Buffer.alloc(WINDOW * 3)));
  await sleep(30);
  assert.ok(fed.bytes().length <= WINDOW + BLOCK);
  const before = fed.bytes().length;
  fed.job.onConsumed(WINDOW, undefined);
  await sleep(30);
  const more = fed.bytes().length - before;
  assert.ok(more > 0 && more <= WINDOW + BLOCK);
  fed.job.settled.resolve(undefined);
  await work;
});

test('memory that the worker gives back is filled again, and only its own', async () => {
  const buffers = new Set<ArrayBuffer>();
  const fed = newFeed((message, job) => {
    if (message.kind === 'chunk') {
      buffers.add(message.bytes.buffer);
      job.onConsumed(message.bytes.length, message.bytes.buffer);
      job.onConsumed(0, new ArrayBuffer(10));
    } else willing(message, job);
  });
  await fed.run(pieces(...Array.from({ length: 20 }, () => Buffer.alloc(BLOCK))));
  assert.equal(fed.bytes().length, 20 * BLOCK);
  assert.ok(buffers.size < 5);
});

test('progress is told in bytes of the source, never more than was sent, also by a worker that needs no more', async () => {
  const fed = newFeed((message, job) => {
    if (message.kind === 'chunk') job.onConsumed(100, undefined);
    else willing(message, job);
  });
  const work = fed.run(pieces(Buffer.alloc(BLOCK), Buffer.alloc(10)));
  await work;
  fed.job.onConsumed(10 * BLOCK, undefined);
  fed.job.onConsumed(Number.POSITIVE_INFINITY, undefined);
  assert.deepEqual(fed.consumed, [100, 200, BLOCK + 10]);
});

test('it is the worker’s turn only while it has something to do: a slow source is not its fault', async () => {
  const go = Promise.withResolvers<void>();
  const fed = newFeed();
  const work = fed.run(
    (async function* () {
      yield Buffer.alloc(BLOCK);
      await go.promise;
    })(),
  );
  await sleep(10);
  assert.equal(fed.job.isWorkersTurn(), true);
  fed.job.onConsumed(BLOCK, undefined);
  assert.equal(fed.job.isWorkersTurn(), false);
  go.resolve();
  await sleep(10);
  assert.equal(fed.job.isWorkersTurn(), true, 'at the end it has to answer');
  fed.job.settled.resolve(undefined);
  await work;
});

test('a source that fails is told when the worker has cleaned up, and not before', async () => {
  const fed = newFeed();
  let failed = false;
  const broken = async function* (): AsyncGenerator<Uint8Array> {
    yield Buffer.alloc(BLOCK);
    throw new Error('the line dropped');
  };
  const work = fed.run(broken()).catch((error: unknown) => {
    failed = true;
    throw error;
  });
  work.catch(() => {});
  await sleep(20);
  assert.deepEqual([fed.words(), fed.gaveUp(), failed], [['abort 7'], true, false]);
  fed.job.settled.reject(new Error('cancelled'));
  await assert.rejects(work, /the line dropped/);
});

test('a job that has failed ends the feeding, of a source that waits too, and closes it', async () => {
  let closed = false;
  const endless = async function* (): AsyncGenerator<Uint8Array> {
    try {
      for (;;) {
        yield Buffer.alloc(BLOCK);
        await sleep(1);
      }
    } finally {
      closed = true;
    }
  };
  const fed = newFeed((message, job) => {
    if (message.kind === 'chunk') job.settled.reject(new Error('no tar'));
  });
  // How the job ended is the job's to tell.
  await fed.run(endless());
  await sleep(10);
  assert.ok(closed);
  const hanging = newFeed((message, job) => {
    if (message.kind === 'chunk') job.settled.reject(new Error('no tar'));
  });
  await hanging.run(
    (async function* () {
      yield Buffer.alloc(BLOCK);
      await new Promise(() => {});
    })(),
  );
});

test('a call that is called off tells the worker to give up, and waits until it has', async () => {
  const fed = newFeed();
  const work = fed.run(
    (async function* () {
      yield Buffer.alloc(10);
      await new Promise(() => {});
    })(),
  );
  await sleep(10);
  fed.stop.abort();
  assert.deepEqual([fed.words(), fed.gaveUp(), fed.job.isWorkersTurn()], [['abort 7'], true, true]);
  fed.job.settled.reject(new Error('cancelled'));
  await work;
});
