// Owns one request and its reply as handlers see them. Knows no route and no noun.

import type { IncomingHttpHeaders, IncomingMessage, ServerResponse } from 'node:http';
import type { Duplex } from 'node:stream';
import { GantryError } from '../lib/errors.ts';
import { type BodyName, type BodyTypes, decodeBody } from '../spec/docker/decode.ts';
import { requireJson } from '../spec/docker/decode-media-type.ts';
import { parseQuery, type Query } from '../spec/docker/decode-query.ts';
import type { ReplyOf } from '../spec/docker/route-replies.ts';
import type { RouteId } from '../spec/docker/routes.ts';
import { upgradeBody, upgradeQuery } from './versions/requests.ts';

/** What a handler answers. A handler that wrote to the connection itself answers `DONE`. */
export type Reply<Value = never> =
  | { readonly kind: 'json'; readonly status: number; readonly value: Value }
  | { readonly kind: 'empty'; readonly status: number }
  | { readonly kind: 'done' };

export const DONE: Reply = { kind: 'done' };
export const NO_CONTENT: Reply = { kind: 'empty', status: 204 };
export const EMPTY_OK: Reply = { kind: 'empty', status: 200 };

/** A JSON reply, turned into the shape of the client's version on its way out. */
export function json<Value>(value: Value, status = 200): Reply<Value> {
  return { kind: 'json', status, value };
}

/** Answers one route, with its JSON where it has some. */
export type Handler<Route extends RouteId = RouteId> = (
  exchange: Exchange,
) => Reply<ReplyOf<Route>> | Promise<Reply<ReplyOf<Route>>>;

/** Answers a route without JSON, or refuses it. */
export type Refusing = (exchange: Exchange) => Reply | Promise<Reply>;

/** A handler for each of `Route`. */
export type Handlers<Route extends RouteId> = { readonly [Id in Route]: Handler<Id> };

/** JSON bodies are small; anything larger is a mistake or an attack. */
const MAX_JSON_BYTES = 4 << 20;

/** How the server lets a handler take the connection over; made per request by the server. */
export interface Takeover {
  /** True when the client asked for `Upgrade`. */
  readonly upgraded: boolean;
  /** Leaves HTTP: the raw connection, with nothing written yet. */
  take(): Duplex;
}

/** One request. */
export class Exchange {
  readonly route: RouteId;
  /** 43 for API 1.43. */
  readonly minor: number;
  readonly name: string;
  readonly request: IncomingMessage;
  readonly response: ServerResponse;
  readonly takeover: Takeover;
  readonly #queryText: string;
  #query: Query | undefined;
  #controller: AbortController | undefined;
  #text: Promise<string> | undefined;

  constructor(parts: {
    readonly route: RouteId;
    readonly minor: number;
    readonly name: string;
    readonly queryText: string;
    readonly request: IncomingMessage;
    readonly response: ServerResponse;
    readonly takeover: Takeover;
  }) {
    this.route = parts.route;
    this.minor = parts.minor;
    this.name = parts.name;
    this.#queryText = parts.queryText;
    this.request = parts.request;
    this.response = parts.response;
    this.takeover = parts.takeover;
  }

  get headers(): IncomingHttpHeaders {
    return this.request.headers;
  }

  /** The query in the newest version's words. @throws INVALID_QUERY */
  get query(): Query {
    this.#query ??= upgradeQuery(this.route, this.minor, parseQuery(this.#queryText));
    return this.#query;
  }

  /** Aborts when the client is gone: its connection closed, or it half-closed a request that has no input. */
  get signal(): AbortSignal {
    if (this.#controller) return this.#controller.signal;
    const controller = new AbortController();
    this.#controller = controller;
    const gone = (): void => controller.abort(clientGone());
    const { response } = this;
    const { socket } = this.request;
    if (socket.destroyed) gone();
    response.once('close', () => {
      if (!response.writableFinished) gone();
    });
    return controller.signal;
  }

  /** Leaves HTTP: the raw connection with nothing written yet. Its closing aborts the signal. */
  take(): Duplex {
    const raw = this.takeover.take();
    const controller = this.#controller;
    if (controller) raw.once('close', () => controller.abort(clientGone()));
    return raw;
  }

  /** Treats the end of the client's input as its leaving, as Docker does for answers that wait. */
  watchHalfClose(): AbortSignal {
    const { signal } = this;
    const controller = this.#controller;
    const { socket } = this.request;
    const gone = (): void => controller?.abort(clientGone());
    if (socket.readableEnded) gone();
    socket.once('end', gone);
    this.response.once('close', () => socket.off('end', gone));
    return signal;
  }

  /**
   * The JSON body in the newest version's shape; undefined when it is empty.
   * @throws BAD_CONTENT_TYPE, INVALID_JSON, TRAILING_JSON, BODY_TOO_LARGE
   */
  async body<N extends BodyName>(name: N): Promise<BodyTypes[N] | undefined> {
    requireJson(this.headers['content-type'], this.hasBody);
    return this.plainBody(name);
  }

  /** As `body`, without a look at the content type. */
  async plainBody<N extends BodyName>(name: N): Promise<BodyTypes[N] | undefined> {
    const text = await this.text();
    const body = text === '' ? undefined : decodeBody(name, text);
    return body === undefined ? undefined : upgradeBody(this.route, this.minor, name, body);
  }

  /** The body as bytes. Giving up on it leaves the connection open for the answer. */
  get upload(): AsyncIterable<Uint8Array> {
    return this.request.iterator({ destroyOnReturn: false });
  }

  get hasBody(): boolean {
    const length = this.headers['content-length'];
    return this.headers['transfer-encoding'] !== undefined || (length !== undefined && length !== '0');
  }

  /** The body as text, read once. @throws BODY_TOO_LARGE above 4 MiB */
  text(): Promise<string> {
    this.#text ??= this.hasBody ? readText(this.request) : Promise.resolve('');
    return this.#text;
  }
}

/** By events, not by iteration: an iteration that fails would take the connection down before the error is answered. */
function readText(request: IncomingMessage): Promise<string> {
  return new Promise((resolve, reject) => {
    const chunks: Buffer[] = [];
    let bytes = 0;
    request.on('data', (chunk: Buffer) => {
      bytes += chunk.length;
      if (bytes <= MAX_JSON_BYTES) chunks.push(chunk);
      else reject(new GantryError('invalid', 'BODY_TOO_LARGE', 'http: request body too large'));
    });
    request.once('end', () => resolve(chunks.length === 1 ? String(chunks[0]) : Buffer.concat(chunks).toString()));
    request.once('error', (cause) => reject(new GantryError('cancelled', 'CLIENT_GONE', 'unexpected EOF', { cause })));
    request.once('close', () => reject(clientGone()));
  });
}

function clientGone(): GantryError {
  return new GantryError('cancelled', 'CLIENT_GONE', 'context canceled');
}
