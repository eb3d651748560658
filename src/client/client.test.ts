// Pins the client to the wire: version, errors, an unreachable daemon, and the raw takeover with half-close.
import assert from 'node:assert/strict';
import { mkdtempSync, rmSync } from 'node:fs';
import { createServer, type RequestListener, type Server } from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { createClient, isApiError } from './index.ts';

interface Daemon extends AsyncDisposable {
  readonly host: string;
  readonly server: Server;
}

async function daemonWith(listener: RequestListener): Promise<Daemon> {
  const folder = mkdtempSync(join(tmpdir(), 'gantry-client-'));
  const server = createServer(listener);
  await new Promise<void>((resolve) => server.listen(join(folder, 's.sock'), resolve));
  return {
    host: `unix://${join(folder, 's.sock')}`,
    server,
    [Symbol.asyncDispose]: async () => {
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
      rmSync(folder, { recursive: true });
    },
  };
}

function versionsSeen(apiVersion: string | undefined, seen: string[]): RequestListener {
  return (request, response) => {
    seen.push(`${request.method} ${request.url}`);
    if (apiVersion !== undefined) response.setHeader('Api-Version', apiVersion);
    response.end(request.url === '/_ping' ? undefined : '[]');
  };
}

test('one ping decides the version: the lower of both, 1.24 when the daemon is silent', async () => {
  for (const [offered, used] of [
    ['1.47', '1.47'],
    ['1.99', '1.51'],
    [undefined, '1.24'],
  ] as const) {
    const seen: string[] = [];
    await using daemon = await daemonWith(versionsSeen(offered, seen));
    using client = createClient({ host: daemon.host });
    await client.containers.list();
    await client.images.list();
    assert.deepEqual(seen, ['HEAD /_ping', `GET /v${used}/containers/json`, `GET /v${used}/images/json`]);
  }
});

test('a pinned version needs no ping', async () => {
  const seen: string[] = [];
  await using daemon = await daemonWith(versionsSeen('1.51', seen));
  using client = createClient({ host: daemon.host, apiVersion: '1.40' });
  await client.networks.list({ name: ['b', 'a'] });
  const filters = encodeURIComponent('{"name":{"a":true,"b":true}}');
  assert.deepEqual(seen, [`GET /v1.40/networks?filters=${filters}`]);
});

test('a failure carries the status and the daemon words; starting what runs is none', async () => {
  await using daemon = await daemonWith((request, response) => {
    response.statusCode = request.url?.endsWith('/start') ? 304 : 409;
    response.end(request.url?.endsWith('/start') ? undefined : '{"message":"in use"}\n');
  });
  using client = createClient({ host: daemon.host, apiVersion: '1.51' });
  await client.containers.start('c');
  await assert.rejects(client.containers.remove('c'), (error: unknown) => {
    assert.ok(isApiError(error, 409));
    return error.message === 'in use' && error.kind === 'conflict';
  });
});

test('a daemon that is not there is named, with what to do', async () => {
  using client = createClient({ host: 'unix:///nonexistent/d.sock' });
  await assert.rejects(client.system.info(), {
    message: 'Cannot connect to the Docker daemon at unix:///nonexistent/d.sock. Is the docker daemon running?',
    code: 'DAEMON_UNREACHABLE',
    kind: 'unavailable',
  });
  assert.throws(() => createClient({ host: 'foo://x' }), { code: 'HOST_INVALID' });
});

test('output goes on after stdin has ended', async () => {
  await using daemon = await daemonWith((_request, response) => response.end());
  daemon.server.on('upgrade', (_request, socket) => {
    socket.write('HTTP/1.1 101 UPGRADED\r\nContent-Type: application/vnd.docker.raw-stream\r\n');
    socket.write('Connection: Upgrade\r\nUpgrade: tcp\r\n\r\nearly,');
    let typed = '';
    socket.on('data', (chunk: Buffer) => {
      typed += chunk.toString();
    });
    socket.on('end', () => socket.end(`got ${typed}`));
  });
  using client = createClient({ host: daemon.host, apiVersion: '1.51' });
  const { socket, head, raw } = await client.containers.attach('c', { stream: true, stdin: true, stdout: true });
  socket.end('typed');
  let output = head.toString();
  for await (const chunk of socket) output += String(chunk);
  assert.equal(output, 'early,got typed');
  assert.equal(raw, true);
});
