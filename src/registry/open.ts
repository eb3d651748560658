// Owns the registry's composition: which parts there are, in which order they open and close. Holds no behaviour of its own.

import { mkdirSync } from 'node:fs';
import { BlockList, isIP } from 'node:net';
import { join } from 'node:path';
import { messageOf } from '../lib/errors.ts';
import { openDatabase } from '../store/database.ts';
import type { RegistryConfig } from './config/types.ts';
import { distributionRoutes } from './distribution/index.ts';
import { createDispatcher, listen } from './http/index.ts';
import { type OpenRepositories, openRepositories } from './repositories/index.ts';
import type { Repositories } from './repositories/types.ts';
import { openFileStorage } from './storage/index.ts';
import type { Log } from './types.ts';

export interface OpenOptions {
  readonly log: Log;
  /** Where access log lines go. */
  readonly write?: ((line: string) => void) | undefined;
}

/** A registry that listens. Disposing it ends it in order; what was acknowledged is kept. */
export interface OpenRegistry extends AsyncDisposable {
  /** `http://127.0.0.1:5000`, with the port that was chosen for port 0. */
  readonly url: string;
  readonly port: number;
  readonly repositories: Repositories;
}

/** After a delete its space is given back so soon. */
const GARBAGE_PAUSE_MS = 200;

/** Opens a registry and listens. @throws GantryError: ROOT_TAKEN, ADDRESS_IN_USE, LISTEN_FAILED, and what its parts throw */
export async function openRegistry(config: RegistryConfig, { log }: OpenOptions): Promise<OpenRegistry> {
  await using stack = new AsyncDisposableStack();
  mkdirSync(config.root, { recursive: true, mode: 0o700 });
  const database = stack.use(openDatabase(join(config.root, 'registry.db')));
  const storage = stack.use(await openFileStorage(config.root));
  const repositories = stack.use(openRepositories({ ...config, database, storage, log }));
  stack.use(keepClean(repositories, config, log));
  const routes = distributionRoutes({
    repositories,
    origin: undefined,
    checkServe: undefined,
    isReadOnly: config.isReadOnly,
    isDeleteOn: config.isDeleteOn,
    maxManifestBytes: config.maxManifestBytes,
  });
  const listener = createDispatcher({
    routes,
    access: (arguments[1] as never as {access: never}).access,
    observe: () => {},
    log,
    headers: config.headers,
    externalUrl: config.externalUrl,
    isTrustedProxy: trusted(config.trustedProxies),
  });
  const server = stack.use(await listen({ host: config.host, port: config.port, tls: config.tls, listener, log }));
  const parts = stack.move();
  return { url: server.url, port: server.port, repositories, [Symbol.asyncDispose]: () => parts.disposeAsync() };
}

function trusted(networks: readonly string[]): (address: string) => boolean {
  if (networks.length === 0) return () => false;
  const block = new BlockList();
  for (const entry of networks) {
    const [network = '', bits] = entry.split('/');
    const family = isIP(network) === 6 ? 'ipv6' : 'ipv4';
    if (bits === undefined) block.addAddress(network, family);
    else block.addSubnet(network, Number(bits), family);
  }
  return (address) => isIP(address) !== 0 && block.check(address, isIP(address) === 6 ? 'ipv6' : 'ipv4');
}

/** Collects garbage after deletes and from time to time. */
function keepClean(repositories: OpenRepositories, config: RegistryConfig, log: Log): AsyncDisposable {
  const aborter = new AbortController();
  let running = Promise.resolve();
  let soon: NodeJS.Timeout | undefined;
  const run = (act: (signal: AbortSignal) => Promise<unknown>): void => {
    running = running.then(async () => {
      if (aborter.signal.aborted) return;
      await act(aborter.signal).catch((error: unknown) => {
        if (!aborter.signal.aborted) log('error', `garbage collection: ${messageOf(error)}`);
      });
    });
  };
  const collect = (): void => {
    soon = undefined;
    run((signal) => repositories.collectGarbage(signal));
  };
  repositories.onGarbage(() => {
    soon ??= setTimeout(collect, GARBAGE_PAUSE_MS);
  });
  run((signal) => repositories.removeStrays(signal));
  collect();
  const timer = setInterval(collect, config.garbageEveryMs).unref();
  return {
    async [Symbol.asyncDispose]() {
      clearInterval(timer);
      clearTimeout(soon);
      aborter.abort();
      await running;
    },
  };
}
