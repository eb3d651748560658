// Checks that waiting ends when a call is called off, whatever it waits for.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { itemsUntilCancelled, untilCancelled } from './abort.ts';
import { isGantryError } from './errors.ts';

const isCancelled = (error: unknown): boolean => isGantryError(error, 'cancelled');
const never = new Promise<never>(() => {});

test('a wait ends with its result, its failure, or when it is called off', async () => {
  const { signal } = new AbortController();
  assert.equal(await untilCancelled(Promise.resolve(5), signal), 5);
  await assert.rejects(untilCancelled(Promise.reject(new Error('x')), signal), /^Error: x$/);
  await assert.rejects(untilCancelled(never, AbortSignal.timeout(5)), isCancelled);
  await assert.rejects(untilCancelled(Promise.resolve(5), AbortSignal.abort()), isCancelled);
});

test('a source that waits for ever does not keep its reader, and one that does not is closed', async () => {
  let closed = false;
  const source = async function* (wait: Promise<unknown>): AsyncGenerator<number> {
    try {
      yield 1;
      await wait;
      yield 2;
    } finally {
      closed = true;
    }
  };
  const seen: number[] = [];
  await assert.rejects(async () => {
    for await (const item of itemsUntilCancelled(source(never), AbortSignal.timeout(20))) seen.push(item);
  }, isCancelled);
  assert.deepEqual(seen, [1]);
  for await (const item of itemsUntilCancelled(source(never), new AbortController().signal)) if (item === 1) break;
  await new Promise((resolve) => setImmediate(resolve));
  assert.ok(closed);
});
