import assert from 'node:assert/strict';
import { test } from 'node:test';
import { formatNano, nowNano, parseNano, ZERO_TIME } from './clock.ts';

test('times are written as Go writes them: nanoseconds with trailing zeros trimmed', () => {
  assert.equal(formatNano(1_700_000_000_000_000_000n), '2023-11-14T22:13:20Z');
  assert.equal(formatNano(1_700_000_000_120_000_000n), '2023-11-14T22:13:20.12Z');
  assert.equal(formatNano(1_700_000_000_000_000_001n), '2023-11-14T22:13:20.000000001Z');
});

test('a written time is read back to the nanosecond', () => {
  for (const nano of [0n, 1n, 1_700_000_000_120_000_000n, nowNano()]) assert.equal(parseNano(formatNano(nano)), nano);
  assert.throws(() => parseNano('yesterday'), RangeError);
  assert.ok(parseNano(ZERO_TIME) < 0n);
});

test('now does not run backwards and stays near the wall clock', () => {
  let last = nowNano();
  for (let i = 0; i < 1000; i++) {
    const now = nowNano();
    assert.ok(now >= last);
    last = now;
  }
  assert.ok(Math.abs(Number(last / 1_000_000n) - Date.now()) < 20);
});
