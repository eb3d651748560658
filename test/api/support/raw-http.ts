// Owns HTTP/1.1 by hand over a socket, for tests that look at the bytes. Parses just enough of an answer.

import { connect, type NetConnectOpts, type Socket } from 'node:net';

/** `unix:///path` or `tcp://host:port` as connect options. */
function addressOf(host: string): NetConnectOpts {
  if (host.startsWith('unix://')) return { path: host.slice('unix://'.length), allowHalfOpen: true };
  const url = new URL(host);
  return { host: url.hostname, port: Number(url.port), allowHalfOpen: true };
}

export interface RawRequest {
  readonly method: string;
  readonly path: string;
  /** Header lines as they stand on the wire. */
  readonly headers?: readonly string[] | undefined;
  readonly body?: string | undefined;
  /** Default `application/json` when there is a body; '' leaves the header out. */
  readonly contentType?: string | undefined;
}

export interface RawAnswer {
  /** `HTTP/1.1 200 OK`. */
  readonly statusLine: string;
  /** Lines as received. */
  readonly headers: readonly string[];
  /** Without chunk lines. */
  readonly body: string;
}

/** The bytes of a request; the connection closes after the answer unless `keepAlive`. */
export function requestText(request: RawRequest, keepAlive = false): string {
  const { method, path, headers = [], body, contentType = 'application/json' } = request;
  const lines = [
    `${method} ${path} HTTP/1.1`,
    'Host: localhost',
    ...(keepAlive ? [] : ['Connection: close']),
    ...headers,
  ];
  if (body !== undefined) {
    if (contentType !== '') lines.push(`Content-Type: ${contentType}`);
    lines.push(`Content-Length: ${Buffer.byteLength(body)}`);
  }
  return `${lines.join('\r\n')}\r\n\r\n${body ?? ''}`;
}

/** Sends one request and reads until the server closes, or `timeoutMs` has passed (then what came is the answer). */
export async function ask(host: string, request: RawRequest, timeoutMs = 5000): Promise<RawAnswer> {
  const socket = connect(addressOf(host));
  socket.write(requestText(request));
  return parseAnswer(await readAll(socket, timeoutMs));
}

/** Everything that `socket` gives until it ends or the time is over; then it is closed. */
export function readAll(socket: Socket, timeoutMs = 5000): Promise<Buffer> {
  return new Promise((resolve, reject) => {
    const chunks: Buffer[] = [];
    const finish = (): void => {
      clearTimeout(timer);
      socket.destroy();
      resolve(Buffer.concat(chunks));
    };
    const timer = setTimeout(finish, timeoutMs);
    socket.on('data', (chunk) => chunks.push(chunk as Buffer));
    socket.once('end', finish);
    socket.once('error', (error) => {
      clearTimeout(timer);
      if (chunks.length > 0) finish();
      else reject(error);
    });
  });
}

/** Takes an answer apart. */
export function parseAnswer(bytes: Buffer): RawAnswer {
  const text = bytes.toString();
  const end = text.indexOf('\r\n\r\n');
  if (end < 0) return { statusLine: text, headers: [], body: '' };
  const [statusLine = '', ...headers] = text.slice(0, end).split('\r\n');
  const rest = text.slice(end + 4);
  const chunked = headers.some((line) => /^transfer-encoding:\s*chunked/i.test(line));
  return { statusLine, headers, body: chunked ? unchunk(Buffer.from(rest)) : rest };
}

function unchunk(bytes: Buffer): string {
  const parts: Buffer[] = [];
  let at = 0;
  for (;;) {
    const lineEnd = bytes.indexOf('\r\n', at);
    if (lineEnd < 0) break;
    const size = Number.parseInt(bytes.subarray(at, lineEnd).toString(), 16);
    if (!(size > 0)) break;
    parts.push(bytes.subarray(lineEnd + 2, lineEnd + 2 + size));
    at = lineEnd + 2 + size + 2;
  }
  return Buffer.concat(parts).toString();
}
