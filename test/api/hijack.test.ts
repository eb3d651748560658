// Owns what raw clients see of attach and exec: heads, half-close, early bytes, back-pressure, leaving.

import assert from 'node:assert/strict';
import { connect, type Socket } from 'node:net';
import { Duplex } from 'node:stream';
import { after, before, describe, it } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { createApiServer } from '../../src/api/index.ts';
import { createFrameDecoder } from '../../src/spec/stream/frames.ts';
import { type FakeApi, startFakeApi } from './support/fake-api.ts';
import { createFakeEngine } from './support/fake-engine.ts';
import { framed } from './support/fake-process.ts';
import { ask, readAll } from './support/raw-http.ts';

const UPGRADE = 'Connection: Upgrade\r\nUpgrade: tcp\r\n';
const OUR_HEADERS =
  'Api-Version: 1.51\r\nDocker-Experimental: false\r\nOstype: linux\r\nServer: Docker/0.0.1 (linux)\r\n';
const MULTIPLEXED = 'application/vnd.docker.multiplexed-stream';
const RAW = 'application/vnd.docker.raw-stream';
const head101 = (type: string, more = ''): string =>
  `HTTP/1.1 101 UPGRADED\r\nContent-Type: ${type}\r\nConnection: Upgrade\r\nUpgrade: tcp\r\n${more}\r\n`;
const head200 = (more = ''): string => `HTTP/1.1 200 OK\r\nContent-Type: ${RAW}\r\n${more}\r\n`;

describe('attach and exec on raw sockets', () => {
  let api: FakeApi;
  let count = 0;
  before(async () => {
    api = await startFakeApi();
  });
  after(() => api.close());

  const dial = (): Socket => connect({ path: api.socketPath, allowHalfOpen: true });
  const post = async (path: string, body?: unknown): Promise<Record<string, string>> => {
    const text = body === undefined ? undefined : JSON.stringify(body);
    const answer = await ask(api.host, { method: 'POST', path, body: text });
    assert.match(answer.statusLine, / 2\d\d /, answer.body);
    return answer.body === '' ? {} : JSON.parse(answer.body);
  };
  const create = async (command: string, more: object = {}): Promise<string> => {
    const name = `api-hijack-${++count}`;
    await post(`/containers/create?name=${name}`, { Image: 'busybox', Cmd: command.split(' '), ...more });
    return name;
  };
  const attachText = (name: string, headers = UPGRADE, version = ''): string =>
    `POST ${version}/containers/${name}/attach?stream=1&stdin=1&stdout=1&stderr=1 HTTP/1.1\r\nHost: x\r\n${headers}\r\n`;
  const execOn = async (name: string, body: object): Promise<string> => {
    const { Id } = await post(`/containers/${name}/exec`, { AttachStdout: true, ...body });
    return Id as string;
  };
  const startText = (id: string, body: string, headers = UPGRADE): string =>
    `POST /exec/${id}/start HTTP/1.1\r\nHost: x\r\n${headers}Content-Type: application/json\r\nContent-Length: ${body.length}\r\n\r\n${body}`;

  it('a client that upgrades gets exactly three headers, framed output and the end', async () => {
    const name = await create('echo hi');
    const socket = dial();
    socket.write(attachText(name));
    const all = readAll(socket);
    await sleep(20);
    await post(`/containers/${name}/start`);
    assert.equal((await all).toString(), head101(MULTIPLEXED) + framed('hi\n', false).toString());
  });

  it('a terminal is raw, and so is every stream before 1.42', async () => {
    const tty = await create('echo hi', { Tty: true });
    const socket = dial();
    socket.write(attachText(tty));
    const old = dial();
    old.write(attachText(await create('sleep'), UPGRADE, '/v1.41'));
    const [text, oldText] = [readAll(socket), readAll(old, 150)];
    await sleep(20);
    await post(`/containers/${tty}/start`);
    assert.equal((await text).toString(), `${head101(RAW)}hi\n`);
    assert.equal((await oldText).toString(), head101(RAW));
  });

  it('a client that half-closes at once still gets all output, and only stdin ends', async () => {
    const name = await create('sleep');
    const socket = dial();
    socket.end(attachText(name));
    const all = readAll(socket);
    await sleep(20);
    await post(`/containers/${name}/start`);
    await sleep(20);
    assert.equal(api.fake.processOf(name)?.stdinEnded(), true);
    await post(`/containers/${name}/kill`);
    assert.equal((await all).toString(), head101(MULTIPLEXED));
  });

  it('input sent together with the request reaches the container', async () => {
    for (const [headers, head] of [
      [UPGRADE, head101(MULTIPLEXED)],
      ['', head200()],
      ['Content-Length: 0\r\n', head200()],
    ] as const) {
      const name = await create('cat');
      const socket = dial();
      socket.write(`${attachText(name, headers)}GET early `);
      const all = readAll(socket);
      await sleep(20);
      await post(`/containers/${name}/start`);
      socket.end('and late');
      const text = (await all).toString();
      assert.ok(text.startsWith(head), text);
      assert.equal(api.fake.processOf(name)?.stdinText(), 'GET early and late');
    }
  });

  it('a client without Upgrade gets 200, raw both ways, and its half-close ends stdin only', async () => {
    const name = await create('cat');
    const socket = dial();
    socket.write(attachText(name, ''));
    const all = readAll(socket);
    await sleep(20);
    await post(`/containers/${name}/start`);
    socket.write('hello\n');
    await sleep(20);
    socket.end();
    assert.equal((await all).toString(), head200() + framed('hello\n', false).toString());
  });

  it('a refused attach is a status line and plain text', async () => {
    for (const headers of [UPGRADE, '']) {
      const socket = dial();
      socket.write(attachText('nope', headers));
      const text = `HTTP/1.1 404 Not Found\r\nContent-Type: ${RAW}\r\n\r\nNo such container: nope\r\n`;
      assert.equal((await readAll(socket)).toString(), text);
    }
  });

  it('a client that vanishes leaves the container running', async () => {
    const name = await create('sleep');
    await post(`/containers/${name}/start`);
    const socket = dial();
    socket.write(attachText(name));
    await sleep(20);
    socket.destroy();
    await sleep(20);
    const answer = await ask(api.host, { method: 'GET', path: `/containers/${name}/json` });
    assert.equal(JSON.parse(answer.body).State.Status, 'running');
  });

  it("exec adds the daemon's headers, in both forms", async () => {
    const name = await create('sleep');
    await post(`/containers/${name}/start`);
    const hi = framed('hi\n', false).toString();
    const upgraded = dial();
    upgraded.write(startText(await execOn(name, { Cmd: ['echo', 'hi'] }), '{}'));
    assert.equal((await readAll(upgraded)).toString(), head101(MULTIPLEXED, OUR_HEADERS) + hi);
    const plain = dial();
    plain.write(startText(await execOn(name, { Cmd: ['echo', 'hi'] }), '{}', ''));
    assert.equal((await readAll(plain)).toString(), head200(OUR_HEADERS) + hi);
  });

  it('an exec body may come in pieces, in chunks, and with input behind it', async () => {
    const name = await create('sleep');
    await post(`/containers/${name}/start`);
    const head = head101(MULTIPLEXED, OUR_HEADERS);
    const expected = head + framed('in', false).toString();
    const piecewise = dial();
    const pieces = `${startText(await execOn(name, { Cmd: ['cat'], AttachStdin: true }), '{"Detach":false}')}in`;
    for (let at = 0; at < pieces.length; at += 60) {
      piecewise.write(pieces.slice(at, at + 60));
      await sleep(2);
    }
    piecewise.end();
    const answer = await readAll(piecewise);
    const output = createFrameDecoder().push(answer.subarray(head.length));
    assert.equal(answer.subarray(0, head.length).toString(), head);
    assert.equal(Buffer.concat(output.map((piece) => piece.payload)).toString(), 'in');

    const chunked = dial();
    const id = await execOn(name, { Cmd: ['cat'], AttachStdin: true });
    chunked.end(
      `POST /exec/${id}/start HTTP/1.1\r\nHost: x\r\n${UPGRADE}Content-Type: application/json\r\nTransfer-Encoding: chunked\r\n\r\n2\r\n{}\r\n0\r\n\r\nin`,
    );
    assert.equal((await readAll(chunked)).toString(), expected);
  });

  it('an exec has the terminal that it was made with, and its client the framing that it started with', async () => {
    const name = await create('sleep');
    await post(`/containers/${name}/start`);
    for (const made of [true, false]) {
      for (const started of [true, false]) {
        const socket = dial();
        const id = await execOn(name, { Cmd: ['echo', 'hi'], Tty: made });
        socket.write(startText(id, JSON.stringify({ Tty: started })));
        const expected = head101(started ? RAW : MULTIPLEXED, OUR_HEADERS) + framed('hi\n', started).toString();
        assert.equal((await readAll(socket)).toString(), expected, `made ${made}, started ${started}`);
      }
    }
  });

  it('an exec that cannot run, or has run, says so inside the stream; detached it is a status', async () => {
    const name = await create('sleep');
    await post(`/containers/${name}/start`);
    const missing = await execOn(name, { Cmd: ['nope'] });
    const socket = dial();
    socket.write(startText(missing, '{}'));
    assert.match((await readAll(socket)).toString(), /101 UPGRADED[\s\S]*executable file not found in \$PATH\r\n$/);
    const again = dial();
    again.write(startText(missing, '{}'));
    const text = (await readAll(again)).toString();
    assert.ok(text.endsWith(framed(`exec command ${missing} has already run\r\n`, false).toString()), text);
    const detached = await execOn(name, { Cmd: ['nope'] });
    const answer = await ask(api.host, { method: 'POST', path: `/exec/${detached}/start`, body: '{"Detach":true}' });
    assert.equal(answer.statusLine, 'HTTP/1.1 400 Bad Request');
    const second = await ask(api.host, { method: 'POST', path: `/exec/${detached}/start`, body: '{"Detach":true}' });
    assert.equal(second.statusLine, 'HTTP/1.1 409 Conflict');
  });

  it('an unknown exec is a JSON error, upgraded or not', async () => {
    for (const headers of [UPGRADE, '']) {
      const socket = dial();
      socket.write(startText('nope', '{}', headers));
      const text = (await readAll(socket, 200)).toString();
      assert.match(
        text,
        /^HTTP\/1.1 404 Not Found\r\nApi-Version: 1.51\r\n[\s\S]*\{"message":"No such exec instance: nope"[^\n]*\}\n$/,
      );
    }
  });
});

describe('a slow or vanished client', () => {
  /** Gives as much as it is asked for and counts it. */
  class Tap extends Duplex {
    given = 0;
    wasDestroyed = false;
    override _read(size: number): void {
      this.given += size;
      setImmediate(() => this.push(Buffer.alloc(size)));
    }
    override _write(_chunk: Buffer, _encoding: string, done: () => void): void {
      done();
    }
    override _destroy(error: Error | null, done: (error?: Error | null) => void): void {
      this.wasDestroyed = true;
      done(error);
    }
  }

  it('does not make the daemon pile up output, and its leaving frees the stream', async () => {
    const api = await startFakeApi();
    const fake = createFakeEngine();
    const tap = new Tap();
    const { engine } = fake;
    const containers = { ...engine.containers, attach: async () => ({ tty: true, stream: tap }) };
    const server = createApiServer({
      engine: { ...engine, containers },
      facts: { version: '0.0.1', experimental: false },
    });
    const path = `${api.socketPath}2`;
    await server.listen({ kind: 'unix', path });
    try {
      const socket = connect({ path });
      socket.write(`POST /containers/x/attach?stream=1&stdout=1 HTTP/1.1\r\nHost: x\r\n${UPGRADE}\r\n`);
      socket.pause();
      await sleep(200);
      const held = tap.given;
      await sleep(200);
      assert.equal(tap.given, held, 'output is still being read for a client that does not');
      assert.ok(held < 2 << 20, `${held} bytes were read ahead`);
      socket.destroy();
      await sleep(50);
      assert.equal(tap.wasDestroyed, true);
    } finally {
      await server.close(50);
      await api.close();
    }
  });
});
