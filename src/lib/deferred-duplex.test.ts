import assert from 'node:assert/strict';
import { duplexPair, PassThrough } from 'node:stream';
import { text } from 'node:stream/consumers';
import { test } from 'node:test';
import { DeferredDuplex } from './deferred-duplex.ts';

test('input written before the connection arrives, with its end, and output comes back', async () => {
  const stream = new DeferredDuplex();
  stream.write('early ');
  stream.end('late');
  const [target, far] = duplexPair();
  stream.push('first ');
  stream.connect(target);
  far.end('second');
  assert.equal(await text(far), 'early late');
  assert.equal(await text(stream), 'first second');
});

test('readers see the end only when the outcome is settled', async () => {
  const stream = new DeferredDuplex();
  const outcome = Promise.withResolvers<void>();
  const target = new PassThrough();
  stream.connect(target, outcome.promise);
  target.end('x');
  let ended = false;
  const reading = text(stream).then(() => {
    ended = true;
  });
  await new Promise((resolve) => setTimeout(resolve, 20));
  assert.equal(ended, false);
  outcome.resolve();
  await reading;
});

test('a filter that answers undefined ends the stream', async () => {
  const stream = new DeferredDuplex((chunk) => (chunk.includes(0x11) ? undefined : chunk));
  stream.connect(new PassThrough());
  stream.write('\x11');
  assert.equal(await text(stream), '');
});
