// Owns Node's HTTP(S) server for registry clients: limits, time-outs, certificates that change while it runs. Routes nothing.

import { readFileSync, statSync } from 'node:fs';
import { createServer, type RequestListener, type Server } from 'node:http';
import { createServer as createTlsServer, type Server as TlsServer } from 'node:https';
import type { Socket } from 'node:net';
import type { SecureContextOptions } from 'node:tls';
import { GantryError, messageOf } from '../../lib/errors.ts';
import { Periodic } from '../../store/jobs/index.ts';
import type { TlsConfig } from '../config/types.ts';
import type { Log } from '../types.ts';

const MAX_HEADER_BYTES = 64 * 1024;
const HEADERS_TIMEOUT_MS = 30_000;
const KEEP_ALIVE_MS = 75_000;
/** A connection on which nothing moves for so long is let go: bodies that stall, answers that nobody reads. */
const IDLE_MS = 300_000;
const TLS_CHECK_MS = 5_000;

export interface ServerOptions {
  readonly host: string;
  readonly port: number;
  readonly tls: TlsConfig | undefined;
  readonly listener: RequestListener;
  readonly log: Log;
}

/** A listening server. Disposing it lets running requests end for a while, then cuts them. */
export interface ListeningServer extends AsyncDisposable {
  readonly host: string;
  readonly port: number;
  /** `http://host:port` or `https://…`; of a server on every address, the one that this machine itself uses. */
  readonly url: string;
}

const DRAIN_MS = 5_000;
const SWEEP_MS = 20;
/** Clients show it to whoever left the `s` out. */
const PLAIN_ON_TLS =
  'HTTP/1.0 400 Bad Request\r\nConnection: close\r\n\r\nthis registry speaks HTTPS: the request was plain HTTP\n';

/** @throws LISTEN_FAILED (system), ADDRESS_IN_USE (conflict), TLS_INVALID (invalid) */
export async function listen(options: ServerOptions): Promise<ListeningServer> {
  const { host, port, tls } = options;
  const shared = {
    maxHeaderSize: MAX_HEADER_BYTES,
    headersTimeout: HEADERS_TIMEOUT_MS,
    requestTimeout: 0,
    noDelay: true,
  };
  const server = tls
    ? createTlsServer({ ...shared, ...secureContext(tls) }, options.listener)
    : createServer(shared, options.listener);
  // By itself, Node gives leave to send a body before anybody was asked whether it is wanted.
  server.on('checkContinue', options.listener);
  server.keepAliveTimeout = KEEP_ALIVE_MS;
  server.timeout = IDLE_MS;
  const sockets = new Set<Socket>();
  server.on('connection', (socket: Socket) => {
    sockets.add(socket);
    socket.once('close', () => sockets.delete(socket));
  });
  server.on('clientError', (_error, socket) => refuse(socket as Socket));
  server.on('tlsClientError', (error: NodeJS.ErrnoException, { remoteAddress, remotePort }: Socket) => {
    if (error.code !== 'ERR_SSL_HTTP_REQUEST') return;
    for (const socket of sockets)
      if (socket.remotePort === remotePort && socket.remoteAddress === remoteAddress) socket.end(PLAIN_ON_TLS);
  });
  await started(server, host, port);
  const watcher = tls && watchCertificates(server as TlsServer, tls, options.log);
  const address = server.address();
  const bound = typeof address === 'object' && address !== null ? address.port : port;
  const shown = host === '' ? 'localhost' : host.includes(':') ? `[${host}]` : host;
  return {
    host,
    port: bound,
    url: `${tls ? 'https' : 'http'}://${shown}:${bound}`,
    async [Symbol.asyncDispose]() {
      await watcher?.[Symbol.asyncDispose]();
      await closed(server, sockets);
    },
  };
}

/** Requests under way get their answers; each connection goes as soon as it has none. */
function closed(server: Server, sockets: ReadonlySet<Socket>): Promise<void> {
  const closeIdle = (): void => {
    server.closeIdleConnections();
    // To Node, a connection that was opened in advance and never used is not idle.
    for (const socket of sockets) if (socket.bytesRead === 0) socket.destroy();
  };
  return new Promise((resolve) => {
    const sweeper = setInterval(closeIdle, SWEEP_MS);
    const timer = setTimeout(() => server.closeAllConnections(), DRAIN_MS);
    server.close(() => {
      clearInterval(sweeper);
      clearTimeout(timer);
      resolve();
    });
    closeIdle();
  });
}

function started(server: Server, host: string, port: number): Promise<void> {
  return new Promise((resolve, reject) => {
    server.once('error', (error: NodeJS.ErrnoException) => {
      const isTaken = error.code === 'EADDRINUSE';
      const message = `cannot listen on ${host}:${port} (--addr, http.addr): ${isTaken ? 'another process listens there' : messageOf(error)}`;
      const hint = isTaken ? 'stop it, or choose another --addr' : undefined;
      const [kind, code] = isTaken ? (['conflict', 'ADDRESS_IN_USE'] as const) : (['system', 'LISTEN_FAILED'] as const);
      reject(new GantryError(kind, code, message, { cause: error, hint }));
    });
    // Without a host it listens to IPv6 and IPv4, where the machine has both.
    server.listen({ ...(host === '' ? {} : { host }), port, backlog: 1024 }, () => {
      server.removeAllListeners('error');
      resolve();
    });
  });
}

function refuse(socket: Socket): void {
  if (socket.writable) socket.end('HTTP/1.1 400 Bad Request\r\nContent-Length: 0\r\nConnection: close\r\n\r\n');
  socket.destroySoon();
}

/** @throws TLS_INVALID */
function secureContext(tls: TlsConfig): SecureContextOptions & { requestCert: boolean; rejectUnauthorized: boolean } {
  try {
    const hasCa = tls.clientCaFiles.length > 0;
    return {
      cert: readFileSync(tls.certificateFile),
      key: readFileSync(tls.keyFile),
      minVersion: tls.minVersion,
      ...(hasCa ? { ca: tls.clientCaFiles.map((file) => readFileSync(file)) } : {}),
      requestCert: hasCa,
      rejectUnauthorized: hasCa,
    };
  } catch (cause) {
    throw new GantryError(
      'invalid',
      'TLS_INVALID',
      `cannot use the certificate and key of http.tls (--tls-cert, --tls-key): ${messageOf(cause)}`,
      { cause },
    );
  }
}

/** New connections get the new certificate; a broken pair is logged once and the old one stays. */
function watchCertificates(server: TlsServer, tls: TlsConfig, log: Log): Periodic {
  const files = [tls.certificateFile, tls.keyFile, ...tls.clientCaFiles];
  const stamp = (): string =>
    files
      .map((file) => {
        const facts = statSync(file, { throwIfNoEntry: false });
        return facts ? `${facts.mtimeMs} ${facts.size} ${facts.ino}` : 'gone';
      })
      .join();
  let known = stamp();
  const look = (): void => {
    const now = stamp();
    if (now === known) return;
    known = now;
    try {
      server.setSecureContext(secureContext(tls));
      log('info', 'the certificate was read anew');
    } catch (error) {
      log('error', `the certificate was not changed: ${messageOf(error)}`);
    }
  };
  const onError = (error: unknown): void => log('error', `the certificate: ${messageOf(error)}`);
  return new Periodic({ everyMs: TLS_CHECK_MS, run: look, onError }).start();
}
