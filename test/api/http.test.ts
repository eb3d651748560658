// Owns what any client sees of the HTTP front: connections, waiting answers, progress, listening and closing.

import assert from 'node:assert/strict';
import { once } from 'node:events';
import { statSync, writeFileSync } from 'node:fs';
import { request } from 'node:http';
import { connect as connectHttp2 } from 'node:http2';
import { connect, type Socket } from 'node:net';
import { after, before, describe, it } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import type { ApiContext } from '../../src/api/context.ts';
import { createApiServer } from '../../src/api/index.ts';
import { notYetHandlers } from '../../src/api/routes/not-yet.ts';
import { GantryError } from '../../src/lib/errors.ts';
import { ROUTES } from '../../src/spec/docker/routes.ts';
import { type FakeApi, startFakeApi } from './support/fake-api.ts';
import { ask, parseAnswer, readAll, requestText } from './support/raw-http.ts';

describe('the HTTP front', () => {
  let api: FakeApi;
  before(async () => {
    api = await startFakeApi();
  });
  after(() => api.close());
  const dial = (): Socket => connect({ path: api.socketPath, allowHalfOpen: true });
  const create = async (name: string, command: string): Promise<void> => {
    const body = JSON.stringify({ Image: 'busybox', Cmd: command.split(' ') });
    const answer = await ask(api.host, { method: 'POST', path: `/containers/create?name=${name}`, body });
    assert.equal(answer.statusLine, 'HTTP/1.1 201 Created');
  };

  it('keeps a connection for many requests, also when they come in one packet', async () => {
    const socket = dial();
    socket.write(requestText({ method: 'GET', path: '/_ping' }, true).repeat(3));
    const text = (await readAll(socket, 150)).toString();
    assert.equal(text.match(/HTTP\/1.1 200 OK/g)?.length, 3);
    assert.doesNotMatch(text, /^Connection:/im);
  });

  it('answers a client that half-closes behind its request', async () => {
    const socket = dial();
    socket.end(requestText({ method: 'GET', path: '/version' }, true));
    assert.match((await readAll(socket)).toString(), /200 OK[\s\S]*ApiVersion/);
  });

  it('answers HTTP/1.0, an empty Host and no Host', async () => {
    for (const text of [
      'GET /_ping HTTP/1.0\r\n\r\n',
      'GET /_ping HTTP/1.1\r\nHost:\r\n\r\n',
      'GET /_ping HTTP/1.1\r\n\r\n',
    ]) {
      const socket = dial();
      socket.write(text);
      assert.match((await readAll(socket, 100)).toString(), /200 OK[\s\S]*OK$/);
    }
  });

  it('answers an absolute request line without authority, as monitoring programs send it', async () => {
    for (const line of ['GET http:/_ping HTTP/1.0', 'GET http:///_ping HTTP/1.1', 'GET HTTPS:/v1.40/_ping HTTP/1.1']) {
      const socket = dial();
      socket.write(`${line}\r\n\r\n`);
      assert.match((await readAll(socket, 100)).toString(), /200 OK[\s\S]*OK$/);
    }
    const socket = dial();
    const text = 'GET http:/_ping HTTP/1.1\r\nHost: x\r\n\r\n';
    for (let round = 0; round < 3; round++) {
      socket.write(text);
      assert.match(String(await once(socket, 'data')), /200 OK/);
    }
    socket.destroy();
  });

  it('says of every call that it does not have yet what is missing and what to do, never that a page is', async () => {
    await create('api-there', 'sleep');
    await ask(api.host, { method: 'POST', path: '/containers/api-there/start' });
    const missing = new Set(Object.keys(notYetHandlers({ engine: api.fake.engine } as ApiContext)));
    for (const { id, method, path } of ROUTES) {
      if (!missing.has(id) || id === 'grpc') continue;
      const noun = path.startsWith('/networks') ? 'bridge' : 'api-there';
      const filled = path.replace('{name}', noun).replace('{checkpoint}', 'x');
      const body = method === 'POST' ? '{"Container":"api-there","Name":"mine"}' : undefined;
      const answer = await ask(api.host, { method, path: `${filled}?path=/&container=api-there`, body }, 100);
      assert.equal(answer.statusLine, 'HTTP/1.1 501 Not Implemented', id);
      if (method !== 'HEAD' && !id.startsWith('checkpoint')) {
        assert.match(JSON.parse(answer.body).message, /^this engine cannot .+ yet: .+/, id);
      }
    }
  });

  it('lets buildx see that the build cache is empty and that nothing builds', async () => {
    const headers = { Connection: 'Upgrade', Upgrade: 'h2c' };
    const asked = request({ socketPath: api.socketPath, method: 'POST', path: '/grpc', headers }).end();
    const [, socket, head] = (await once(asked, 'upgrade')) as [unknown, Socket, Buffer];
    socket.unshift(head);
    const session = connectHttp2('http://x', { createConnection: () => socket });
    const statusOf = async (call: string): Promise<unknown> => {
      const stream = session.request({ ':method': 'POST', ':path': `/moby.buildkit.v1.Control/${call}` });
      stream.resume();
      const [trailers] = await once(stream, 'trailers');
      return trailers['grpc-status'];
    };
    assert.deepEqual(await Promise.all(['Prune', 'DiskUsage', 'ListWorkers'].map(statusOf)), ['0', '0', '12']);
    session.destroy();
  });

  it('refuses what is no request with a bare 400', async () => {
    const socket = dial();
    socket.write('GARBAGE\r\n\r\n');
    const expected =
      'HTTP/1.1 400 Bad Request\r\nContent-Type: text/plain; charset=utf-8\r\nConnection: close\r\n\r\n400 Bad Request';
    assert.equal((await readAll(socket)).toString(), expected);
  });

  it('goes on serving a connection whose upgrade nobody wants', async () => {
    const headers = ['Connection: Upgrade', 'Upgrade: h2c'];
    const socket = dial();
    socket.write(requestText({ method: 'POST', path: '/session', headers }, true));
    const first = await new Promise<string>((resolve) => socket.once('data', (chunk) => resolve(chunk.toString())));
    assert.match(first, /501 Not Implemented/);
    socket.write(requestText({ method: 'GET', path: '/_ping' }, true));
    assert.match((await readAll(socket, 100)).toString(), /200 OK/);
  });

  it('refuses a body without bound, and says so', async () => {
    const socket = dial();
    const body = `{"Image":"${'x'.repeat(5 << 20)}"}`;
    socket.write(requestText({ method: 'POST', path: '/containers/create', body }));
    const answer = parseAnswer(await readAll(socket));
    assert.equal(answer.statusLine, 'HTTP/1.1 400 Bad Request');
    assert.match(answer.body, /request body too large/);
  });

  it('turns a bug into a 500 and lives on', async () => {
    api.fake.failNext('containers.start', new TypeError('x is not a function'));
    const answer = await ask(api.host, { method: 'POST', path: '/containers/x/start' });
    assert.equal(answer.statusLine, 'HTTP/1.1 500 Internal Server Error');
    assert.equal(answer.body, '{"message":"x is not a function"}\n');
    assert.equal((await ask(api.host, { method: 'GET', path: '/_ping' })).body, 'OK');
  });

  it('sends the headers of a wait before the container ends, and the code when it does', async () => {
    await create('api-wait', 'sleep');
    const socket = dial();
    socket.write(requestText({ method: 'POST', path: '/containers/api-wait/wait?condition=next-exit' }));
    const all = readAll(socket);
    const early = new Promise<string>((resolve) => socket.once('data', (chunk) => resolve(chunk.toString())));
    assert.match(await early, /^HTTP\/1.1 200 OK\r\n/);
    await ask(api.host, { method: 'POST', path: '/containers/api-wait/start' });
    await ask(api.host, { method: 'POST', path: '/containers/api-wait/kill' });
    assert.equal(parseAnswer(await all).body, '{"StatusCode":137}\n');
  });

  it('drops the wait of a client that has left', async () => {
    await create('api-wait-gone', 'sleep');
    const waits = (): number => api.fake.calls.filter((call) => call === 'containers.wait').length;
    const before = waits();
    for (const leave of [(socket: Socket) => socket.end(), (socket: Socket) => socket.destroy()]) {
      const socket = dial();
      socket.on('error', () => undefined);
      socket.resume();
      socket.write(requestText({ method: 'POST', path: '/containers/api-wait-gone/wait?condition=removed' }));
      await sleep(30);
      leave(socket);
      const closed = new Promise((resolve) => socket.once('close', resolve));
      await Promise.race([closed, sleep(1000).then(() => assert.fail('the wait goes on'))]);
    }
    assert.equal(waits() - before, 2);
  });

  it('sends event headers at once, then lines with Docker escapes, and the top fields of containers', async () => {
    const socket = dial();
    socket.write(requestText({ method: 'GET', path: '/events' }));
    const all = readAll(socket, 300);
    await new Promise((resolve) => socket.once('data', resolve));
    const { events } = api.fake.engine;
    events.publish({
      type: 'container',
      action: 'exec_start: sh -c a && b',
      actorId: 'c1',
      attributes: { name: 'n', image: 'i' },
    });
    events.publish({ type: 'network', action: 'connect', actorId: 'n1', attributes: {} });
    const lines = parseAnswer(await all)
      .body.trim()
      .split('\n');
    assert.match(
      lines[0] ?? '',
      /^\{"status":"exec_start: sh -c a \\u0026\\u0026 b","id":"c1","from":"i","Type":"container","Action":"exec_start: sh -c a \\u0026\\u0026 b","Actor":\{"ID":"c1","Attributes":\{"image":"i","name":"n"\}\},"scope":"local","time":\d+,"timeNano":\d{19}\}$/,
    );
    assert.match(lines[1] ?? '', /^\{"Type":"network",/);
  });

  it('lets a log reader follow until it leaves', async () => {
    await create('api-logs', 'cat');
    await ask(api.host, { method: 'POST', path: '/containers/api-logs/start' });
    const socket = dial();
    socket.write(requestText({ method: 'GET', path: '/containers/api-logs/logs?stdout=1&follow=1' }));
    const head = await new Promise<string>((resolve) => socket.once('data', (chunk) => resolve(chunk.toString())));
    assert.match(head, /multiplexed-stream/);
    socket.destroy();
  });

  it('decides the status of a pull at its first line', async () => {
    const pull = (image: string) =>
      ask(api.host, { method: 'POST', path: `/images/create?fromImage=${image}&tag=latest` });
    const missing = await pull('missing');
    assert.equal(missing.statusLine, 'HTTP/1.1 404 Not Found');
    const broken = await pull('broken');
    assert.equal(broken.statusLine, 'HTTP/1.1 200 OK');
    const bar = `[${'='.repeat(20)}\\u003e${' '.repeat(30)}]    1.2MB/3MB`;
    assert.equal(
      broken.body,
      [
        '{"status":"Pulling from broken","id":"latest"}',
        '{"status":"Pulling fs layer","progressDetail":{},"id":"aaaaaaaaaaaa"}',
        `{"status":"Downloading","progressDetail":{"current":1200000,"total":3000000},"progress":"${bar}","id":"aaaaaaaaaaaa"}`,
        '{"errorDetail":{"message":"unexpected \\u003cEOF\\u003e"},"error":"unexpected \\u003cEOF\\u003e"}',
        '',
      ].join('\r\n'),
    );
  });

  it('tells a failed upload to its sender instead of cutting the line', async () => {
    api.fake.failNext('images.load', new GantryError('invalid', 'BAD_ARCHIVE', 'invalid tar header'));
    const socket = dial();
    socket.write(`POST /images/load HTTP/1.1\r\nHost: x\r\nContent-Length: 1000000\r\n\r\n${'x'.repeat(500_000)}`);
    const answer = parseAnswer(await readAll(socket, 300));
    // Docker answers every load with 200 and tells the failure in the stream. @source dockerd 28.5
    assert.equal(answer.statusLine, 'HTTP/1.1 200 OK');
    assert.match(answer.body, /"errorDetail":\{"message":"invalid tar header"\}/);
  });

  it('takes uploads of any length', async () => {
    const socket = dial();
    socket.write('POST /images/load HTTP/1.1\r\nHost: x\r\nConnection: close\r\nContent-Length: 30000000\r\n\r\n');
    for (let left = 30; left > 0; left--) socket.write(Buffer.alloc(1_000_000));
    const answer = parseAnswer(await readAll(socket));
    assert.equal(answer.body, '{"stream":"Loaded image: bytes:30000000\\n"}\r\n');
  });

  it('cleans old habits out of create bodies', async () => {
    const body = JSON.stringify({ Image: 'busybox', cmd: 'ls', HostConfig: { AutoRemove: true, PidsLimit: -1 } });
    await ask(api.host, { method: 'POST', path: '/v1.24/containers/create?name=api-old&platform=zz/zz', body });
    const request = api.fake.created.at(-1);
    assert.deepEqual(request?.body.Cmd, ['ls']);
    assert.equal(request?.body.HostConfig?.AutoRemove, false);
    assert.equal(request?.body.HostConfig?.PidsLimit, null);
    assert.equal(request?.body.HostConfig?.IpcMode, 'shareable');
    assert.equal(request?.platform, undefined);
  });
});

describe('listening and closing', () => {
  it('makes a socket for its group only, replaces a dead one, refuses a living one', async () => {
    const api = await startFakeApi();
    assert.equal(statSync(api.socketPath).mode & 0o777, 0o660);
    const facts = { version: '0.0.1', experimental: false };
    const other = createApiServer({ engine: api.fake.engine, facts });
    await assert.rejects(other.listen({ kind: 'unix', path: api.socketPath }), { code: 'ADDRESS_IN_USE' });
    writeFileSync(`${api.socketPath}.file`, '');
    await assert.rejects(other.listen({ kind: 'unix', path: `${api.socketPath}.file` }), { code: 'LISTEN_FAILED' });
    await other.close(10);
    await api.close();
  });

  it('warns in info of a TCP address, and answers there', async () => {
    const api = await startFakeApi();
    const address = await api.server.listen({ kind: 'tcp', host: '127.0.0.1', port: 0 });
    const answer = await ask(address, { method: 'GET', path: '/info' });
    assert.match(
      JSON.parse(answer.body).Warnings[0],
      /^WARNING: API is accessible on http:\/\/127\.0\.0\.1:\d+ without encryption\.\n/,
    );
    await api.close();
  });

  it('closes with open waits, events and attached clients, and cuts them', async () => {
    const api = await startFakeApi();
    const sockets = ['GET /events', 'POST /containers/x/attach?stream=1&stdin=1'].map((line) => {
      const socket = connect({ path: api.socketPath });
      socket.on('error', () => undefined);
      socket.write(`${line} HTTP/1.1\r\nHost: x\r\n\r\n`);
      return new Promise((resolve) => socket.resume().once('close', resolve));
    });
    await sleep(50);
    await api.close();
    await Promise.all(sockets);
  });
});
