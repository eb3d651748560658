import assert from 'node:assert/strict';
import { test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { currentTrace, serverTiming, span, spansOf, Trace, traceOf, traceparentOf } from './trace.ts';

const ID = `${'f'.repeat(31)}0`;

test('parts lie within the part that called them, also those side by side', async () => {
  const trace = new Trace(ID, true);
  await trace.run(() =>
    span('outer', () => Promise.all([span('left', () => sleep(5)), span('right', () => span('deep', () => sleep(2)))])),
  );
  const shape = trace.spans.map(({ name, parent }) => [name, parent]);
  assert.deepEqual(shape, [
    ['outer', -1],
    ['left', 0],
    ['right', 0],
    ['deep', 2],
  ]);
  const [outer, left] = trace.spans;
  assert.ok(outer && left && outer.durationMs >= left.durationMs && left.durationMs >= 4);
});

test('a part that fails is timed, and its failure passed on', async () => {
  const trace = new Trace(ID, true);
  await assert.rejects(async () => trace.run(() => span('bad', () => Promise.reject(new Error('no')))), /no/);
  assert.equal(trace.spans.length, 1);
});

test('nothing is timed without a request, or in one that does not ask', async () => {
  assert.equal(await span('x', () => 5), 5);
  assert.equal(currentTrace(), undefined);
  const trace = new Trace(ID, false);
  await trace.run(() => span('x', () => assert.equal(currentTrace(), trace)));
  assert.deepEqual(trace.spans, []);
});

test('parts are counted only to a hundred', async () => {
  const trace = new Trace(ID, true);
  await trace.run(async () => {
    for (let i = 0; i < 150; i++) await span('x', () => i);
  });
  assert.equal(trace.spans.length, 100);
});

test('the header names the trace; what is no such header begins a new one', () => {
  assert.equal(traceOf(traceparentOf(new Trace(ID, true))).id, ID);
  for (const bad of [undefined, '', 'x', `00-${'0'.repeat(32)}-${'1'.repeat(16)}-01`, `00-${ID}`]) {
    const { id } = traceOf(bad);
    assert.match(id, /^[0-9a-f]{32}$/);
    assert.notEqual(id, ID);
  }
});

test('only a sampled trace is timed', async () => {
  for (const [flags, count] of [
    ['01', 1],
    ['00', 0],
  ] as const) {
    const trace = traceOf(`00-${ID}-${'1'.repeat(16)}-${flags}`);
    await trace.run(() => span('x', () => 1));
    assert.equal(trace.spans.length, count, flags);
  }
});

test('parts travel in a header, and back', async () => {
  const trace = new Trace(ID, true);
  await trace.run(() => span('outer-part', () => span('inner', () => 1)));
  const spans = spansOf(serverTiming(trace));
  assert.deepEqual(
    spans.map(({ name, parent }) => [name, parent]),
    [
      ['outer-part', -1],
      ['inner', 0],
    ],
  );
  assert.equal(serverTiming(new Trace(ID, true)), undefined);
  assert.deepEqual(spansOf(undefined), []);
  const strange = 'db;dur=53, cache;desc="hit", a;dur=1.0;desc="7 0.5", b;dur=1e9;desc="0 0"';
  assert.deepEqual(spansOf(strange), [{ name: 'a', parent: -1, startMs: 0.5, durationMs: 1 }]);
});
