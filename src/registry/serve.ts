// Owns what the HTTP server is given: the routes of all parts, metrics and health, and the registry's addresses. No behaviour of its own.

import { VERSION } from '../lib/package.ts';
import { hasAccounts, isStrangerWelcome } from './access/index.ts';
import { adminRoutes } from './admin/index.ts';
import type { RegistryConfig } from './config/types.ts';
import { distributionRoutes } from './distribution/index.ts';
import { type DispatchOptions, hostCheck } from './http/index.ts';
import type { Route } from './http/types.ts';
import { inNetworks, isLoopback, LOOPBACK, PRIVATE } from './networks.ts';
import { createAccessLog, gaugesOf, Metrics } from './observe/index.ts';
import type { OpenStore } from './open-store.ts';
import type { Parts } from './parts.ts';
import { checkStorage } from './storage/index.ts';
import type { Log } from './types.ts';
import { webRoutes } from './web/index.ts';

/** Where the server writes. */
export interface ServeOutput {
  readonly log: Log;
  /** Takes the lines of the access log. */
  readonly write?: ((line: string) => void) | undefined;
}

/** The options of the dispatcher of a whole registry. */
export function dispatchOptions(
  config: RegistryConfig,
  store: OpenStore,
  parts: Parts,
  { log, write }: ServeOutput,
): DispatchOptions {
  const { origin, access } = parts;
  const metrics = metricsOf(config, store, parts);
  const logAccess = config.isAccessLogOn && write ? createAccessLog(config.logFormat, write) : undefined;
  return {
    routes: routesOf(config, store, parts, metrics),
    access,
    observe: (report) => {
      metrics.request(report);
      logAccess?.(report);
    },
    log,
    headers: config.headers,
    ...addressing(config),
    nameFor: origin && ((name, namespace) => origin.nameFor(name, namespace)),
  };
}

function routesOf(
  config: RegistryConfig,
  { repositories }: OpenStore,
  parts: Parts,
  metrics: Metrics,
): readonly Route[] {
  const { access, verification, origin, checkDelete } = parts;
  const distribution = distributionRoutes({
    repositories,
    origin,
    checkServe: (repository, record, grant) => verification.checkServe(repository, record, grant),
    isReadOnly: config.isReadOnly,
    isDeleteOn: config.isDeleteOn,
    maxManifestBytes: config.maxManifestBytes,
    maxBlobBytes: config.maxBlobBytes,
  });
  return [
    ...distribution,
    ...access.routes,
    ...metrics.routes,
    ...parts.search.routes,
    ...parts.retention.routes,
    ...parts.notifications.routes,
    ...verification.routes,
    ...parts.replication.routes,
    ...parts.repair.routes,
    ...webRoutes(),
    ...adminRoutes({ repositories, accounts: access.accounts, version: VERSION, checkDelete }),
  ];
}

function metricsOf(config: RegistryConfig, { database, storage, repositories }: OpenStore, parts: Parts): Metrics {
  const { notifications, replication, repair } = parts;
  return new Metrics({
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
}

/** The URL that clients use for the registry, and which proxies may name it. */
function addressing(config: RegistryConfig): Pick<DispatchOptions, 'whereabouts' | 'isOwnHost'> {
  const { externalUrl, prefix, trustedProxies } = config;
  const external = externalUrl === undefined ? undefined : new URL(externalUrl);
  // DNS rebinding: a foreign page could read a registry on loopback that is open to anonymous clients, unless the Host header is checked.
  // Configured proxies may send any name.
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
