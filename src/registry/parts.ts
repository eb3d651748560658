// Owns which parts a registry has, what each is given, and the order in which they open, start and close. No behaviour of its own.

import { openAccess } from './access/index.ts';
import type { RegistryConfig } from './config/types.ts';
import { refuseDelete } from './distribution/index.ts';
import { keepClean } from './keep-clean.ts';
import { createNotifications } from './notifications/index.ts';
import type { OpenStore } from './open-store.ts';
import { createProxy } from './proxy/index.ts';
import { createRepair } from './repair/index.ts';
import { createReplication } from './replication/index.ts';
import { createRetention } from './retention/index.ts';
import { createSearch } from './search/index.ts';
import type { Log } from './types.ts';
import { createVerification } from './verification/index.ts';

/** The open parts. Disposing them closes them in reverse order. */
export type Parts = Awaited<ReturnType<typeof openParts>>;

/** Opens the parts over a store and hooks them into its repositories. `base` is the registry's URL, known once it listens. */
export async function openParts(config: RegistryConfig, store: OpenStore, base: () => string, log: Log) {
  const { database, repositories } = store;
  const shared = { database, repositories, log };
  await using stack = new AsyncDisposableStack();
  const checkDelete = (): void => refuseDelete(config);
  const access = stack.use(openAccess({ config: config.access, database, log }));
  const search = createSearch(shared);
  const notifications = stack.use(createNotifications({ webhooks: config.webhooks, database, log, source: base }));
  const retention = stack.use(
    createRetention({ rules: config.retention, immutableTags: config.immutableTags, repositories, log, checkDelete }),
  );
  const verification = stack.use(createVerification({ ...config, ...shared, base }));
  const origin = createProxy({ proxies: config.proxies, ...shared });
  if (origin) stack.use(origin);
  const replication = stack.use(createReplication({ replications: config.replications, ...shared }));
  const repair = stack.use(createRepair({ ...config, ...shared, isMirror: (name) => origin?.serves(name) ?? false }));
  for (const { guard } of [retention, verification]) repositories.guard(guard);
  for (const { listener } of [search, notifications, verification, replication, repair]) repositories.listen(listener);
  stack.use(keepClean({ repositories, search, garbageEveryMs: config.garbageEveryMs, log }));
  const opened = stack.move();
  return {
    access,
    search,
    notifications,
    retention,
    verification,
    origin,
    replication,
    repair,
    checkDelete,
    [Symbol.asyncDispose]: () => opened.disposeAsync(),
  };
}

/** Begins the work that parts do by themselves. */
export function startParts(config: RegistryConfig, parts: Parts): void {
  parts.notifications.start();
  parts.verification.start();
  parts.replication.start();
  parts.repair.start();
  if (config.isDeleteOn && !config.isReadOnly) parts.retention.start(config.retentionEveryMs);
}
