// Waits on registries: each has a limit and a word, one caller's leaving is not another's failure, and a slow reader is no stall.

import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import { createServer, type IncomingMessage } from 'node:http';
import { type AddressInfo, createServer as createTcpServer, type Socket } from 'node:net';
import { Readable } from 'node:stream';
import { test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { isGantryError } from '../../src/lib/errors.ts';
import { RegistryClient, type Repository } from '../../src/remote/index.ts';
import { openFakeRegistry } from '../../src/remote/testing/fake-registry.ts';
import { digestOf } from '../../src/store/blobs.ts';
import { imageOf, layerOf, NEVER, openWorkbench, tarOf } from './support.ts';

const OPTIONS = { mirrors: [], insecure: [], maxConcurrentDownloads: 3 };
const BLOB = randomBytes(8 << 20);

function clientWith(ms: number): RegistryClient {
  return new RegistryClient(OPTIONS, { userAgent: 'test', timeouts: { answerMs: ms, stallMs: ms } });
}

function repositoryAt(client: RegistryClient, host: string, signal = NEVER): Repository {
  const endpoint = client.endpoints(host).at(-1);
  assert.ok(endpoint);
  return { endpoint, path: 'demo', credentials: {}, signal };
}

/** A server that takes connections and does with them what `take` does. */
async function openSilent(take: (socket: Socket) => void): Promise<{ readonly host: string } & AsyncDisposable> {
  const sockets = new Set<Socket>();
  const server = createTcpServer((socket) => {
    sockets.add(socket.on('error', () => {}));
    take(socket);
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  return {
    host: `127.0.0.1:${(server.address() as AddressInfo).port}`,
    async [Symbol.asyncDispose]() {
      for (const socket of sockets) socket.destroy();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}

test('a registry that takes the connection and never answers is given up with a word', async () => {
  await using silent = await openSilent(() => {});
  await using bench = openWorkbench({ stallMs: 200 });
  await assert.rejects(
    bench.images.pull({ reference: `${silent.host}/demo:1` }, bench.report, NEVER),
    /timeout awaiting response headers/,
  );
});

test('a registry that takes nothing of what is pushed is given up with a word', async () => {
  // It answers the ping and the begin of the upload, and reads no byte of the blob.
  const server = createServer((request, response) => {
    if (request.method === 'POST') response.writeHead(202, { Location: '/v2/demo/blobs/uploads/1' });
    if (request.method !== 'PUT') response.end();
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  try {
    using client = clientWith(300);
    const repository = repositoryAt(client, `127.0.0.1:${(server.address() as AddressInfo).port}`);
    const blob = { digest: digestOf(BLOB), sizeBytes: BLOB.length };
    const pieces = Array.from({ length: 128 }, (_, i) => BLOB.subarray(i << 16, (i + 1) << 16));
    await assert.rejects(
      client.pushBlob(repository, blob, async () => Readable.from(pieces)),
      /nothing could be sent for 300 ms/,
    );
  } finally {
    server.closeAllConnections();
    await new Promise((resolve) => server.close(resolve));
  }
});

test('a reader that is slower than the registry’s patience gets all the same every byte', async () => {
  await using registry = await openFakeRegistry();
  registry.blobs.set(digestOf(BLOB), BLOB);
  using client = clientWith(150);
  const answer: IncomingMessage = await client.openBlob(repositoryAt(client, registry.host), digestOf(BLOB), 0);
  let bytes = 0;
  for await (const piece of answer) {
    if (bytes === 0) await sleep(800);
    bytes += (piece as Buffer).length;
  }
  assert.equal(bytes, BLOB.length);
});

const IMAGE = imageOf([layerOf(tarOf({ name: 'a', data: 'a' }))]);

test('a pull that is called off while it waits for a token does not take down another that waits for the same', async () => {
  await using registry = await openFakeRegistry();
  registry.push('demo', '1', IMAGE);
  const answers: (() => void)[] = [];
  registry.misbehave = (request, response) => {
    if (request.url?.startsWith('/token')) {
      answers.push(() => response.end(JSON.stringify({ token: 'good' })));
      return true;
    }
    if (request.headers.authorization === 'Bearer good') return false;
    const challenge = `Bearer realm="http://${registry.host}/token",service="s"`;
    response.writeHead(401, { 'WWW-Authenticate': challenge }).end();
    return true;
  };
  await using bench = openWorkbench();
  const reference = `${registry.host}/demo:1`;
  const stop = new AbortController();
  const first = bench.images.pull({ reference }, bench.report, stop.signal);
  const second = bench.images.pull({ reference }, bench.report, NEVER);
  while (answers.length === 0) await sleep(5);
  await sleep(20);
  stop.abort();
  await assert.rejects(first, (error) => isGantryError(error, 'cancelled'));
  while (answers.length === 0) await sleep(5);
  const answering = setInterval(() => answers.shift()?.(), 10);
  try {
    assert.equal((await second).id, IMAGE.id);
  } finally {
    clearInterval(answering);
  }
});

test('a pull that waits for others’ downloads is called off at once', async () => {
  await using registry = await openFakeRegistry();
  const layers = Array.from({ length: 3 }, (_, i) => layerOf(tarOf({ name: `${i}`, data: randomBytes(1000) })));
  registry.push('busy', '1', imageOf(layers));
  registry.push('demo', '1', IMAGE);
  const held: (() => void)[] = [];
  registry.misbehave = (request, response) => {
    const layer = layers.find(({ blobDigest }) => request.url?.endsWith(blobDigest));
    if (layer) held.push(() => response.end(layer.blob));
    return layer !== undefined;
  };
  await using bench = openWorkbench();
  const busy = bench.images.pull({ reference: `${registry.host}/busy:1` }, () => {}, NEVER);
  while (held.length < 3) await sleep(5);
  const stop = new AbortController();
  const waiting = bench.images.pull({ reference: `${registry.host}/demo:1` }, bench.report, stop.signal);
  while (!bench.progress.some(({ status }) => status === 'Waiting')) await sleep(5);
  stop.abort();
  await assert.rejects(waiting, (error) => isGantryError(error, 'cancelled'));
  for (const answer of held) answer();
  assert.equal((await busy).diffIds.length, 3);
});

test('a load, an import and a save that are called off end with a word and leave nothing', async () => {
  await using bench = openWorkbench();
  const endless = async function* (): AsyncGenerator<Uint8Array> {
    yield tarOf({ name: 'a', data: 'a' }).subarray(0, -1024);
    await new Promise(() => {});
  };
  for (const verb of ['load', 'import'] as const) {
    const signal = AbortSignal.timeout(100);
    const work =
      verb === 'load'
        ? bench.images.load(endless(), bench.report, signal)
        : bench.images.import(endless(), { changes: [], message: '' }, bench.report, signal);
    await assert.rejects(work, (error) => isGantryError(error, 'cancelled'), verb);
    assert.deepEqual(bench.leftovers(), [], verb);
  }
  const big = tarOf({ name: 'big', data: randomBytes(4 << 20) });
  await bench.images.import(
    Readable.from([big]),
    { reference: 'big:1', changes: [], message: '' },
    bench.report,
    NEVER,
  );
  const stop = new AbortController();
  const saving = bench.images.save(['big:1'], stop.signal)[Symbol.asyncIterator]();
  await saving.next();
  stop.abort();
  await assert.rejects(
    async () => {
      while (!(await saving.next()).done);
    },
    (error) => isGantryError(error, 'cancelled'),
  );
});
