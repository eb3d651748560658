// Owns Node's HTTP server as Docker's clients need it: no time limits on long answers, upgrades, half-close, broken requests.

import { createServer, type IncomingMessage, type Server, type ServerOptions, ServerResponse } from 'node:http';
import { createServer as createSecureServer } from 'node:https';
import type { Socket } from 'node:net';
import type { Duplex } from 'node:stream';
import { type Dispatcher, mayHijack, targetOf } from './dispatch.ts';
import type { ListenTls } from './listen.ts';
import {
  createRawConnections,
  leaveParser,
  type ParserComplaint,
  type RawConnections,
  upgradeTakeover,
} from './takeover.ts';

/** As Go's default; registry credentials and filters travel in headers and paths. */
const MAX_HEADER_BYTES = 1 << 20;
const HEADERS_TIMEOUT_MS = 60_000;

/** Connections that left HTTP. */
export interface TakenConnections {
  readonly all: Set<Duplex>;
  /** True when the client closed the connection, not only its own side of it. */
  readonly isGone: (connection: Duplex) => boolean;
}

/** A server that is not yet listening. */
export function createHttpServer(dispatch: Dispatcher, taken: TakenConnections, tls?: ListenTls): Server {
  const raw = createRawConnections();
  const server = openServer(tls, {
    maxHeaderSize: MAX_HEADER_BYTES,
    headersTimeout: HEADERS_TIMEOUT_MS,
    // A build, a load or a wait may take hours, and clients keep connections as long as they like.
    requestTimeout: 0,
    keepAliveTimeout: 0,
    requireHostHeader: false,
    shouldUpgradeCallback: (request: IncomingMessage) => mayHijack(targetOf(request.method ?? '', request.url ?? '')),
  });
  // A client that has sent its request may half-close and still wants the answer.
  (server as Server & { httpAllowHalfOpen: boolean }).httpAllowHalfOpen = true;
  server.on('request', (request, response) => onRequest(request, response, dispatch, raw, taken));
  server.on('upgrade', (request, socket, head) => onUpgrade(request, socket, head, dispatch, taken));
  server.on('clientError', (error: NodeJS.ErrnoException & ParserComplaint, socket) => {
    if (raw.claim(socket as Socket, error)) return;
    const request = withoutAuthority(error);
    if (request === undefined) refuse(socket as Socket, error);
    else serveAgain(server, tls ? 'secureConnection' : 'connection', socket as Socket, request);
  });
  return server;
}

/** A server over TLS has all of the other's behaviour. @source node:https */
function openServer(tls: ListenTls | undefined, options: ServerOptions): Server {
  if (tls === undefined) return createServer(options);
  const { cert, key, clientCa } = tls;
  const clients = clientCa === undefined ? {} : { ca: clientCa, requestCert: true, rejectUnauthorized: true };
  const http = { ...options, allowHalfOpen: true, ALPNProtocols: ['http/1.1'] };
  return createSecureServer({ ...http, cert, key, ...clients }) as unknown as Server;
}

function onRequest(
  request: IncomingMessage,
  response: ServerResponse,
  dispatch: Dispatcher,
  raw: RawConnections,
  taken: TakenConnections,
): void {
  const target = targetOf(request.method ?? '', request.url ?? '');
  if (!mayHijack(target)) {
    dispatch(request, response, target, NO_TAKEOVER);
    return;
  }
  const { socket } = request;
  raw.expect(socket);
  const { upgraded, take } = raw.takeover(response, socket);
  dispatch(request, response, target, { upgraded, take: () => remember(take(), taken) });
}

function onUpgrade(
  request: IncomingMessage,
  socket: Duplex,
  head: Buffer,
  dispatch: Dispatcher,
  taken: TakenConnections,
): void {
  socket.on('error', () => undefined);
  const response = new ServerResponse(request);
  response.shouldKeepAlive = false;
  response.assignSocket(socket as Socket);
  response.once('finish', () => {
    response.detachSocket(socket as Socket);
    socket.end();
    socket.resume();
  });
  const { upgraded, take } = upgradeTakeover(response, socket, head);
  const target = targetOf(request.method ?? '', request.url ?? '');
  dispatch(request, response, target, { upgraded, take: () => remember(take(), taken) });
}

const NO_TAKEOVER = {
  upgraded: false,
  take(): never {
    throw new Error('this route does not take connections over');
  },
};

/** How often a client that ended its side is looked at: of a silent container it would otherwise hear when that next speaks. */
const GONE_CHECK_MS = 5000;
const KEEP_ALIVE_MS = 30_000;

function remember(connection: Duplex, taken: TakenConnections): Duplex {
  taken.all.add(connection);
  // For TCP, where only the other machine knows.
  (connection as Socket).setKeepAlive?.(true, KEEP_ALIVE_MS);
  let timer: NodeJS.Timeout | undefined;
  connection.once('end', () => {
    timer = setInterval(() => taken.isGone(connection) && connection.destroy(), GONE_CHECK_MS).unref();
  });
  connection.once('close', () => {
    clearInterval(timer);
    taken.all.delete(connection);
  });
  return connection;
}

/**
 * The packet with `GET http:/info` written as `GET /info`: an absolute form without authority, as systeminformation and dockerstats send it,
 * which Go reads and Node's parser does not. Undefined for what is something else.
 */
function withoutAuthority({ code, rawPacket }: NodeJS.ErrnoException & ParserComplaint): Buffer | undefined {
  if (code !== 'HPE_INVALID_URL' || rawPacket === undefined) return undefined;
  const line = /^[A-Z]+ (https?:(?:\/\/)?)\//i.exec(rawPacket.toString('latin1', 0, LINE_START_BYTES));
  if (!line) return undefined;
  const [whole, scheme = ''] = line;
  const at = whole.length - 1 - scheme.length;
  return Buffer.concat([rawPacket.subarray(0, at), rawPacket.subarray(at + scheme.length)]);
}

/** The longest method and scheme. */
const LINE_START_BYTES = 32;

/** Gives a connection to a fresh parser, with `request` as its first bytes. */
function serveAgain(server: Server, event: 'connection' | 'secureConnection', socket: Socket, request: Buffer): void {
  leaveParser(socket);
  socket.unshift(request);
  server.emit(event, socket);
}

/** Answers bytes that are no HTTP request, as Go does. */
function refuse(socket: Socket, error: NodeJS.ErrnoException): void {
  if (error.code === 'ECONNRESET' || !socket.writable) {
    socket.destroy();
    return;
  }
  const status = error.code === 'HPE_HEADER_OVERFLOW' ? '431 Request Header Fields Too Large' : '400 Bad Request';
  socket.end(`HTTP/1.1 ${status}\r\nContent-Type: text/plain; charset=utf-8\r\nConnection: close\r\n\r\n${status}`);
  socket.destroySoon();
}
