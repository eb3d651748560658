// Owns the face of the Engine API: a server made of an engine. Holds no state of the engine.

import type { Server } from 'node:http';
import { hostname } from 'node:os';
import type { Duplex } from 'node:stream';
import type { Engine } from '../engine/types.ts';
import { GantryError } from '../lib/errors.ts';
import { createDispatcher, type Dispatcher } from './dispatch.ts';
import { refusalOf } from './guard.ts';
import { createHandlers } from './handlers.ts';
import { bind, type ListenSpec, type ListenTls } from './listen.ts';
import { type ApiLogger, SILENT_LOGGER } from './logger.ts';
import { ReplyWriter, type ServerFacts } from './reply.ts';
import { createHttpServer } from './server.ts';

export { API_VERSION, MIN_API_VERSION } from './api-version.ts';
export type { ListenSpec } from './listen.ts';
export type { ApiLogger } from './logger.ts';

export interface ApiServerOptions {
  readonly engine: Engine;
  readonly facts: ServerFacts;
  readonly logger?: ApiLogger | undefined;
  /** True when a connection's client is gone, not only done with sending. Left out, that is found out at the next write. */
  readonly isPeerGone?: ((connection: Duplex) => boolean) | undefined;
  /** Called for each connection, before its first request. */
  readonly onConnection?: (() => void) | undefined;
}

type TcpSpec = Extract<ListenSpec, { kind: 'tcp' }>;

/** Docker's Engine API over HTTP, on any number of addresses. */
export interface ApiServer {
  /** What is listening now. */
  readonly servers: readonly Server[];
  /**
   * Listens on one more address; resolves to it as text (`unix:///run/x.sock`, `tcp://127.0.0.1:4243`).
   * @throws ADDRESS_IN_USE, LISTEN_FAILED
   */
  listen(spec: ListenSpec): Promise<string>;
  /** Stops listening, gives running answers `graceMs` (default 1000) to end, then cuts every connection. Containers live on. */
  close(graceMs?: number): Promise<void>;
}

/** Makes the server; it listens nowhere yet. */
export function createApiServer(options: ApiServerOptions): ApiServer {
  const logger = options.logger ?? SILENT_LOGGER;
  const writer = new ReplyWriter(options.facts);
  const servers: Server[] = [];
  const taken = { all: new Set<Duplex>(), isGone: options.isPeerGone ?? (() => false) };
  const openTcp: string[] = [];
  const handlers = createHandlers({ engine: options.engine, writer, logger, openTcp });
  const dispatch = createDispatcher({ handlers, writer, logger, oldest: options.facts.minApiVersion });

  return {
    servers,
    async listen(spec) {
      const tls = spec.kind === 'tcp' ? spec.tls : undefined;
      const server = createHttpServer(spec.kind === 'tcp' ? guarded(dispatch, writer, spec) : dispatch, taken, tls);
      if (options.onConnection) server.on('connection', options.onConnection);
      const address = await bind(server, spec);
      servers.push(server);
      if (spec.kind === 'tcp') {
        const open = openness(address, spec.tls);
        if (open !== undefined) {
          openTcp.push(open);
          logger.log('warn', `API is accessible on ${open}`);
        }
      }
      return address;
    },
    async close(graceMs = 1000) {
      const closed = servers.splice(0).map((server) => closeServer(server, graceMs));
      for (const connection of taken.all) connection.destroy();
      await Promise.all(closed);
    },
  };
}

/** What an address lacks that would keep strangers out; undefined = nothing. */
function openness(address: string, tls: ListenTls | undefined): string | undefined {
  const at = address.slice('tcp://'.length);
  if (tls === undefined) return `http://${at} without encryption`;
  return tls.clientCa === undefined ? `https://${at} without TLS client verification` : undefined;
}

/** Refuses what browsers send, and what is meant for another host. */
function guarded(dispatch: Dispatcher, writer: ReplyWriter, { host, names = [] }: TcpSpec): Dispatcher {
  const known = new Set([host, hostname(), ...names].map((name) => name.toLowerCase()));
  return (request, response, target, takeover) => {
    const refusal = refusalOf(request.headers, known);
    if (refusal === undefined) return dispatch(request, response, target, takeover);
    response.shouldKeepAlive = false;
    writer.error(response, new GantryError('forbidden', 'FOREIGN_REQUEST', refusal));
  };
}

function closeServer(server: Server, graceMs: number): Promise<void> {
  return new Promise((resolve) => {
    const timer = setTimeout(() => server.closeAllConnections(), graceMs);
    server.close(() => {
      clearTimeout(timer);
      resolve();
    });
    server.closeIdleConnections();
  });
}
