// The hash of the thread is the hash of the bytes, in their order, and a thread that is gone holds up nobody.

import assert from 'node:assert/strict';
import { createHash, randomBytes } from 'node:crypto';
import { test } from 'node:test';
import { HashThread } from './hash-thread.ts';

const sha256 = (...pieces: readonly Uint8Array[]): string => {
  const hash = createHash('sha256');
  for (const piece of pieces) hash.update(piece);
  return hash.digest('hex');
};
const own = (bytes: number): Uint8Array => Uint8Array.from(randomBytes(bytes));

test('hashes under way at once do not mix, and a digest takes nothing away', async () => {
  await using thread = new HashThread();
  const contents = Array.from({ length: 8 }, () => Array.from({ length: 40 }, () => own(100_000)));
  await Promise.all(
    contents.map(async (pieces) => {
      const hash = thread.begin();
      for (const [i, piece] of pieces.entries()) {
        await hash.update([piece.slice()], true);
        if (i === 20) assert.equal(await hash.digest(), sha256(...pieces.slice(0, 21)));
      }
      assert.equal(await hash.digest(), sha256(...pieces));
      hash.forget();
    }),
  );
});

test('bytes that are not handed over, or lie in memory that others share, stay with their owner', async () => {
  await using thread = new HashThread();
  const hash = thread.begin();
  const [kept, given] = [own(1000), own(1000)];
  const shared = own(2000);
  const copies = [kept.slice(), given.slice(), shared.slice(500, 900)];
  await hash.update([kept], false);
  await hash.update([given, shared.subarray(500, 900)], true);
  assert.deepEqual([kept.length, given.length, shared.length], [1000, 0, 2000]);
  assert.equal(await hash.digest(), sha256(...copies));
});

test('who brings much waits for the thread, and is not forgotten', async () => {
  await using thread = new HashThread();
  const hash = thread.begin();
  const expected = createHash('sha256');
  for (let i = 0; i < 50; i++) {
    const piece = own(1 << 20);
    expected.update(piece);
    await hash.update([piece], true);
  }
  assert.equal(await hash.digest(), expected.digest('hex'));
});

test('what a lost thread knew is unknown, at once; the next hash has a new one', async () => {
  await using thread = new HashThread();
  const hash = thread.begin();
  const bringing = Array.from({ length: 40 }, () => hash.update([own(1 << 20)], true));
  const asked = hash.digest();
  await thread[Symbol.asyncDispose]();
  assert.equal(await asked, undefined);
  await Promise.all(bringing);
  assert.equal(await hash.digest(), undefined);
  const next = thread.begin();
  await next.update([Buffer.from('x')], false);
  assert.equal(await next.digest(), sha256(Buffer.from('x')));
});
