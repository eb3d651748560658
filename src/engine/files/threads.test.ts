import assert from 'node:assert/strict';
import { after, mock, test } from 'node:test';
import { FileThreads } from './threads.ts';

const TARGET = { container: 'web', root: { root: '/', readOnly: false, trees: [] } };
const EXTRACT = { path: '/ok', noOverwriteDirNonDir: false, user: undefined };
const STUCK_MS = 60_000;
const never = new AbortController().signal;
const threads = new FileThreads({ workerUrl: new URL('./testing/told.worker.ts', import.meta.url), stuckMs: STUCK_MS });
after(() => threads[Symbol.asyncDispose]());

const settle = () => new Promise<void>((resolve) => setImmediate(resolve));

/** Time that passes when a test says so. */
function clock() {
  let nowMs = performance.now();
  const now = mock.method(performance, 'now', () => nowMs);
  mock.timers.enable({ apis: ['setTimeout', 'setInterval'] });
  return {
    pass(ms: number): void {
      nowMs += ms;
      mock.timers.tick(ms);
    },
    /** Lets time pass until `work` fails, which it must with `expected`. */
    async fails(work: Promise<unknown>, expected: Record<string, unknown>): Promise<void> {
      const ended = work.then(
        () => true,
        () => true,
      );
      while (!(await Promise.race([ended, settle()]))) this.pass(STUCK_MS / 4);
      await assert.rejects(work, expected);
    },
    [Symbol.dispose]() {
      mock.timers.reset();
      now.mock.restore();
    },
  };
}

async function textOf(archive: AsyncIterable<Buffer>): Promise<string> {
  let text = '';
  for await (const piece of archive) text += piece.toString('latin1');
  return text;
}

async function* pieces(...texts: string[]): AsyncGenerator<Uint8Array> {
  for (const text of texts) yield Buffer.from(text);
}

test('one thread serves one container after the other; two at once have two', async () => {
  const look = () => threads.stat(TARGET, '/ok', never);
  const [first, second] = [await look(), await look()];
  assert.equal(first.name, second.name);
  const [a, b] = await Promise.all([look(), look()]);
  assert.notEqual(a.name, b.name);
});

test('what the thread found comes to the user as it was; a bug stays a bug; the thread works on', async () => {
  const look = (path: string) => threads.stat(TARGET, path, never);
  await assert.rejects(look('/refuse'), {
    kind: 'notFound',
    code: 'NO_SUCH_FILE',
    message: 'not there',
    hint: 'look elsewhere',
  });
  await assert.rejects(look('/bug'), (error: Error) => error.name === 'Error' && /a bug of ours/.test(error.message));
  await look('/ok');
});

test('a disk that does not answer fails the caller in time, and only the caller', async () => {
  using time = clock();
  await time.fails(threads.stat(TARGET, '/hang', never), {
    kind: 'unavailable',
    code: 'FILES_STUCK',
    message: "reading or writing the container's files made no progress for 60 seconds",
    hint: 'a disk or network file system that the container uses does not answer',
  });
  for (const work of [
    threads.extract(TARGET, { ...EXTRACT, path: '/hang' }, pieces('x'), never),
    threads.pack(TARGET, '/hang', never, () => {}),
  ]) {
    await time.fails(work, { code: 'FILES_STUCK' });
  }
  await threads.stat(TARGET, '/ok', never);
});

test('a thread that dies fails its task instead of leaving it waiting', async () => {
  await assert.rejects(threads.stat(TARGET, '/die', never), /a thread ended in the middle of its work/);
  await threads.stat(TARGET, '/ok', never);
});

test('a caller that gives up is answered at once', async () => {
  using time = clock();
  const [stop, stopped] = [new AbortController(), AbortSignal.abort()];
  const looking = threads.stat(TARGET, '/hang', stop.signal);
  stop.abort();
  await assert.rejects(looking, { kind: 'cancelled', code: 'CANCELLED' });
  await assert.rejects(threads.stat(TARGET, '/ok', stopped), { code: 'CANCELLED' });
  // The thread is given up when its time is over.
  time.pass(STUCK_MS);
  await settle();
});

test('an archive comes with what it is of, and its tree is given back when the thread has left it', async () => {
  let ends = 0;
  const { stat, archive } = await threads.pack(TARGET, '/ok', never, () => void ends++);
  assert.match(stat.name, /^\d+$/);
  assert.equal(await textOf(archive), 'packed');
  for (let n = 0; n < 3; n++) await settle();
  assert.equal(ends, 1);
});

test('an archive of which a part could not be read ends with the reason, not as if it were whole', async () => {
  const { archive } = await threads.pack(TARGET, '/spoil', never, () => {});
  await assert.rejects(textOf(archive), { code: 'EIO', message: 'the disk broke' });
});

test('a path that is not there fails the reading, and its tree is given back', async () => {
  const ended = Promise.withResolvers<void>();
  await assert.rejects(threads.pack(TARGET, '/refuse', never, ended.resolve), { code: 'NO_SUCH_FILE' });
  await ended.promise;
});

test('an archive whose thread stops halfway fails in time', async () => {
  const { archive } = await threads.pack(TARGET, '/late', never, () => {});
  using time = clock();
  await time.fails(textOf(archive), { code: 'FILES_STUCK' });
});

test('a client that reads slowly is not taken for a disk that does not answer', async () => {
  using time = clock();
  const { archive } = await threads.pack(TARGET, '/large', never, () => {});
  let bytes = 0;
  for await (const piece of archive) {
    for (let n = 0; bytes === 0 && n < 8; n++) {
      await settle();
      time.pass(STUCK_MS / 2);
    }
    bytes += piece.length;
  }
  assert.equal(bytes, 3 << 20);
});

for (const [who, leave] of [
  ['before the first byte', async () => {}],
  ['in the middle', async (archive: AsyncIterable<Buffer>) => void (await archive[Symbol.asyncIterator]().next())],
] as const) {
  test(`a client that leaves ${who} ends the work behind it`, async () => {
    const ended = Promise.withResolvers<void>();
    const { archive } = await threads.pack(TARGET, '/large', never, ended.resolve);
    await leave(archive);
    archive.destroy();
    await ended.promise;
  });
}

test('writing is done when the thread says so', async () => {
  await threads.extract(TARGET, EXTRACT, pieces('a', 'x'.repeat(3 << 20), 'b'), never);
});

test('an archive that the thread refuses fails with its reason, however much of it is still to come', async () => {
  const endless = (async function* () {
    for (;;) yield Buffer.alloc(1 << 20);
  })();
  const writing = threads.extract(TARGET, { ...EXTRACT, path: '/refuse' }, endless, never);
  await assert.rejects(writing, { code: 'NO_SUCH_FILE' });
});

test('a client that fails while it sends is told its own reason', async () => {
  const broken = (async function* () {
    yield Buffer.from('half');
    throw new Error('the client left');
  })();
  await assert.rejects(threads.extract(TARGET, EXTRACT, broken, never), /the client left/);
});
