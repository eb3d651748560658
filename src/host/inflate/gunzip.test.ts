// Checks gzip streams as strangers make them: several members, rests that are none, cuts and damage, at any chunking.

import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import { test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { gzipSync } from 'node:zlib';
import { GunzipMembers } from './gunzip.ts';

async function inflate(bytes: Buffer, step: number, pauseMs = 0): Promise<Buffer> {
  const stream = new GunzipMembers(4 * 1024);
  const parts: Buffer[] = [];
  const feed = async (): Promise<void> => {
    for (let at = 0; at < bytes.length; at += step) {
      await new Promise<void>((resolve, reject) =>
        stream.write(bytes.subarray(at, at + step), (error) => (error ? reject(error) : resolve())),
      );
    }
    stream.end();
  };
  const feeding = feed();
  feeding.catch(() => {});
  for await (const part of stream) {
    parts.push(part as Buffer);
    if (pauseMs > 0) await sleep(pauseMs);
  }
  await feeding;
  return Buffer.concat(parts);
}

const plain = Buffer.concat([randomBytes(100_000), Buffer.alloc(300_000)]);
const [a, b] = [plain.subarray(0, 70_000), plain.subarray(70_000)];
const whole = gzipSync(plain);

const GOOD: Readonly<Record<string, Buffer>> = {
  'one member': whole,
  'two members': Buffer.concat([gzipSync(a), gzipSync(b)]),
  'an empty member between': Buffer.concat([gzipSync(a), gzipSync(Buffer.alloc(0)), gzipSync(b)]),
  'zeros behind it': Buffer.concat([whole, Buffer.alloc(5000)]),
  'garbage behind it': Buffer.concat([whole, Buffer.from('garbage'.repeat(100))]),
  'garbage that begins as gzip does': Buffer.concat([whole, Buffer.from([0x1f, 0x20, 1, 2, 3])]),
  'the first byte of another': Buffer.concat([whole, Buffer.from([0x1f])]),
};

for (const [what, bytes] of Object.entries(GOOD)) {
  test(`gzip with ${what} gives all that was packed`, async () => {
    for (const step of [1000, 4093, bytes.length - 1, bytes.length]) {
      assert.ok((await inflate(bytes, step)).equals(plain), `in pieces of ${step}`);
    }
  });
}

test('a reader that is slower than the inflating loses nothing', async () => {
  for (const bytes of Object.values(GOOD)) assert.ok((await inflate(bytes, bytes.length, 1)).equals(plain));
});

const BAD: Readonly<Record<string, readonly [Buffer, RegExp]>> = {
  'a cut in the middle': [whole.subarray(0, 50_000), /unexpected end/],
  'a cut trailer': [whole.subarray(0, -3), /unexpected end/],
  'a cut second member': [Buffer.concat([gzipSync(a), gzipSync(b).subarray(0, -20)]), /unexpected end/],
  'a wrong checksum': [Buffer.concat([whole.subarray(0, -8), Buffer.alloc(8)]), /incorrect data check/],
  'no gzip at all': [Buffer.from('garbage'), /incorrect header/],
};

for (const [what, [bytes, message]] of Object.entries(BAD)) {
  test(`gzip with ${what} is an error, never a shorter file`, async () => {
    for (const step of [1000, 4093, bytes.length]) await assert.rejects(inflate(bytes, step), message);
  });
}
