// Owns the registry's composition: which parts there are, in which order they open and close. Holds no behaviour of its own.

import { join } from 'node:path';
import { lockRoot } from '../host/root-lock.ts';
import { GantryError, messageOf } from '../lib/errors.ts';
import { VERSION } from '../lib/package.ts';
import { type Database, openDatabase } from '../store/database.ts';
import { Periodic } from '../store/jobs/index.ts';
import { hasAccounts, isStrangerWelcome, openAccess } from './access/index.ts';
import { adminRoutes } from './admin/index.ts';
import type { RegistryConfig } from './config/types.ts';
import { distributionRoutes, refuseDelete } from './distribution/index.ts';
import { createDispatcher, type DispatchOptions, hostCheck, listen } from './http/index.ts';
import { looksLikeDistributionRoot } from './importing/index.ts';
import { inNetworks, isLoopback, LOOPBACK, PRIVATE } from './networks.ts';
import { createNotifications } from './notifications/index.ts';
import { createAccessLog, gaugesOf, Metrics } from './observe/index.ts';
import { createProxy } from './proxy/index.ts';
import { createRepair } from './repair/index.ts';
import { createReplication } from './replication/index.ts';
import { type OpenRepositories, openRepositories } from './repositories/index.ts';
import type { Repositories } from './repositories/types.ts';
import { createRetention } from './retention/index.ts';
import { makeRoot, rootUnusable } from './root.ts';
import { createSearch, type Search } from './search/index.ts';
import { checkStorage, openStorage } from './storage/index.ts';
import type { Storage } from './storage/types.ts';
import type { Log } from './types.ts';
import { createVerification } from './verification/index.ts';
import { webRoutes } from './web/index.ts';

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

/** The records and the content, without a server: for the registry itself, and for commands on its data. */
export interface OpenStore extends AsyncDisposable {
  readonly database: Database;
  readonly storage: Storage;
  readonly repositories: OpenRepositories;
}

/** @throws ROOT_TAKEN when another process has the root open; FOREIGN_ROOT when it is a docker-registry's; ROOT_UNUSABLE */
export async function openStore(config: RegistryConfig, log: Log): Promise<OpenStore> {
  try {
    return await openParts(config, log);
  } catch (error) {
    throw rootUnusable(config.root, error);
  }
}

async function openParts(config: RegistryConfig, log: Log): Promise<OpenStore> {
  await using stack = new AsyncDisposableStack();
  if (await looksLikeDistributionRoot(config.root)) throw foreignRoot(config.root);
  makeRoot(config.root);
  stack.use(lockRoot(config.root, 'registry root'));
  const database = stack.use(openDatabase(join(config.root, 'registry.db')));
  const storage = stack.use(await openStorage(config.storage, config.root));
  const repositories = stack.use(openRepositories({ ...config, database, storage, log }));
  const parts = stack.move();
  return { database, storage, repositories, [Symbol.asyncDispose]: () => parts.disposeAsync() };
}

function foreignRoot(root: string): GantryError {
  return new GantryError('conflict', 'FOREIGN_ROOT', `${root} holds the data of a docker-registry`, {
    hint: `take it over into another folder: gantry-registry import --from ${root} --root DIR`,
  });
}

/** Opens a registry and listens. @throws GantryError: ROOT_TAKEN, ADDRESS_IN_USE, LISTEN_FAILED, and what its parts throw */
export async function openRegistry(config: RegistryConfig, { log, write }: OpenOptions): Promise<OpenRegistry> {
  await using stack = new AsyncDisposableStack();
  const { database, storage, repositories } = stack.use(await openStore(config, log));
  const access = stack.use(openAccess({ config: config.access, database, log }));
  let url = '';
  const search = createSearch({ database, repositories });
  const notifications = stack.use(
    createNotifications({ webhooks: config.webhooks, database, log, source: () => config.externalUrl ?? url }),
  );
  const checkDelete = (): void => refuseDelete(config);
  const retention = stack.use(
    createRetention({ rules: config.retention, immutableTags: config.immutableTags, repositories, log, checkDelete }),
  );
  const verification = stack.use(
    createVerification({ ...config, repositories, database, log, base: () => config.externalUrl ?? url }),
  );
  const origin = createProxy({ proxies: config.proxies, repositories, database, log });
  if (origin) stack.use(origin);
  const replication = stack.use(createReplication({ replications: config.replications, repositories, database, log }));
  const repair = stack.use(
    createRepair({ ...config, repositories, database, log, isMirror: (name) => origin?.serves(name) ?? false }),
  );
  for (const { guard } of [retention, verification]) repositories.guard(guard);
  for (const { listener } of [search, notifications, verification, replication, repair]) repositories.listen(listener);
  stack.use(keepClean(repositories, config, log, search));
  const distribution = distributionRoutes({
    repositories,
    origin,
    checkServe: (repository, record, grant) => verification.checkServe(repository, record, grant),
    isReadOnly: config.isReadOnly,
    isDeleteOn: config.isDeleteOn,
    maxManifestBytes: config.maxManifestBytes,
    maxBlobBytes: config.maxBlobBytes,
  });
  const metrics = new Metrics({
    right: isLoopback(config.host) && !hasAccounts(config.access) ? 'open' : 'admin',
    gauges: () =>
      gaugesOf({
        inventory: repositories.inventory(),
        collected: repositories.collected(),
        webhooks: notifications.counts(),
        replicationsPending: replication.pending(),
        faults: repair.faults(),
      }),
    checks: [
      { name: 'records', run: () => void database.sql('SELECT 1').get() },
      { name: 'storage', run: () => checkStorage(storage) },
    ],
  });
  const tellAccess = config.isAccessLogOn && write ? createAccessLog(config.logFormat, write) : undefined;
  const listener = createDispatcher({
    routes: [
      ...distribution,
      ...access.routes,
      ...metrics.routes,
      ...search.routes,
      ...retention.routes,
      ...notifications.routes,
      ...verification.routes,
      ...replication.routes,
      ...repair.routes,
      ...webRoutes(),
      ...adminRoutes({ repositories, accounts: access.accounts, version: VERSION, checkDelete }),
    ],
    access,
    observe: (report) => {
      metrics.request(report);
      tellAccess?.(report);
    },
    log,
    headers: config.headers,
    ...addressing(config),
    nameFor: origin && ((name, namespace) => origin.nameFor(name, namespace)),
  });
  const server = stack.use(await listen({ host: config.host, port: config.port, tls: config.tls, listener, log }));
  url = server.url;
  notifications.start();
  verification.start();
  replication.start();
  repair.start();
  if (config.isDeleteOn && !config.isReadOnly) retention.start(config.retentionEveryMs);
  const parts = stack.move();
  return { url, port: server.port, repositories, [Symbol.asyncDispose]: () => parts.disposeAsync() };
}

/** How the registry is known to its clients, and whom it believes about it. */
function addressing(config: RegistryConfig): Pick<DispatchOptions, 'whereabouts' | 'isOwnHost'> {
  const { externalUrl, prefix, trustedProxies } = config;
  const external = externalUrl === undefined ? undefined : new URL(externalUrl);
  // Where strangers may nothing, a page that a browser takes for ours learns nothing. Who names a proxy lets it choose the names.
  const isGuarded = isLoopback(config.host) && isStrangerWelcome(config.access) && (trustedProxies ?? []).length === 0;
  return {
    whereabouts: {
      external: external && { origin: external.origin, prefix: external.pathname.replace(/\/+$/, '') },
      prefix,
      isTrustedProxy: inNetworks(trustedProxies ?? [...LOOPBACK, ...PRIVATE]),
      isChain: trustedProxies !== undefined,
    },
    isOwnHost: isGuarded ? hostCheck(external ? [external.host] : []) : () => true,
  };
}

/** Collects garbage after deletes and from time to time; at first fills the search index, and removes what a crash left. */
function keepClean(
  repositories: OpenRepositories,
  config: RegistryConfig,
  log: Log,
  search: Pick<Search, 'fill' | 'sweep'>,
): AsyncDisposable {
  const onError = (error: unknown): void => log('error', `background work: ${messageOf(error)}`);
  const first: Task[] = [(signal) => search.fill(signal), (signal) => repositories.removeStrays(signal)];
  const collector = new Periodic({
    everyMs: config.garbageEveryMs,
    firstMs: 0,
    async run(signal) {
      const always: Task[] = [(abort) => repositories.collectGarbage(abort), (abort) => search.sweep(abort)];
      for (const task of [...first.splice(0), ...always]) {
        signal.throwIfAborted();
        // What fails keeps nothing else from being done.
        await task(signal).catch((error: unknown) => {
          if (!signal.aborted) onError(error);
        });
      }
    },
    onError,
  }).start();
  repositories.onGarbage(() => collector.soon(GARBAGE_PAUSE_MS));
  return collector;
}

type Task = (signal: AbortSignal) => Promise<unknown>;
