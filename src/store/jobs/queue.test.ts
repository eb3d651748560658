// Work that was promised is done, in its order, over failures, restarts and ends; and what cannot be done does not pile up.

import assert from 'node:assert/strict';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { type Database, openDatabase } from '../database.ts';
import { createQueue, type Job, type JobQueue, type QueueOptions } from './index.ts';

type Work = QueueOptions<string>['work'];

function queueOf(database: Database, work: Work, more: Partial<QueueOptions<string>> = {}): JobQueue<string> {
  const pause = { firstMs: 5, longestMs: 20 };
  return createQueue<string>(database, { name: 'q', work, atOnce: 4, pause, onTrouble: assert.fail, ...more });
}

async function until(condition: () => boolean, what: string): Promise<void> {
  for (let i = 0; i < 1000 && !condition(); i++) await sleep(5);
  assert.ok(condition(), what);
}

test('jobs of one key are done in their order, one at a time; keys do not wait for one another', async () => {
  using database = openDatabase(':memory:');
  const done: string[] = [];
  const running = new Set<string>();
  let most = 0;
  await using queue = queueOf(database, async ({ key, payload }) => {
    assert.ok(!running.has(key), 'never two of a key');
    running.add(key);
    most = Math.max(most, running.size);
    await sleep(key === 'slow' ? 60 : 1);
    running.delete(key);
    done.push(payload);
  });
  for (let i = 0; i < 5; i++) for (const key of ['slow', 'a', 'b']) queue.add(key, `${key}${i}`);
  assert.equal(done.length, 0);
  queue.start();
  await until(() => done.length === 15, 'all are done');
  for (const key of ['slow', 'a', 'b'])
    assert.deepEqual(
      done.filter((one) => one.startsWith(key)),
      Array.from({ length: 5 }, (_, i) => `${key}${i}`),
    );
  assert.equal(done.at(-1), 'slow4');
  assert.equal(most, 3);
  assert.deepEqual(queue.counts(), { pending: 0, dead: 0 });
});

test('no more run at once than may, and a slot that becomes free is used at once', async () => {
  using database = openDatabase(':memory:');
  let running = 0;
  let most = 0;
  let count = 0;
  await using queue = queueOf(
    database,
    async ({ key }) => {
      most = Math.max(most, ++running);
      await sleep(key === '0' ? 200 : 1);
      running--;
      count++;
    },
    { atOnce: 2 },
  );
  for (let i = 0; i < 30; i++) queue.add(String(i), '');
  const began = performance.now();
  queue.start();
  await until(() => count === 29, 'the others do not wait for the slow one');
  assert.ok(performance.now() - began < 190, 'a slow job holds one slot, not a round');
  await until(() => count === 30, 'all');
  assert.equal(most, 2);
});

test('a failure is tried again after a pause that grows, what comes after it waits, and at last it is a dead letter', async () => {
  using database = openDatabase(':memory:');
  const tried: [string, number][] = [];
  const outcomes: string[] = [];
  const times: number[] = [];
  let isBroken = true;
  await using queue = queueOf(
    database,
    async ({ payload, attempts }) => {
      tried.push([payload, attempts]);
      times.push(performance.now());
      if (payload === 'bad' && isBroken) throw new Error('no');
    },
    {
      attemptsMax: 4,
      pause: { firstMs: 20, longestMs: 50 },
      onOutcome: ({ payload }, { kind }) => outcomes.push(`${payload} ${kind}`),
    },
  );
  queue.add('k', 'bad');
  queue.add('k', 'good');
  queue.add('other', 'fine');
  queue.start();
  await until(() => outcomes.includes('good done'), 'the good one is done');
  assert.deepEqual(
    tried.filter(([payload]) => payload === 'bad').map(([, attempts]) => attempts),
    [0, 1, 2, 3],
  );
  assert.deepEqual(
    outcomes.filter((one) => one.startsWith('bad')),
    ['bad failed', 'bad failed', 'bad failed', 'bad dead'],
  );
  assert.ok(outcomes.indexOf('good done') > outcomes.indexOf('bad dead'));
  assert.ok(outcomes.indexOf('fine done') < outcomes.indexOf('bad dead'));
  const [letter] = queue.dead(0, 10);
  assert.deepEqual([letter?.payload, letter?.attempts, letter?.error], ['bad', 4, 'no']);
  assert.deepEqual(queue.state('k'), { isDead: true, attempts: 4, error: 'no' });
  isBroken = false;
  assert.equal(queue.requeue(99), false);
  assert.equal(queue.requeue(letter?.id ?? 0), true);
  await until(() => queue.counts().dead + queue.counts().pending === 0, 'it lives again');
  assert.equal(queue.drop(1), false);
});

test('jobs outlive the process, in their order and with their failures; a queue knows only its own', async () => {
  const folder = mkdtempSync(join(tmpdir(), 'gantry-test-jobs-'));
  try {
    {
      using database = openDatabase(join(folder, 'db'));
      await using queue = queueOf(database, async () => Promise.reject(new Error('later')), {
        pause: { firstMs: 1, longestMs: 1 },
      });
      queue.add('k', 'one');
      queue.add('k', 'two');
      queueOf(database, async () => {}, { name: 'other' }).add('k', 'not mine');
      queue.start();
      await until(() => (queue.state('k')?.attempts ?? 0) > 2, 'it was tried');
      assert.equal(queue.lastError(), 'later');
    }
    using database = openDatabase(join(folder, 'db'));
    const done: Job<string>[] = [];
    await using queue = queueOf(database, async (job) => void done.push(job));
    queue.start();
    await until(() => done.length === 2, 'both are done');
    assert.deepEqual(
      done.map(({ payload }) => payload),
      ['one', 'two'],
    );
    assert.ok((done[0]?.attempts ?? 0) > 2);
    await sleep(20);
    assert.equal(done.length, 2);
  } finally {
    rmSync(folder, { recursive: true });
  }
});

test('the end cuts running jobs short, waits for them, and counts no failure', async () => {
  using database = openDatabase(':memory:');
  let isEnded = false;
  const queue = queueOf(database, async (_, signal) => {
    await new Promise<void>((resolve) => signal.addEventListener('abort', () => setTimeout(resolve, 30)));
    isEnded = true;
    throw new Error('cut short');
  });
  queue.add('k', 'x');
  queue.start();
  await sleep(20);
  await queue[Symbol.asyncDispose]();
  assert.ok(isEnded);
  assert.deepEqual(queue.state('k'), { isDead: false, attempts: 0, error: '' });
});

test('a job in the place of another is done once with what is wanted last, also when the other was running', async () => {
  using database = openDatabase(':memory:');
  const done: string[] = [];
  let release = (): void => undefined;
  await using queue = queueOf(database, async ({ payload }) => {
    if (payload === 'running') await new Promise<void>((resolve) => (release = resolve));
    done.push(payload);
    if (payload === 'failing') throw new Error('no');
  });
  queue.replace('k', 'first');
  queue.replace('k', 'running');
  queue.start();
  await sleep(20);
  queue.replace('k', 'last but one');
  queue.replace('k', 'last');
  release();
  await until(() => queue.counts().pending === 0, 'nothing waits');
  assert.deepEqual(done, ['running', 'last']);
  queue.replace('k', 'failing');
  await until(() => (queue.state('k')?.attempts ?? 0) > 0, 'it fails');
  queue.cancel('k');
  assert.equal(queue.state('k'), undefined);
});

test('a job that is added in a transaction is there with it or not at all', async () => {
  using database = openDatabase(':memory:');
  const done: string[] = [];
  await using queue = queueOf(database, async ({ payload }) => void done.push(payload));
  queue.start();
  database.transaction(() => queue.add('k', 'kept'));
  assert.throws(() =>
    database.transaction(() => {
      queue.add('k', 'lost');
      throw new Error('rolled back');
    }),
  );
  await until(() => done.length > 0, 'the kept one is done');
  await sleep(20);
  assert.deepEqual(done, ['kept']);
});

test('what waits and what was given up stays within bounds, and is told of', async () => {
  using database = openDatabase(':memory:');
  const told: string[] = [];
  await using queue = queueOf(database, async () => {}, {
    pendingMax: 600,
    deadMax: 300,
    onTrouble: (text) => told.push(text),
  });
  for (let i = 0; i < 1000; i++) queue.add(`k${i % 3}`, String(i));
  assert.deepEqual(queue.counts(), { pending: 600, dead: 300 });
  assert.match(told.join(), /q: 400 jobs were given up/);
  queue.start();
  await until(() => queue.counts().pending === 0, 'those that are left are done, whose first were given up');
});

test('records that cannot be read for a while are told of, and the work goes on afterwards', async () => {
  using database = openDatabase(':memory:');
  const told: string[] = [];
  const done: string[] = [];
  let isBroken = false;
  const flaky: Database = {
    sql(text) {
      if (isBroken) throw new Error('disk I/O error');
      return database.sql(text);
    },
    transaction: (work) => database.transaction(work),
    migrate: (migrations) => database.migrate(migrations),
    hasRecords: () => database.hasRecords(),
    changes: () => database.changes(),
    copyTo: (path) => database.copyTo(path),
    [Symbol.dispose]: () => database[Symbol.dispose](),
  };
  await using queue = queueOf(flaky, async ({ payload }) => void done.push(payload), {
    onTrouble: (text) => told.push(text),
  });
  queue.add('k', 'x');
  isBroken = true;
  queue.start();
  await until(() => told.length > 0, 'it is told of');
  isBroken = false;
  queue.start();
  await until(() => done.length === 1, 'it is done');
});

test('many jobs of a receiver that is down cost no more to look through than few', async () => {
  using database = openDatabase(':memory:');
  await using queue = queueOf(database, async () => Promise.reject(new Error('down')), {
    pause: { firstMs: 60_000, longestMs: 60_000 },
  });
  database.transaction(() => {
    for (let i = 0; i < 50_000; i++) queue.add('one', 'x');
  });
  queue.start();
  await until(() => (queue.state('one')?.attempts ?? 0) === 1, 'the first was tried');
  const began = performance.now();
  for (let i = 0; i < 200; i++) queue.add('one', 'y');
  await sleep(1);
  assert.ok(performance.now() - began < 200);
});
