// Owns HTTP to one daemon: connections, version prefix, JSON in and out, and the raw upgrade. Knows no nouns.
import {
  type ClientRequest,
  Agent as HttpAgent,
  request as httpRequest,
  type IncomingHttpHeaders,
  type IncomingMessage,
  type RequestOptions,
} from 'node:http';
import type { Duplex, Readable } from 'node:stream';
import { text } from 'node:stream/consumers';
import { isGantryError } from '../lib/errors.ts';
import { parseAddress } from './address.ts';
import { ApiError, apiErrorOf, unreachable } from './errors.ts';

/** Newest API version this client speaks. */
export const CLIENT_API_VERSION = '1.51';
/** Assumed of a daemon that does not tell its version. */
const FALLBACK_API_VERSION = '1.24';

/** PEM texts for a daemon behind TLS. */
export interface TlsOptions {
  readonly ca?: string | undefined;
  readonly cert?: string | undefined;
  readonly key?: string | undefined;
  /** False accepts any server certificate (Docker's `--tls`). */
  readonly verify: boolean;
}

/** Which daemon, and how to speak to it. */
export interface TransportOptions {
  /** `unix:///path` or `tcp://host:port`. */
  readonly host: string;
  readonly tls?: TlsOptions | undefined;
  /** Pins the API version and skips the negotiation (DOCKER_API_VERSION). */
  readonly apiVersion?: string | undefined;
  readonly headers?: Readonly<Record<string, string>> | undefined;
  /** Told of every call and its answer. */
  readonly observer?: CallObserver | undefined;
}

/** Watches the calls of a transport. */
export interface CallObserver {
  /** A call is about to be sent; answers more headers for it, and what to do with the headers of its answer (none: it failed). */
  begin(
    method: string,
    path: string,
  ): {
    readonly headers: Readonly<Record<string, string>>;
    end(answer: IncomingHttpHeaders | undefined): void;
  };
}

/** Query values; undefined ones are left out, lists repeat the key. */
type Query = Readonly<Record<string, string | number | boolean | readonly string[] | undefined>>;

/** One call. `body` is sent as JSON, `stream` as it is. */
interface Call {
  readonly method: 'GET' | 'HEAD' | 'POST' | 'PUT' | 'DELETE';
  readonly path: string;
  readonly query?: Query | undefined;
  readonly body?: unknown;
  readonly stream?: Readable | Buffer | undefined;
  readonly contentType?: string | undefined;
  readonly headers?: Readonly<Record<string, string>> | undefined;
  readonly signal?: AbortSignal | undefined;
}

/** A raw two-way connection taken over from HTTP. `end()` on the socket half-closes it. */
export interface Hijacked {
  readonly socket: Duplex;
  /** Bytes that came with the answer's head; read them before the socket. */
  readonly head: Buffer;
  /** True when output is one raw stream (a terminal), false when it is framed; undefined when the daemon did not say. */
  readonly raw: boolean | undefined;
}

/** What a HEAD /_ping told. */
export interface PingFacts {
  readonly apiVersion: string;
  readonly osType: string;
  readonly experimental: boolean;
  readonly builderVersion: string;
}

/** HTTP to one daemon. Every method throws ApiError for an answer of 400 and up, GantryError when out of reach. */
export interface Transport {
  readonly host: string;
  ping(): Promise<PingFacts>;
  /** The version that requests use: pinned, else the lower of ours and the daemon's. */
  version(): Promise<string>;
  /** The answer with its body unread. */
  open(call: Call): Promise<IncomingMessage>;
  text(call: Call): Promise<string>;
  json<T>(call: Call): Promise<T>;
  /** For calls whose answer has no interesting body. */
  done(call: Call): Promise<void>;
  hijack(call: Call): Promise<Hijacked>;
  close(): void;
}

/** A transport that connects on first use and keeps connections alive until `close`. */
export function createTransport(options: TransportOptions): Transport {
  const address = parseAddress(options.host, options.tls !== undefined);
  const agent = options.tls === undefined ? new HttpAgent({ keepAlive: true }) : secureAgent(options.tls);
  const sender = options.tls === undefined ? httpRequest : loadHttps().request;
  const target: RequestOptions =
    address.kind === 'unix' ? { socketPath: address.socketPath } : { hostname: address.hostname, port: address.port };
  const basePath = address.kind === 'tcp' ? address.basePath : '';
  let facts: Promise<PingFacts> | undefined;

  const ping = (): Promise<PingFacts> => {
    facts ??= readPing();
    return facts;
  };
  const readPing = async (): Promise<PingFacts> => {
    for (const method of ['HEAD', 'GET'] as const) {
      const response = await send(`${basePath}/_ping`, { method, path: '/_ping' });
      response.resume();
      if (response.statusCode === 200 || method === 'GET') return pingFactsOf(response);
    }
    throw new Error('unreachable: GET always returns');
  };
  const version = async (): Promise<string> => options.apiVersion ?? lowerVersion((await ping()).apiVersion);

  const requestOptions = (path: string, call: Call, upgrade: boolean, more = {}): RequestOptions => ({
    ...target,
    agent: upgrade ? false : agent,
    method: call.method,
    path,
    headers: {
      Host: address.kind === 'unix' ? 'api.moby.localhost' : `${address.hostname}:${address.port}`,
      'User-Agent': 'gantry',
      ...options.headers,
      ...call.headers,
      ...more,
      ...(call.body === undefined && call.stream === undefined
        ? {}
        : { 'Content-Type': call.contentType ?? 'application/json' }),
      ...(upgrade ? { Connection: 'Upgrade', Upgrade: 'tcp' } : {}),
    },
    ...(call.signal === undefined ? {} : { signal: call.signal }),
  });

  const begin = (path: string, call: Call, upgrade: boolean): ClientRequest => {
    const observed = options.observer?.begin(call.method, call.path);
    const request = sender(requestOptions(path, call, upgrade, observed?.headers));
    if (observed === undefined) return request;
    for (const answer of ['response', 'upgrade']) {
      request.once(answer, ({ headers }: IncomingMessage) => observed.end(headers));
    }
    return request.once('error', () => observed.end(undefined));
  };

  const send = (path: string, call: Call): Promise<IncomingMessage> =>
    new Promise((resolve, reject) => {
      const request = begin(path, call, false);
      request.once('response', resolve);
      // What is sent may fail before the daemon does.
      if (call.stream !== undefined && !Buffer.isBuffer(call.stream)) call.stream.once('error', reject);
      request.once('error', (error) => reject(explain(options.host, error, call.signal)));
      writeBody(request, call);
    });

  const open = async (call: Call): Promise<IncomingMessage> => {
    const response = await send(await pathOf(call), call);
    const status = response.statusCode ?? 500;
    if (status >= 400 || status === 304) throw await failureOf(response, call);
    return response;
  };
  const pathOf = async (call: Call): Promise<string> =>
    `${basePath}/v${await version()}${call.path}${queryText(call.query)}`;

  return {
    host: options.host,
    ping,
    version,
    open,
    text: async (call) => text(await open(call)),
    json: async <T>(call: Call): Promise<T> => JSON.parse(await text(await open(call))) as T,
    done: async (call) => {
      await text(await open(call));
    },
    hijack: async (call) => {
      const path = await pathOf(call);
      return new Promise((resolve, reject) => {
        const request = begin(path, call, true);
        request.once('upgrade', (response, socket, head) => resolve({ socket, head, raw: isRaw(response) }));
        request.once('response', (response) => {
          if ((response.statusCode ?? 500) >= 400) failureOf(response, call).then(reject, reject);
          else reject(new ApiError(response.statusCode ?? 500, 'the daemon did not hand over the connection'));
        });
        request.once('error', (error) => reject(explain(options.host, error, call.signal)));
        writeBody(request, call);
      });
    },
    close: () => agent.destroy(),
  };
}

/** `?a=1&b=2` with Docker's spellings (booleans as 1), or nothing. */
function queryText(query: Query | undefined): string {
  const search = new URLSearchParams();
  for (const [key, value] of Object.entries(query ?? {})) {
    if (value === undefined) continue;
    if (typeof value === 'object') for (const item of value) search.append(key, item);
    else search.append(key, typeof value === 'boolean' ? (value ? '1' : '0') : String(value));
  }
  const textForm = search.toString();
  return textForm === '' ? '' : `?${textForm}`;
}

/** Loading TLS takes milliseconds that a local socket need not pay. */
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

function writeBody(request: ReturnType<typeof httpRequest>, call: Call): void {
  if (call.stream !== undefined && !Buffer.isBuffer(call.stream)) {
    call.stream.once('error', (error) => request.destroy(error));
    call.stream.pipe(request);
    return;
  }
  const payload = call.stream ?? (call.body === undefined ? undefined : Buffer.from(JSON.stringify(call.body)));
  if (payload !== undefined) request.setHeader('Content-Length', payload.length);
  request.end(payload);
}

async function failureOf(response: IncomingMessage, call: Call): Promise<ApiError> {
  return apiErrorOf(response.statusCode ?? 500, await text(response), `${call.method} ${call.path}`);
}

function explain(host: string, error: unknown, signal: AbortSignal | undefined): unknown {
  if (signal?.aborted || isGantryError(error)) return error;
  return unreachable(host, error);
}

function pingFactsOf(response: IncomingMessage): PingFacts {
  const header = (name: string): string => {
    const value = response.headers[name];
    return typeof value === 'string' ? value : '';
  };
  return {
    apiVersion: header('api-version') || FALLBACK_API_VERSION,
    osType: header('ostype') || 'linux',
    experimental: header('docker-experimental') === 'true',
    builderVersion: header('builder-version'),
  };
}

function lowerVersion(daemonVersion: string): string {
  return compareVersions(daemonVersion, CLIENT_API_VERSION) < 0 ? daemonVersion : CLIENT_API_VERSION;
}

/** Below zero when API version `left` is older than `right`; both as `1.51`. */
function compareVersions(left: string, right: string): number {
  const [leftMajor = 0, leftMinor = 0] = left.split('.').map(Number);
  const [rightMajor = 0, rightMinor = 0] = right.split('.').map(Number);
  return leftMajor - rightMajor || leftMinor - rightMinor;
}

function isRaw(response: IncomingMessage): boolean | undefined {
  const type = response.headers['content-type'];
  if (type === undefined) return undefined;
  return type !== 'application/vnd.docker.multiplexed-stream';
}
