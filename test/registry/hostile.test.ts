// Bad input gets the specification's answer, costs bounded memory, and leaves nothing behind.

import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import { readdirSync } from 'node:fs';
import { connect } from 'node:net';
import { join } from 'node:path';
import { after, test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { CONFIG, codesOf, INDEX, MANIFEST, sha256, startRegistry, type TestRegistry } from './support/registry.ts';

const registry = await startRegistry({ maxBlobBytes: 1 << 20 });
after(() => registry[Symbol.asyncDispose]());
const begin = async (on: TestRegistry = registry): Promise<string> =>
  (await on.call('POST', '/v2/app/blobs/uploads/')).headers.get('location') ?? '';
const uploads = (on: TestRegistry = registry): string[] => readdirSync(join(on.root, 'uploads'));
const put = (reference: string, body: unknown, type = MANIFEST): Promise<Response> =>
  registry.call('PUT', `/v2/app/manifests/${reference}`, {
    body: Buffer.isBuffer(body) ? body : JSON.stringify(body),
    headers: { 'content-type': type },
  });

/** Sends raw bytes; what came back until the peer closed or `ms` went by. */
function raw(text: string | Buffer, ms = 1000): Promise<string> {
  return new Promise((resolve) => {
    const { hostname, port } = new URL(registry.url);
    let got = '';
    const socket = connect(Number(port), hostname, () => socket.write(text));
    const end = (): void => {
      socket.destroy();
      resolve(got);
    };
    socket.on('data', (piece) => {
      got += String(piece);
    });
    socket.on('close', end);
    socket.on('error', end);
    setTimeout(end, ms).unref();
  });
}

test('a bit-flipped or truncated blob is refused and leaves no file', async () => {
  const before = uploads().length;
  const bytes = randomBytes(5000);
  const flipped = Buffer.from(bytes);
  flipped.writeUInt8(flipped.readUInt8(2500) ^ 1, 2500);
  for (const sent of [flipped, bytes.subarray(0, 4999), Buffer.concat([bytes, Buffer.from('x')]), Buffer.alloc(0)]) {
    const answer = await registry.call('PUT', `${await begin()}?digest=${sha256(bytes)}`, { body: sent });
    assert.equal(answer.status, 400);
    assert.deepEqual(await codesOf(answer), ['DIGEST_INVALID']);
  }
  assert.equal((await registry.call('HEAD', `/v2/app/blobs/${sha256(bytes)}`)).status, 404);
  assert.equal(uploads().length, before);
});

test('a blob over the limit is cut off, announced or not', async () => {
  const bytes = randomBytes((1 << 20) + 1);
  for (const isStream of [false, true]) {
    const location = await begin();
    const body = isStream ? new Blob([bytes]).stream() : bytes;
    const answer = await registry.call('PATCH', location, { body });
    assert.equal(answer.status, 413);
    assert.deepEqual(await codesOf(answer), ['SIZE_INVALID']);
    assert.equal((await registry.call('GET', location)).headers.get('range'), '0-0', 'the upload is as it was');
  }
});

test('manifests that lie are refused by name of the lie', async () => {
  const image = await registry.pushImage('app', 'v1');
  const body = JSON.parse(image.bytes.toString()) as Record<string, unknown>;
  const lies: readonly (readonly [unknown, number, string])[] = [
    [{ ...body, config: { ...image.config, size: image.config.size + 1 } }, 400, 'MANIFEST_INVALID'],
    [{ ...body, config: { ...image.config, digest: `sha256:${'0'.repeat(64)}` } }, 404, 'MANIFEST_BLOB_UNKNOWN'],
    [{ ...body, config: { ...image.config, digest: 'sha256:1' } }, 400, 'MANIFEST_INVALID'],
    [{ ...body, config: { ...image.config, size: -1 } }, 400, 'MANIFEST_INVALID'],
    [{ ...body, config: null }, 400, 'MANIFEST_INVALID'],
    [{ ...body, layers: 'all' }, 400, 'MANIFEST_INVALID'],
    [{ ...body, layers: [null] }, 400, 'MANIFEST_INVALID'],
    [{ ...body, schemaVersion: 1 }, 400, 'MANIFEST_INVALID'],
    [{ ...body, mediaType: INDEX }, 400, 'MANIFEST_INVALID'],
    [{ ...body, subject: 'x' }, 400, 'MANIFEST_INVALID'],
    [{ ...body, layers: Array.from({ length: 10_001 }, () => image.config) }, 400, 'MANIFEST_INVALID'],
    [Buffer.from('{'), 400, 'MANIFEST_INVALID'],
    [Buffer.from([0xff, 0xfe, 0x7b]), 400, 'MANIFEST_INVALID'],
    [[], 400, 'MANIFEST_INVALID'],
    [Buffer.from('['.repeat(100_000)), 400, 'MANIFEST_INVALID'],
  ];
  for (const [manifest, status, code] of lies) {
    const answer = await put('lie', manifest);
    assert.equal(answer.status, status, JSON.stringify(manifest).slice(0, 200));
    assert.deepEqual(await codesOf(answer), [code]);
  }
  assert.equal((await registry.call('GET', '/v2/app/manifests/lie')).status, 404);
  const index = {
    schemaVersion: 2,
    mediaType: INDEX,
    manifests: [{ ...image.descriptor, digest: `sha256:${'4'.repeat(64)}` }],
  };
  assert.deepEqual(await codesOf(await put('lie', index, INDEX)), ['MANIFEST_BLOB_UNKNOWN']);
});

test('annotations and labels that are called as members of objects are only data', async () => {
  const text =
    '{"os":"linux","architecture":"amd64","config":{"Labels":{"__proto__":"x","constructor":"y"}},"rootfs":{"type":"layers","diff_ids":[]}}';
  const config = await registry.pushBlob('app', Buffer.from(text), CONFIG);
  const body = `{"schemaVersion":2,"mediaType":"${MANIFEST}","config":${JSON.stringify(config)},"layers":[],"annotations":{"__proto__":"a"}}`;
  assert.equal((await put('proto', Buffer.from(body))).status, 201);
  assert.equal((await registry.call('GET', '/v2/_gantry/repositories/app/manifests/proto')).status, 200);
});

test('indexes nest as deep as somebody likes, one push a level', async () => {
  let below = (await registry.pushImage('deep')).descriptor;
  for (let level = 0; level < 60; level++) {
    below = await registry.pushManifest(
      'deep',
      `l${level}`,
      { schemaVersion: 2, mediaType: INDEX, manifests: [below], annotations: { level: String(level) } },
      INDEX,
    );
  }
  assert.equal((await registry.call('GET', '/v2/deep/manifests/l59')).status, 200);
});

test('an upload is finished once, and by one', async () => {
  const bytes = randomBytes(200_000);
  const location = await begin();
  const url = `${location}?digest=${sha256(bytes)}`;
  const statuses = await Promise.all(
    [1, 2, 3].map(async () => (await registry.call('PUT', url, { body: bytes })).status),
  );
  assert.equal(statuses.filter((status) => status === 201).length, 1, statuses.join());
  assert.equal((await registry.call('PUT', url, { body: bytes })).status, 404);
  const got = Buffer.from(await (await registry.call('GET', `/v2/app/blobs/${sha256(bytes)}`)).arrayBuffer());
  assert.equal(sha256(got), sha256(bytes));
});

test('two clients that write into one upload do not mix', async () => {
  const location = await begin();
  const piece = (fill: number) =>
    registry.call('PATCH', location, { body: Buffer.alloc(100_000, fill), headers: { 'content-range': '0-99999' } });
  const statuses = (await Promise.all([piece(1), piece(2)])).map(({ status }) => status).sort();
  assert.deepEqual(statuses, [202, 416]);
  assert.equal((await registry.call('GET', location)).headers.get('range'), '0-99999');
});

test('an upload of one repository is none of another', async () => {
  const location = (await begin()).replace('/v2/app/', '/v2/other/');
  assert.equal((await registry.call('GET', location)).status, 404);
  assert.equal((await registry.call('DELETE', location)).status, 404);
});

test('a client that dies in the middle loses nothing that arrived, and can go on', async () => {
  const bytes = randomBytes(300_000);
  const location = await begin();
  const head = `PATCH ${location} HTTP/1.1\r\nHost: x\r\nContent-Length: ${bytes.length}\r\n\r\n`;
  await raw(Buffer.concat([Buffer.from(head), bytes.subarray(0, 100_000)]), 300);
  let size = 0;
  for (let i = 0; i < 100 && size !== 100_000; i++) {
    const range = (await registry.call('GET', location)).headers.get('range') ?? '';
    size = Number(range.split('-')[1]) + 1;
    if (size !== 100_000) await sleep(20);
  }
  assert.equal(size, 100_000);
  const answer = await registry.call('PUT', `${location}?digest=${sha256(bytes)}`, {
    body: bytes.subarray(100_000),
    headers: { 'content-range': '100000-299999' },
  });
  assert.equal(answer.status, 201);
});

test('paths that climb reach nothing', async () => {
  const paths = [
    '/v2/..%2f..%2f..%2fetc/manifests/passwd',
    '/v2/app/blobs/..%2f..%2fregistry.db',
    '/v2/app/blobs/sha256:..%2f..%2fregistry.db',
    '/v2/app/blobs/uploads/..%2f..%2fregistry.db',
    '/v2/app/manifests/..%2f..%2fregistry.db',
    '/_gantry/..%2f..%2fregistry.db',
    '/v2/app%00/manifests/v1',
    '/v2/%ff/manifests/v1',
    '/v2/app/manifests/%e0%80',
  ];
  for (const path of paths) {
    const got = await raw(`GET ${path} HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n`);
    assert.match(got, /^HTTP\/1\.1 4\d\d /, path);
    assert.doesNotMatch(got, /SQLite format/, path);
  }
});

test('bytes that are no HTTP, endless headers and headers that split are turned away', async () => {
  assert.match(await raw('nonsense\r\n\r\n'), /^HTTP\/1\.1 400 /);
  assert.match(await raw(`GET /v2/ HTTP/1.1\r\nHost: x\r\nX: ${'y'.repeat(100_000)}\r\n\r\n`), /^HTTP\/1\.1 4\d\d /);
  const split = await raw(
    'GET /v2/app/tags/list?last=%0d%0aX-Evil:%201 HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n',
  );
  assert.doesNotMatch(split, /X-Evil/);
  const host = await raw('GET /v2/ HTTP/1.1\r\nHost: "evil\r\nConnection: close\r\n\r\n');
  assert.match(host, /^HTTP\/1\.1 (200|400)/);
});

test('a page of another site can neither push nor delete through a browser', async () => {
  const image = await registry.pushImage('app', 'kept');
  const headers = { 'sec-fetch-site': 'cross-site', origin: 'https://evil.example' };
  for (const [method, path] of [
    ['DELETE', `/v2/app/manifests/${image.digest}`],
    ['POST', '/v2/app/blobs/uploads/'],
    ['PUT', '/v2/app/manifests/kept'],
  ] as const) {
    const answer = await registry.call(method, path, { headers });
    assert.equal(answer.status, 403, `${method} ${path}`);
    assert.deepEqual(await codesOf(answer), ['DENIED']);
  }
  assert.equal((await registry.call('GET', '/v2/app/manifests/kept')).status, 200);
});

test('a browser that asks first is told the methods, and by the configured headers who may', async () => {
  await using shown = await startRegistry({ headers: { 'Access-Control-Allow-Origin': 'https://ui.example' } });
  const image = await shown.pushImage('app', 'v1');
  const headers = { origin: 'https://ui.example', 'sec-fetch-site': 'cross-site' };
  const answer = await shown.call('OPTIONS', '/v2/app/manifests/v1', { headers });
  assert.equal(answer.status, 204);
  assert.match(answer.headers.get('allow') ?? '', /DELETE/);
  assert.equal(answer.headers.get('access-control-allow-origin'), 'https://ui.example');
  assert.equal((await shown.call('DELETE', `/v2/app/manifests/${image.digest}`, { headers })).status, 202);
});

test('a reader that takes nothing holds no memory', async () => {
  const blob = await registry.pushBlob('app', randomBytes(1 << 20));
  const before = process.memoryUsage().external;
  const { hostname, port } = new URL(registry.url);
  const sockets = Array.from({ length: 40 }, () => {
    const socket = connect(Number(port), hostname);
    socket.pause();
    socket.write(`GET /v2/app/blobs/${blob.digest} HTTP/1.1\r\nHost: x\r\n\r\n`.repeat(20));
    return socket;
  });
  await sleep(500);
  const grown = process.memoryUsage().external - before;
  for (const socket of sockets) socket.destroy();
  assert.ok(grown < 40 << 20, `${grown} bytes`);
  assert.equal((await registry.call('GET', '/v2/')).status, 200);
});

test('abandoned uploads go away', async () => {
  await using short = await startRegistry({ uploadExpiryMs: 1500, garbageEveryMs: 60 });
  await begin(short);
  await short.call('PATCH', await begin(short), { body: Buffer.from('x') });
  assert.equal(uploads(short).length, 2);
  for (let i = 0; i < 1000 && uploads(short).length > 0; i++) await sleep(20);
  assert.deepEqual(uploads(short), []);
});
