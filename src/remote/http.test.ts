// Checks that no exchange with a registry is without a limit of time or size.

import assert from 'node:assert/strict';
import { Readable } from 'node:stream';
import { test } from 'node:test';
import { isGantryError } from '../lib/errors.ts';
import { RegistryError } from './errors.ts';
import { createHttp, discard, errorOf, type Http, readBody, type Timeouts } from './http.ts';
import { type FakeRegistry, type Misbehave, openFakeRegistry } from './testing/fake-registry.ts';

interface Talk extends AsyncDisposable {
  readonly http: Http;
  readonly server: FakeRegistry;
  get(signal?: AbortSignal): ReturnType<Http['open']>;
}

async function talkWith(answer: Misbehave, timeouts: Partial<Timeouts> = {}): Promise<Talk> {
  const server = await openFakeRegistry();
  server.misbehave = answer;
  const http = createHttp('gantry/1', { answerMs: 5_000, stallMs: 5_000, ...timeouts });
  const url = `http://${server.host}/x`;
  return {
    http,
    server,
    get: (signal = new AbortController().signal) => http.open({ method: 'GET', url, insecure: true, signal }),
    async [Symbol.asyncDispose]() {
      http[Symbol.dispose]();
      await server[Symbol.asyncDispose]();
    },
  };
}

const silent: Misbehave = () => true;

/** Sends the head and some bytes of more that never come. */
const stalling: Misbehave = (_request, response) => {
  response.writeHead(200, { 'Content-Length': 100 });
  response.write('some');
  return true;
};

const isTransient = (words: RegExp) => (error: unknown) =>
  error instanceof RegistryError && error.transient && words.test(error.message);

test('a registry that takes the request and never answers is given up', async () => {
  await using talk = await talkWith(silent, { answerMs: 50 });
  await assert.rejects(talk.get(), isTransient(/Get "http:.*": net\/http: timeout awaiting response headers/));
});

test('an answer that stops in mid-body is given up, and may be tried again', async () => {
  await using talk = await talkWith(stalling, { stallMs: 50 });
  await assert.rejects(readBody(await talk.get(), 1000, 'it'), isTransient(/no data for 50 ms/));
});

test('an answer whose line drops is an unexpected end', async () => {
  await using talk = await talkWith((_request, response) => {
    response.writeHead(200, { 'Content-Length': 100 });
    response.write('some', () => response.destroy());
    return true;
  });
  await assert.rejects(readBody(await talk.get(), 1000, 'the manifest'), isTransient(/the manifest: unexpected EOF/));
});

test('a reader that is slower than the registry’s patience gets every byte all the same', async () => {
  const body = Buffer.alloc(4 << 20, 'x');
  await using talk = await talkWith(
    (_request, response) => {
      response.end(body);
      return true;
    },
    { stallMs: 250 },
  );
  const answer = await talk.get();
  let bytes = 0;
  let pauses = 0;
  for await (const part of answer) {
    bytes += (part as Buffer).length;
    if (pauses++ < 2) await new Promise((resolve) => setTimeout(resolve, 400));
  }
  assert.equal(bytes, body.length);
});

test('an exchange that is called off ends with that word: before it, while waiting, and in mid-body', async () => {
  const isCancelled = (error: unknown): boolean => isGantryError(error, 'cancelled');
  await using waiting = await talkWith(silent);
  await assert.rejects(waiting.get(AbortSignal.abort()), isCancelled);
  assert.equal(waiting.server.seen.length, 0, 'nothing was asked');
  const stop = new AbortController();
  const asked = waiting.get(stop.signal);
  setTimeout(() => stop.abort(), 20);
  await assert.rejects(asked, isCancelled);
  await using body = await talkWith(stalling);
  const later = new AbortController();
  const answer = await body.get(later.signal);
  const read = readBody(answer, 1000, 'it');
  later.abort();
  await assert.rejects(read, (error) => isCancelled(error) || isTransient(/unexpected EOF/)(error));
});

test('a body over its limit is refused before it fills the memory', async () => {
  let sent = 0;
  await using talk = await talkWith((_request, response) => {
    const more = (): void => {
      while (!response.destroyed && response.write(Buffer.alloc(1 << 16))) sent++;
    };
    response.on('drain', more);
    more();
    return true;
  });
  await assert.rejects(readBody(await talk.get(), 1000, 'it'), /it is over 1000 bytes/);
  assert.ok(sent < 1000);
});

test('the rest of an answer that nobody wants is read, so that its connection serves again', async () => {
  let connections = 0;
  await using talk = await talkWith((request, response) => {
    if (request.socket.listenerCount('x') === 0) connections++;
    request.socket.on('x', () => {});
    response.end('little');
    return true;
  });
  for (let i = 0; i < 3; i++) {
    const answer = await talk.get();
    discard(answer);
    await new Promise((resolve) => answer.once('close', resolve));
  }
  assert.equal(connections, 1);
});

test('an answer without end that nobody wants is cut off', async () => {
  await using talk = await talkWith((_request, response) => {
    const more = (): void => {
      while (!response.destroyed && response.write(Buffer.alloc(1 << 16)));
    };
    response.on('drain', more);
    more();
    return true;
  });
  const answer = await talk.get();
  answer.on('error', () => {});
  discard(answer);
  await new Promise((resolve) => answer.once('close', resolve));
  assert.ok(answer.destroyed);
});

test('an error is told by its status though its body never comes to an end', async () => {
  await using talk = await talkWith(
    (_request, response) => {
      response.writeHead(404, { 'Content-Length': 100 });
      response.write('some');
      return true;
    },
    { stallMs: 50 },
  );
  const error = await errorOf(await talk.get());
  assert.deepEqual([error.status, error.code], [404, 'MANIFEST_UNKNOWN']);
});

test('a body that cannot be read ends the exchange, and its failure is the one that is told', async () => {
  await using talk = await talkWith(silent);
  const body = new Readable({ read: () => body.destroy(new Error('the disk is gone')) });
  const url = `http://${talk.server.host}/x`;
  const { signal } = new AbortController();
  await assert.rejects(talk.http.open({ method: 'PUT', url, body, insecure: true, signal }), /the disk is gone/);
});

test('a registry is told who asks', async () => {
  let agent: string | undefined;
  await using talk = await talkWith((request, response) => {
    agent = request.headers['user-agent'];
    response.end();
    return true;
  });
  discard(await talk.get());
  assert.equal(agent, 'gantry/1');
});
