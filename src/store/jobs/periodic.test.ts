// Background work comes when it should, never twice at once, and ends when it must.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { Periodic } from './index.ts';

test('it runs again and again, never twice at once, whatever fails', async () => {
  let runs = 0;
  let running = 0;
  const errors: unknown[] = [];
  await using _periodic = new Periodic({
    everyMs: 5,
    firstMs: 0,
    run: async () => {
      assert.equal(++running, 1);
      await sleep(10);
      running--;
      if (++runs % 2 === 0) throw new Error('now and then');
    },
    onError: (error) => errors.push(error),
  }).start();
  for (let i = 0; i < 200 && runs < 6; i++) await sleep(10);
  assert.ok(runs >= 6);
  assert.ok(errors.length >= 2);
});

test('asked for, it comes sooner; asked for during a run, once more after it', async () => {
  let runs = 0;
  await using periodic = new Periodic({
    everyMs: 3_600_000,
    run: async () => {
      runs++;
      await sleep(30);
    },
    onError: (error) => assert.fail(String(error)),
  });
  periodic.soon();
  await sleep(20);
  assert.equal(runs, 0, 'not before it is started');
  periodic.start();
  for (let i = 0; i < 5; i++) periodic.soon(5);
  await sleep(20);
  assert.equal(runs, 1);
  for (let i = 0; i < 5; i++) periodic.soon();
  for (let i = 0; i < 50 && runs < 2; i++) await sleep(10);
  await sleep(60);
  assert.equal(runs, 2);
});

test('the end aborts a run and waits for it; nothing runs afterwards', async () => {
  let isEnded = false;
  let runs = 0;
  const periodic = new Periodic({
    everyMs: 1,
    firstMs: 0,
    run: async (signal) => {
      runs++;
      await new Promise((resolve) => signal.addEventListener('abort', () => setTimeout(resolve, 20)));
      isEnded = true;
      throw new Error('aborted');
    },
    onError: (error) => assert.fail(String(error)),
  }).start();
  await sleep(20);
  await periodic[Symbol.asyncDispose]();
  assert.ok(isEnded);
  periodic.soon();
  await sleep(20);
  assert.equal(runs, 1);
});
