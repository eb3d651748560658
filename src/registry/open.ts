// Owns opening a whole registry: its data, its parts, and the server in front of them. No behaviour of its own.

import type { RegistryConfig } from './config/types.ts';
import { createDispatcher, listen } from './http/index.ts';
import { openStore } from './open-store.ts';
import { openParts, startParts } from './parts.ts';
import type { Repositories } from './repositories/types.ts';
import { dispatchOptions, type ServeOutput } from './serve.ts';

/** A registry that listens. Disposing it closes everything in order; acknowledged content is kept. */
export interface OpenRegistry extends AsyncDisposable {
  /** `http://127.0.0.1:5000`, with the port that was chosen for port 0. */
  readonly url: string;
  readonly port: number;
  readonly repositories: Repositories;
}

/** Opens a registry and listens. @throws GantryError: ROOT_TAKEN, ADDRESS_IN_USE, LISTEN_FAILED, and what its parts throw */
export async function openRegistry(config: RegistryConfig, output: ServeOutput): Promise<OpenRegistry> {
  await using stack = new AsyncDisposableStack();
  const { log } = output;
  const { host, port, tls } = config;
  const store = stack.use(await openStore(config, log));
  let url = '';
  const parts = stack.use(await openParts(config, store, () => config.externalUrl ?? url, log));
  const listener = createDispatcher(dispatchOptions(config, store, parts, output));
  const server = stack.use(await listen({ host, port, tls, listener, log }));
  url = server.url;
  startParts(config, parts);
  const opened = stack.move();
  return {
    url,
    port: server.port,
    repositories: store.repositories,
    [Symbol.asyncDispose]: () => opened.disposeAsync(),
  };
}
