// Owns the face of the Engine API: a server made of an engine. Holds no state of the engine.

import type { Server } from 'node:http';
import type { Duplex } from 'node:stream';
import type { Engine } from '../engine/types.ts';
import { createDispatcher } from './dispatch.ts';
import { createHandlers } from './handlers.ts';
import { bind, type ListenSpec } from './listen.ts';
import { type ApiLogger, SILENT_LOGGER } from './logger.ts';
import { createReplyWriter, type ServerFacts } from './reply.ts';
import { createHttpServer } from './server.ts';

export { API_VERSION, MIN_API_VERSION } from './api-version.ts';
export type { ListenSpec } from './listen.ts';
export type { ApiLogger, LogLevel } from './logger.ts';
export type { ServerFacts } from './reply.ts';

export interface ApiServerOptions {
  readonly engine: Engine;
  readonly facts: ServerFacts;
  readonly logger?: ApiLogger | undefined;
  /** True when a connection's client is gone, not only done with sending. Left out, that is found out at the next write. */
  readonly isPeerGone?: ((connection: Duplex) => boolean) | undefined;
  /** Called for each connection, before its first request. */
  readonly onConnection?: (() => void) | undefined;
}

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
  const writer = createReplyWriter(options.facts);
  const servers: Server[] = [];
  const taken = { all: new Set<Duplex>(), isGone: options.isPeerGone ?? (() => false) };
  const openTcp: string[] = [];
  const handlers = createHandlers({ engine: options.engine, writer, logger, openTcp });
  const dispatch = createDispatcher({ handlers, writer, logger });

  return {
    servers,
    async listen(spec) {
      const server = createHttpServer(dispatch, taken);
      if (options.onConnection) server.on('connection', options.onConnection);
      const address = await bind(server, spec);
      servers.push(server);
      if (spec.kind === 'tcp') {
        openTcp.push(address.slice('tcp://'.length));
        logger.log('warn', `API is accessible on http://${address.slice('tcp://'.length)} without encryption`);
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
