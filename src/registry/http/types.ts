// Owns what a route of the registry's HTTP server is: its row in a table, and the exchange that its handler works on.

import type { IncomingMessage, ServerResponse } from 'node:http';
import type { Grant } from '../access/types.ts';
import type { Initiator } from '../repositories/types.ts';

export type Method = 'GET' | 'HEAD' | 'POST' | 'PUT' | 'PATCH' | 'DELETE';

/**
 * What the sender must be allowed before the handler runs. `pull`, `push` and `delete` speak of the route's `{name}`;
 * `known` wants any valid identity (or anonymous access being on); `open` asks nobody.
 */
export type Right = 'open' | 'known' | 'pull' | 'push' | 'delete' | 'catalog' | 'admin';

/** One row of a route table. */
export interface Route {
  readonly method: Method;
  /** Segments by `/`; `{name}` may hold slashes, other `{x}` may not. E.g. `/v2/{name}/manifests/{reference}`. */
  readonly path: string;
  readonly right: Right;
  /** The name under which metrics and the access log count it. */
  readonly label: string;
  readonly handle: (exchange: Exchange) => Promise<void> | void;
}

/** One request and its answer. */
export interface Exchange {
  readonly request: IncomingMessage;
  readonly response: ServerResponse;
  readonly id: string;
  /** Path without query, percent-decoded once. */
  readonly path: string;
  readonly query: URLSearchParams;
  /** What `{…}` of the route stood for. */
  readonly parameters: Readonly<Record<string, string>>;
  readonly grant: Grant;
  /** Actor and request facts, for events and records. */
  readonly doer: Initiator;
  /** Aborts when the client goes away. */
  readonly signal: AbortSignal;
  /** The sender's address, without port. */
  readonly address: string;
  /** `path` as the client must ask for it: behind the prefix under which it sees this server. */
  link(path: string): string;
  /** Sends `value` as JSON; HEAD gets the headers alone. */
  json(status: number, value: unknown, headers?: Readonly<Record<string, string>>): void;
  /** Sends bytes or nothing; HEAD gets the headers alone. */
  send(status: number, headers: Readonly<Record<string, string | string[]>>, body?: Uint8Array | string): void;
  /** The request body as it arrives; the pieces are the reader's alone. */
  readonly content: AsyncIterable<Uint8Array>;
  /** The whole request body. @throws SIZE_INVALID (413) over `maxBytes` */
  body(maxBytes: number): Promise<Buffer>;
}

/** One answered request, for metrics and the access log. */
export interface RequestReport {
  readonly id: string;
  /** The route's, or `unknown`. */
  readonly label: string;
  readonly method: string;
  readonly path: string;
  readonly status: number;
  readonly durationMs: number;
  readonly bytesIn: number;
  readonly bytesOut: number;
  /** The client's address and port. */
  readonly remoteAddress: string;
  /** The proxy that said so, '' where the client came by itself. */
  readonly proxyAddress: string;
  /** '' for nobody in particular. */
  readonly actor: string;
  readonly userAgent: string;
  /** True when the peer went away before the end. */
  readonly isAborted: boolean;
}
