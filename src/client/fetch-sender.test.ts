// Pins the client over fetch to a real HTTP server: answers, uploads, failures, and the refusal to take a connection over.
import assert from 'node:assert/strict';
import { once } from 'node:events';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { Readable } from 'node:stream';
import { buffer, text } from 'node:stream/consumers';
import { test } from 'node:test';
import { type Client, createClient, FetchSender, isApiError } from './index.ts';

interface Seen {
  readonly line: string;
  readonly headers: IncomingMessage['headers'];
  readonly body: string;
}

interface Daemon extends AsyncDisposable {
  readonly host: string;
  readonly seen: readonly Seen[];
  client(): Client;
}

/** A daemon behind the path `/engine` that answers with `answer` once it has read the request. */
async function daemonWith(answer: (response: ServerResponse, seen: Seen) => void): Promise<Daemon> {
  const seen: Seen[] = [];
  const server = createServer(async (request, response) => {
    const { method, url, headers } = request;
    const entry = { line: `${method} ${url}`, headers, body: await text(request).catch(() => 'cut short') };
    seen.push(entry);
    answer(response, entry);
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const host = `http://127.0.0.1:${(server.address() as AddressInfo).port}/engine/`;
  return {
    host,
    seen,
    client: () => createClient({ host, apiVersion: '1.51', sender: new FetchSender(host), headers: { 'X-Own': 'a' } }),
    [Symbol.asyncDispose]: async () => {
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}

test('a call over fetch has the path, query, headers and body of one over a socket', async () => {
  await using daemon = await daemonWith((response) => response.end('{"Id":"x"}'));
  using client = daemon.client();
  assert.equal((await client.containers.create({ Image: 'é' }, { name: 'n' })).Id, 'x');
  await client.containers.list({ all: true });
  const [create, list] = daemon.seen;
  assert.equal(create?.line, 'POST /engine/v1.51/containers/create?name=n');
  assert.equal(create?.body, '{"Image":"é"}');
  assert.equal(create?.headers['content-type'], 'application/json');
  assert.equal(create?.headers['content-length'], '14');
  assert.equal(create?.headers['x-own'], 'a');
  assert.equal(list?.line, 'GET /engine/v1.51/containers/json?all=1');
});

test('the version is negotiated over fetch, also with a daemon that refuses HEAD', async () => {
  await using daemon = await daemonWith((response, { line }) => {
    if (line.startsWith('HEAD')) response.statusCode = 405;
    response.setHeader('Api-Version', '1.47');
    response.end(line.includes('_ping') ? 'OK' : '[]');
  });
  using client = createClient({ host: daemon.host, sender: new FetchSender(daemon.host) });
  await client.images.list();
  const lines = daemon.seen.map(({ line }) => line);
  assert.deepEqual(lines, ['HEAD /engine/_ping', 'GET /engine/_ping', 'GET /engine/v1.47/images/json']);
});

test('a failure over fetch carries the status and the text of the daemon; to start a running container is none', async () => {
  await using daemon = await daemonWith((response, { line }) => {
    response.statusCode = line.endsWith('/start') ? 304 : 409;
    response.end(line.endsWith('/start') ? undefined : '{"message":"in use"}\n');
  });
  using client = daemon.client();
  await client.containers.start('c');
  await assert.rejects(client.containers.remove('c'), (error: unknown) => {
    return isApiError(error, 409) && error.message === 'in use';
  });
});

test('a tar is sent piece by piece and read as Buffers', async () => {
  await using daemon = await daemonWith((response, { body }) =>
    response.end(body === '' ? 'tar out' : '{"stream":"ok"}'),
  );
  using client = daemon.client();
  const pieces = Readable.from([Buffer.from('one,'), Buffer.from('two')]);
  const messages = await Array.fromAsync(await client.images.load(pieces, { quiet: true }));
  assert.deepEqual(messages, [{ stream: 'ok' }]);
  assert.equal(daemon.seen[0]?.body, 'one,two');
  assert.equal(daemon.seen[0]?.headers['content-type'], 'application/x-tar');
  const tar = await client.images.save(['a', 'b']);
  assert.equal((await buffer(tar)).toString(), 'tar out');
  assert.equal(daemon.seen[1]?.line, 'GET /engine/v1.51/images/get?names=a&names=b');
});

test('a source that fails while it is sent is the failure of the call', async () => {
  await using daemon = await daemonWith((response) => response.end());
  using client = daemon.client();
  const source = Readable.from(
    (async function* () {
      yield Buffer.from('one');
      throw new Error('disk on fire');
    })(),
  );
  await assert.rejects(client.containers.writeArchive('c', '/', source), { message: 'disk on fire' });
});

test('lines arrive as the daemon writes them, and the end of the iteration ends the request', async () => {
  let closed: Promise<unknown> | undefined;
  await using daemon = await daemonWith((response) => {
    closed = once(response, 'close');
    response.write('{"Action":"start"}\n');
  });
  using client = daemon.client();
  for await (const event of await client.events()) {
    assert.equal(event.Action, 'start');
    break;
  }
  await closed;
});

test('an archive that is dropped unread ends its request', async () => {
  let closed: Promise<unknown> | undefined;
  await using daemon = await daemonWith((response) => {
    closed = once(response, 'close');
    const stat = Buffer.from('{"name":"é","size":1,"mode":420,"mtime":"","linkTarget":""}').toString('base64');
    response.writeHead(200, { 'X-Docker-Container-Path-Stat': stat }).write('tar');
  });
  using client = daemon.client();
  const { stat, archive } = await client.containers.readArchive('c', '/é');
  assert.equal(stat.name, 'é');
  archive.destroy();
  await closed;
});

test('an abort ends a call over fetch with its reason', async () => {
  await using daemon = await daemonWith((response) => response.writeHead(200).flushHeaders());
  using client = daemon.client();
  const stop = new AbortController();
  const stream = await client.containers.logs('c', { stdout: true, follow: true, signal: stop.signal });
  stop.abort(new Error('enough'));
  await assert.rejects(text(stream), { message: 'enough' });
  await assert.rejects(client.containers.logs('c', { signal: stop.signal }), { message: 'enough' });
});

test('attach over fetch is refused by name', async () => {
  await using daemon = await daemonWith((response) => response.end());
  using client = daemon.client();
  await assert.rejects(client.containers.attach('c', { stream: true }), {
    kind: 'notImplemented',
    code: 'UPGRADE_UNSUPPORTED',
  });
  assert.deepEqual(daemon.seen, []);
});

test('a redirect is not followed', async () => {
  await using daemon = await daemonWith((response) => response.writeHead(301, { Location: '/elsewhere' }).end());
  using client = daemon.client();
  await client.containers.kill('c');
  assert.equal(daemon.seen.length, 1);
});

test('a daemon out of reach is named, and an address that is none of the web is refused', async () => {
  const daemon = await daemonWith(() => {});
  await daemon[Symbol.asyncDispose]();
  using client = daemon.client();
  await assert.rejects(client.system.info(), (error: unknown) => {
    const { code, params } = error as { code: string; params: object };
    assert.deepEqual(
      { code, params },
      { code: 'DAEMON_UNREACHABLE', params: { host: daemon.host, reason: 'ECONNREFUSED' } },
    );
    return true;
  });
  for (const host of ['unix:///run/x.sock', 'tcp://h:1', 'nonsense', '']) {
    assert.throws(() => new FetchSender(host), { code: 'HOST_INVALID' });
  }
});

test('the observer of calls sees those over fetch', async () => {
  await using daemon = await daemonWith((response) => response.setHeader('Server-Timing', 'a;dur=1').end('[]'));
  const noted: unknown[] = [];
  using client = createClient({
    host: daemon.host,
    apiVersion: '1.51',
    sender: new FetchSender(daemon.host),
    observer: {
      begin: (method, path) => ({
        headers: { Traceparent: 'x' },
        end: (answer) => void noted.push(method, path, answer?.['server-timing']),
      }),
    },
  });
  await client.networks.list();
  assert.deepEqual(noted, ['GET', '/networks', 'a;dur=1']);
  assert.equal(daemon.seen[0]?.headers.traceparent, 'x');
});
