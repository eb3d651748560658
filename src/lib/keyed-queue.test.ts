import assert from 'node:assert/strict';
import { test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { KeyedQueue } from './keyed-queue.ts';

test('work for one key never overlaps and keeps its order; a failure does not stop the rest', async () => {
  const queue = new KeyedQueue();
  const trace: string[] = [];
  const work =
    (name: string, ms: number, fail = false) =>
    async () => {
      trace.push(`${name}+`);
      await sleep(ms);
      trace.push(`${name}-`);
      if (fail) throw new Error(name);
    };
  const first = queue.run('k', work('a', 5, true));
  const second = queue.run('k', work('b', 1));
  await assert.rejects(first, /a/);
  await second;
  assert.deepEqual(trace, ['a+', 'a-', 'b+', 'b-']);
});

test('different keys run side by side', async () => {
  const queue = new KeyedQueue();
  let inside = 0;
  let most = 0;
  const work = async () => {
    most = Math.max(most, ++inside);
    await sleep(5);
    inside--;
  };
  await Promise.all(['a', 'b', 'c'].map((key) => queue.run(key, work)));
  assert.equal(most, 3);
});
