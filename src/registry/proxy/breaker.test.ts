// An origin that is down costs one wait, not one each request, and is found again when it is back.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Breaker } from './breaker.ts';

test('after a failure it is left alone, each time twice as long, up to a minute', () => {
  let nowMs = 0;
  const breaker = new Breaker(() => nowMs);
  assert.deepEqual([breaker.pause, breaker.hasFailed], [undefined, false]);
  const pauses = Array.from({ length: 9 }, (_, i) => {
    breaker.failed(`failure ${i}`, undefined);
    const { leftMs = 0 } = breaker.pause ?? {};
    nowMs += leftMs;
    assert.equal(breaker.pause, undefined);
    return leftMs;
  });
  assert.deepEqual(pauses, [1000, 2000, 4000, 8000, 16_000, 32_000, 60_000, 60_000, 60_000]);
  assert.ok(breaker.hasFailed);
  breaker.succeeded();
  assert.ok(!breaker.hasFailed);
  breaker.failed('again', undefined);
  assert.deepEqual(breaker.pause, { error: 'again', leftMs: 1000 });
});

test('what it asks for itself counts, within reason', () => {
  const breaker = new Breaker(() => 0);
  breaker.failed('429', 90_000);
  assert.equal(breaker.pause?.leftMs, 90_000);
  breaker.failed('429', 1e12);
  assert.equal(breaker.pause?.leftMs, 3_600_000);
});
