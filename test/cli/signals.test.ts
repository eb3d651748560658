// Pins what Ctrl-C does to an attached run: the container gets it, and one that ignores it cannot hold the terminal for ever.
import assert from 'node:assert/strict';
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync } from 'node:fs';
import { createServer, type Server } from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Duplex } from 'node:stream';
import { text } from 'node:stream/consumers';
import { test } from 'node:test';
import { fileURLToPath } from 'node:url';

const GANTRY = fileURLToPath(new URL('../../bin/gantry', import.meta.url));

/** A pretend daemon with one container that never ends, and the signals that it was sent. */
interface Ward extends AsyncDisposable {
  readonly host: string;
  readonly signals: string[];
  /** Resolves when the container is started. */
  readonly started: Promise<unknown>;
  /** Resolves when the container has got `count` signals. */
  got(count: number): Promise<void>;
}

async function openWard(): Promise<Ward> {
  const folder = mkdtempSync(join(tmpdir(), 'gantry-signals-'));
  const signals: string[] = [];
  const sockets = new Set<Duplex>();
  const server: Server = createServer((request, response) => {
    const url = new URL(request.url ?? '/', 'http://engine');
    const path = url.pathname.replace(/^\/v[\d.]+/, '');
    request.resume();
    response.setHeader('Api-Version', '1.51');
    if (path.endsWith('/wait')) return void response.flushHeaders();
    if (path.endsWith('/kill')) signals.push(url.searchParams.get('signal') ?? '');
    if (path.endsWith('/create')) return void response.writeHead(201).end('{"Id":"c1"}');
    response.writeHead(path === '/_ping' ? 200 : 204).end();
    if (path.endsWith('/start')) server.emit('started');
    if (path.endsWith('/kill')) server.emit('signalled');
  });
  server.on('upgrade', (request, socket) => {
    sockets.add(socket);
    socket.on('error', () => {});
    request.resume();
    socket.write('HTTP/1.1 101 UPGRADED\r\nConnection: Upgrade\r\nUpgrade: tcp\r\n\r\n');
  });
  const path = join(folder, 'engine.sock');
  await new Promise<void>((resolve) => server.listen(path, resolve));
  return {
    host: `unix://${path}`,
    signals,
    started: once(server, 'started'),
    got: async (count) => {
      while (signals.length < count) await once(server, 'signalled');
    },
    [Symbol.asyncDispose]: async () => {
      for (const socket of sockets) socket.destroy();
      server.close();
      server.closeAllConnections();
      rmSync(folder, { recursive: true, force: true });
    },
  };
}

function run(host: string, ...args: string[]): ChildProcess {
  return spawn(GANTRY, ['-H', host, 'run', ...args, 'busybox'], { stdio: ['ignore', 'pipe', 'pipe'] });
}

test('the third Ctrl-C ends a run whose process ignores it; the first two are the container’s', async () => {
  await using ward = await openWard();
  const child = run(ward.host);
  const words = text(child.stderr as NodeJS.ReadableStream);
  await ward.started;
  for (const [at, signal] of (['SIGINT', 'SIGTERM', 'SIGINT'] as const).entries()) {
    child.kill(signal);
    if (at < 2) await ward.got(at + 1);
  }
  const [code] = (await once(child, 'exit')) as [number | null];
  assert.equal(code, 1);
  assert.equal(await words, '\ngot 3 SIGTERM/SIGINTs, forcefully exiting\n');
  assert.deepEqual(ward.signals, ['INT', 'TERM']);
});

test('with --sig-proxy=false the container hears of none', async () => {
  await using ward = await openWard();
  const child = run(ward.host, '--sig-proxy=false');
  await ward.started;
  const ended = once(child, 'exit');
  // The signals are no requests, so only their number tells when they have come.
  const timer = setInterval(() => child.kill('SIGINT'), 100);
  const [code] = (await ended) as [number | null];
  clearInterval(timer);
  assert.equal(code, 1);
  assert.deepEqual(ward.signals, []);
});
