// Checks that a layer comes whole over a line that drops, and that no registry keeps us for ever.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { isGantryError } from '../lib/errors.ts';
import type { Descriptor } from '../spec/oci/manifest.ts';
import { digestOf } from '../store/blobs.ts';
import { downloadBlob } from './download.ts';
import type { Misbehave } from './testing/fake-registry.ts';
import { fail, serveBlob } from './testing/fake-registry.ts';
import { openClient } from './testing/open-client.ts';

const BLOB = Buffer.alloc(300_000, 'layer ');
const DESCRIPTOR: Descriptor = { mediaType: '', digest: digestOf(BLOB), size: BLOB.length, annotations: {} };

interface Download {
  readonly bytes: Buffer;
  readonly error: unknown;
  /** The Range headers of the requests for the blob. */
  readonly ranges: readonly (string | undefined)[];
  readonly received: readonly number[];
  readonly retries: readonly number[];
}

/** Downloads from a registry of which the blob's n-th request, from 1 on, is answered by `answers[n - 1]`; further ones rightly. */
async function download(answers: readonly Misbehave[], facts: Partial<Descriptor> = {}): Promise<Download> {
  await using s = await openClient();
  s.registry.blobs.set(DESCRIPTOR.digest, BLOB);
  const ranges: (string | undefined)[] = [];
  s.registry.misbehave = (request, response, registry) => {
    if (!request.url?.includes('/blobs/')) return false;
    ranges.push(request.headers.range);
    return answers[ranges.length - 1]?.(request, response, registry) ?? false;
  };
  const [received, retries, pieces]: [number[], number[], Buffer[]] = [[], [], []];
  const hooks = {
    received: (n: number) => void received.push(n),
    retrying: (n: number) => void retries.push(n),
    pauseMs: 1,
  };
  let error: unknown;
  try {
    const blob = { ...DESCRIPTOR, ...facts };
    for await (const piece of downloadBlob(s.client, s.repository(), blob, hooks)) pieces.push(piece);
  } catch (thrown) {
    error = thrown;
  }
  return { bytes: Buffer.concat(pieces), error, ranges, received, retries };
}

/** Sends so many bytes of what was asked for, then cuts the line. */
const cutAfter =
  (bytes: number): Misbehave =>
  (request, response) => {
    const from = Number(/\d+/.exec(request.headers.range ?? '')?.[0] ?? 0);
    response.writeHead(from > 0 ? 206 : 200, {
      'Content-Length': BLOB.length - from,
      ...(from > 0 ? { 'Content-Range': `bytes ${from}-${BLOB.length - 1}/${BLOB.length}` } : {}),
    });
    response.write(BLOB.subarray(from, from + bytes), () => response.destroy());
    return true;
  };

const failing: Misbehave = (_request, response) => {
  fail(response, 503, 'UNAVAILABLE', 'later');
  return true;
};

test('a layer comes whole, and its progress is told up to the last byte', async () => {
  const { bytes, error, ranges, received } = await download([]);
  assert.equal(error, undefined);
  assert.ok(bytes.equals(BLOB));
  assert.deepEqual(ranges, [undefined]);
  assert.equal(received.at(-1), BLOB.length);
});

test('a line that drops is taken up where it broke, and the wait is told', async () => {
  const { bytes, error, ranges, retries } = await download([cutAfter(1000), failing]);
  assert.equal(error, undefined);
  assert.ok(bytes.equals(BLOB));
  assert.deepEqual(ranges, [undefined, 'bytes=1000-', 'bytes=1000-']);
  assert.ok(retries.length >= 2 && retries.every((seconds) => seconds === 1));
});

test('of a registry without ranges what is there already is passed over', async () => {
  const whole: Misbehave = (_request, response) => {
    response.end(BLOB);
    return true;
  };
  const { bytes, error } = await download([cutAfter(1000), whole]);
  assert.equal(error, undefined);
  assert.ok(bytes.equals(BLOB));
});

test('a registry that fails each time is given up after the tries it has, with what it said', async () => {
  const { error, ranges } = await download([failing, failing, failing, failing]);
  assert.match(String(error), /unavailable: later/);
  assert.equal(ranges.length, 3);
});

test('a registry that sends a few bytes at each try does not keep us for ever', async () => {
  const { error, ranges } = await download(Array.from({ length: 9 }, () => cutAfter(10)));
  assert.match(String(error), /unexpected EOF/);
  assert.equal(ranges.length, 3);
});

test('a registry that refuses is not asked again', async () => {
  const denied: Misbehave = (_request, response) => {
    fail(response, 403, 'DENIED', 'no');
    return true;
  };
  const { error, ranges } = await download([denied]);
  assert.match(String(error), /denied: no/);
  assert.equal(ranges.length, 1);
});

test('a blob that is not there is unknown, in Docker’s words', async () => {
  const { error } = await download([], { digest: digestOf(Buffer.from('other')) });
  assert.match(String(error), /unknown blob/);
});

test('a registry that sends more than it said is refused, before more is taken', async () => {
  const { error, bytes } = await download([], { size: 1000 });
  assert.match(String(error), /filesystem layer verification failed/);
  assert.ok(bytes.length <= 1000);
});

test('a registry whose whole answer is shorter than the layer is refused, and not asked again', async () => {
  const { error, ranges } = await download([], { size: BLOB.length + 1 });
  assert.match(String(error), /filesystem layer verification failed/);
  assert.equal(ranges.length, 1);
});

test('another range than was asked for is no part of the layer', async () => {
  const other: Misbehave = (_request, response) => {
    response.writeHead(206, { 'Content-Range': `bytes 5-${BLOB.length - 1}/${BLOB.length}` });
    response.end(BLOB.subarray(5));
    return true;
  };
  const { error, bytes } = await download([cutAfter(1000), other]);
  assert.match(String(error), /another range than asked for/);
  assert.equal(bytes.length, 1000);
});

test('a layer of no bytes is asked for once, and done', async () => {
  const empty: Misbehave = (request, response) => {
    serveBlob(Buffer.alloc(0), request, response);
    return true;
  };
  const { error, bytes, ranges } = await download([empty], { size: 0 });
  assert.deepEqual([error, bytes.length, ranges.length], [undefined, 0, 1]);
});

test('a download that is called off while it waits for another try ends at once', async () => {
  await using s = await openClient();
  s.registry.misbehave = failing;
  const stop = new AbortController();
  const hooks = { received: () => {}, retrying: () => stop.abort(), pauseMs: 60_000 };
  const items = downloadBlob(s.client, s.repository({}, stop.signal), DESCRIPTOR, hooks);
  await assert.rejects(items.next(), (error) => isGantryError(error, 'cancelled'));
});
