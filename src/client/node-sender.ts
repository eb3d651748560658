// Owns HTTP to one daemon over node:http: kept-alive connections, TLS and the raw upgrade. Knows no call.
import {
  type ClientRequest,
  Agent as HttpAgent,
  request as httpRequest,
  type IncomingMessage,
  type RequestOptions,
} from 'node:http';
import type { Duplex } from 'node:stream';
import { type DaemonAddress, parseAddress } from './address.ts';
import { sendFailure } from './errors.ts';
import type { Answer, Sender, Upgraded, WireRequest } from './sender.ts';

/** PEM texts for a daemon behind TLS. */
export interface TlsOptions {
  readonly ca?: string | undefined;
  readonly cert?: string | undefined;
  readonly key?: string | undefined;
  /** False accepts any server certificate (Docker's `--tls`). */
  readonly verify: boolean;
}

/** The sender for `unix:///path` and `tcp://host:port`. Connects on first use. */
export class NodeSender implements Sender {
  readonly #host: string;
  readonly #agent: HttpAgent;
  readonly #request: typeof httpRequest;
  readonly #target: RequestOptions;
  readonly #hostHeader: string;
  readonly #basePath: string;

  /** @throws HOST_INVALID when `host` cannot be read */
  constructor(host: string, tls: TlsOptions | undefined) {
    const address = parseAddress(host, tls !== undefined);
    this.#host = host;
    this.#agent = tls === undefined ? new HttpAgent({ keepAlive: true }) : secureAgent(tls);
    this.#request = tls === undefined ? httpRequest : loadHttps().request;
    this.#target = targetOf(address);
    this.#hostHeader = address.kind === 'unix' ? 'api.moby.localhost' : `${address.hostname}:${address.port}`;
    this.#basePath = address.kind === 'unix' ? '' : address.basePath;
  }

  send(request: WireRequest): Promise<Answer> {
    return new Promise((resolve, reject) => {
      const sent = this.#begin(request, { agent: this.#agent });
      sent.once('response', (response) => resolve(answerOf(response)));
      // The body's stream can fail before the daemon does.
      if (isStream(request.body)) request.body.once('error', reject);
      this.#finish(sent, request, reject);
    });
  }

  upgrade(request: WireRequest): Promise<Upgraded | Answer> {
    return new Promise((resolve, reject) => {
      const headers = { ...request.headers, Connection: 'Upgrade', Upgrade: 'tcp' };
      const sent = this.#begin({ ...request, headers }, { agent: false });
      sent.once('upgrade', ({ headers }: IncomingMessage, socket: Duplex, head: Buffer) => {
        resolve({ headers, socket, head });
      });
      sent.once('response', (response) => resolve(answerOf(response)));
      this.#finish(sent, request, reject);
    });
  }

  close(): void {
    this.#agent.destroy();
  }

  #begin({ method, path, headers, signal }: WireRequest, options: RequestOptions): ClientRequest {
    return this.#request({
      ...this.#target,
      ...options,
      method,
      path: `${this.#basePath}${path}`,
      headers: { Host: this.#hostHeader, ...headers },
      ...(signal === undefined ? {} : { signal }),
    });
  }

  #finish(sent: ClientRequest, { body, signal }: WireRequest, reject: (error: unknown) => void): void {
    sent.once('error', (error) => reject(sendFailure(this.#host, error, signal)));
    writeBody(sent, body);
  }
}

function targetOf(address: DaemonAddress): RequestOptions {
  if (address.kind === 'unix') return { socketPath: address.socketPath };
  return { hostname: address.hostname, port: address.port };
}

/** TLS is loaded on first use: it takes milliseconds, and a local socket needs none. */
function loadHttps(): typeof import('node:https') {
  return process.getBuiltinModule('node:https');
}

function secureAgent(tls: TlsOptions): HttpAgent {
  return new (loadHttps().Agent)({
    keepAlive: true,
    rejectUnauthorized: tls.verify,
    ...(tls.ca === undefined ? {} : { ca: tls.ca }),
    ...(tls.cert === undefined ? {} : { cert: tls.cert }),
    ...(tls.key === undefined ? {} : { key: tls.key }),
  });
}

function answerOf(response: IncomingMessage): Answer {
  const { statusCode = 500, headers } = response;
  return { status: statusCode, headers, body: response, discard: () => void response.resume() };
}

function isStream(body: WireRequest['body']): body is Exclude<WireRequest['body'], Uint8Array | undefined> {
  return body !== undefined && !(body instanceof Uint8Array);
}

function writeBody(sent: ClientRequest, body: WireRequest['body']): void {
  if (isStream(body)) {
    body.once('error', (error) => sent.destroy(error));
    body.pipe(sent);
    return;
  }
  if (body !== undefined) sent.setHeader('Content-Length', body.length);
  sent.end(body);
}
