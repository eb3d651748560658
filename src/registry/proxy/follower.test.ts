// A reader gets every byte once, whether it keeps up, falls behind or goes away; and never the end of what was not stored.
import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import { Readable } from 'node:stream';
import { test } from 'node:test';
import { Follower } from './follower.ts';

const whole = randomBytes(20 << 20);
const pieces = Array.from({ length: 320 }, (_, i) => whole.subarray(i << 16, (i + 1) << 16));
const stored = async (offset: number) => Readable.from([whole.subarray(offset)]);

test('a reader that keeps up gets all but the end live', async () => {
  const follower = new Follower();
  const offsets: number[] = [];
  const reading = Array.fromAsync(
    follower.read(async (offset) => {
      offsets.push(offset);
      return stored(offset);
    }),
  );
  for (const piece of pieces) {
    follower.push(piece);
    await new Promise(setImmediate);
  }
  follower.end();
  assert.ok(Buffer.concat(await reading).equals(whole));
  assert.deepEqual(offsets, [whole.length - (1 << 16)]);
});

test('a reader that falls behind gets the rest out of the store, and what waits for it is bounded', async () => {
  const follower = new Follower();
  const reading = follower.read(stored);
  for (const piece of pieces) follower.push(piece);
  const got: Buffer[] = [];
  for await (const piece of reading) got.push(piece);
  assert.ok(Buffer.concat(got).equals(whole));
  const live = got.slice(0, -1);
  assert.ok(live.length > 0 && Buffer.concat(live).length <= 9 << 20, `${live.length} live pieces`);
});

test('what could not be stored breaks off before its end', async () => {
  const follower = new Follower();
  for (const piece of pieces.slice(0, 3)) follower.push(piece);
  follower.end();
  const got: Buffer[] = [];
  const failing = async (): Promise<Readable> => Promise.reject(new Error('the digest is wrong'));
  await assert.rejects(async () => {
    for await (const piece of follower.read(failing)) got.push(piece);
  }, /the digest is wrong/);
  assert.equal(got.length, 2);
});

test('a blob of nothing, or of one piece, comes out of the store', async () => {
  for (const content of [Buffer.alloc(0), Buffer.from('one')]) {
    const follower = new Follower();
    if (content.length > 0) follower.push(content);
    follower.end();
    const got = await Array.fromAsync(follower.read(async (offset) => Readable.from([content.subarray(offset)])));
    assert.equal(Buffer.concat(got).toString(), content.toString());
  }
});

test('nothing is kept for a reader that went away', async () => {
  const follower = new Follower();
  const reading = follower.read(stored);
  follower.push(Buffer.from('a'));
  follower.push(Buffer.from('b'));
  await reading.next();
  await reading.return(undefined);
  for (const piece of pieces) follower.push(piece);
  assert.deepEqual(await Array.fromAsync(reading), []);
});
