// Checks how often a long verb tells its progress.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { countedProgress } from './progress.ts';
import type { ImageProgress } from './types.ts';

/** What is told when `steps` of [time in ms, bytes] are counted. */
function told(total: number, steps: readonly (readonly [number, number])[]): (number | undefined)[] {
  const events: ImageProgress[] = [];
  let time = 0;
  const count = countedProgress(
    (event) => void events.push(event),
    'abc',
    'Downloading',
    total,
    () => time,
  );
  for (const [at, bytes] of steps) {
    time = at;
    count(bytes);
  }
  for (const event of events) assert.deepEqual([event.id, event.status, event.total], ['abc', 'Downloading', total]);
  return events.map(({ current }) => current);
}

test('a thousand pieces a second are told ten times a second, the first at once', () => {
  const steps = Array.from({ length: 1000 }, (_, i): [number, number] => [i, i + 1]);
  assert.deepEqual(told(5000, steps), [1, 101, 201, 301, 401, 501, 601, 701, 801, 901]);
});

test('the end is told whenever it comes, and once', () => {
  assert.deepEqual(
    told(10, [
      [0, 1],
      [1, 10],
      [2, 10],
      [900, 10],
    ]),
    [1, 10],
  );
});

test('a layer of no bytes is told as done', () => {
  assert.deepEqual(told(0, [[0, 0]]), [0]);
});
