// Owns a pretend daemon on a unix socket that records every request and answers from a table. Runs no containers.
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { Duplex } from 'node:stream';
import { text } from 'node:stream/consumers';

/** One request as it came, version prefix cut off. */
export interface Recorded {
  readonly method: string;
  readonly path: string;
  readonly query: Readonly<Record<string, string>>;
  readonly body: unknown;
  readonly registryAuth?: string;
}

/** An answer: a JSON value or ready text. */
export interface Answer {
  readonly status?: number;
  readonly json?: unknown;
  readonly text?: string;
  readonly headers?: Readonly<Record<string, string>>;
}

/** Answers by `METHOD /path`, `*` standing for one path part; the first match counts. */
export type Answers = Readonly<Record<string, Answer | ((request: Recorded) => Answer)>>;

/** A listening pretend daemon. */
export interface RecordingEngine {
  readonly host: string;
  readonly requests: Recorded[];
  /** Forgets what was requested, and answers as if nothing had been. */
  begin(): void;
  close(): Promise<void>;
}

/** Bytes of one frame on stdout: what an attached or executed process is said to print. */
const ATTACH_OUTPUT = Buffer.concat([Buffer.from([1, 0, 0, 0, 0, 0, 0, 6]), Buffer.from('hello\n')]);

/** Listens at `socketPath`. */
export async function startRecordingEngine(socketPath: string, makeAnswers: () => Answers): Promise<RecordingEngine> {
  const requests: Recorded[] = [];
  let answers = makeAnswers();
  const upgraded = new Set<Duplex>();
  const server: Server = createServer((request, response) => {
    answer(request, response, answers, requests).catch(() => response.destroy());
  });
  server.on('upgrade', (request: IncomingMessage, socket: Duplex) => {
    upgraded.add(socket);
    answerUpgrade(request, socket, requests).catch(() => socket.destroy());
  });
  await new Promise<void>((resolve) => server.listen(socketPath, resolve));
  return {
    host: `unix://${socketPath}`,
    requests,
    begin: () => {
      requests.length = 0;
      answers = makeAnswers();
    },
    close: () =>
      new Promise((resolve) => {
        server.close(() => resolve());
        server.closeAllConnections();
        for (const socket of upgraded) socket.destroy();
      }),
  };
}

async function answerUpgrade(request: IncomingMessage, socket: Duplex, requests: Recorded[]): Promise<void> {
  socket.on('error', () => {});
  // On a current Node the body of an upgrade request comes as the request's stream, not in `head`.
  const body = await text(request);
  requests.push(recordedOf(request, jsonOr(body)));
  socket.write('HTTP/1.1 101 UPGRADED\r\nContent-Type: application/vnd.docker.multiplexed-stream\r\n');
  socket.write('Connection: Upgrade\r\nUpgrade: tcp\r\n\r\n');
  socket.resume();
  socket.end(ATTACH_OUTPUT);
}

async function answer(
  request: IncomingMessage,
  response: ServerResponse,
  answers: Answers,
  requests: Recorded[],
): Promise<void> {
  const recorded = recordedOf(request, jsonOr(await text(request)));
  response.setHeader('Api-Version', '1.51');
  response.setHeader('Ostype', 'linux');
  response.setHeader('Docker-Experimental', 'false');
  if (recorded.path === '/_ping') {
    response.end(request.method === 'HEAD' ? undefined : 'OK');
    return;
  }
  requests.push(recorded);
  const found = find(answers, recorded);
  const reply = typeof found === 'function' ? found(recorded) : found;
  response.statusCode = reply.status ?? 200;
  for (const [name, value] of Object.entries(reply.headers ?? {})) response.setHeader(name, value);
  if (reply.json !== undefined) response.setHeader('Content-Type', 'application/json');
  response.end(reply.text ?? (reply.json === undefined ? undefined : `${JSON.stringify(reply.json)}\n`));
}

function find(answers: Answers, recorded: Recorded): Answer | ((request: Recorded) => Answer) {
  const parts = `${recorded.method} ${recorded.path}`.split('/');
  for (const [pattern, reply] of Object.entries(answers)) {
    const wanted = pattern.split('/');
    if (wanted.length === parts.length && wanted.every((part, at) => part === '*' || part === parts[at])) return reply;
  }
  return { status: 404, json: { message: `page not found: ${recorded.method} ${recorded.path}` } };
}

function recordedOf(request: IncomingMessage, body: unknown): Recorded {
  const url = new URL(request.url ?? '/', 'http://engine');
  const auth = request.headers['x-registry-auth'];
  return {
    method: request.method ?? '',
    path: url.pathname.replace(/^\/v\d+\.\d+/, ''),
    query: Object.fromEntries(url.searchParams),
    body,
    ...(typeof auth === 'string' ? { registryAuth: auth } : {}),
  };
}

function jsonOr(body: string): unknown {
  if (body === '') return undefined;
  try {
    return JSON.parse(body);
  } catch {
    return body;
  }
}
