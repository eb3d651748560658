// Owns opening a registry's data: the lock on its root, the records, the content and the repositories over them. Starts no server.

import { join } from 'node:path';
import { lockRoot } from '../host/root-lock.ts';
import { GantryError } from '../lib/errors.ts';
import { type Database, openDatabase } from '../store/database.ts';
import type { RegistryConfig } from './config/types.ts';
import { looksLikeDistributionRoot } from './importing/index.ts';
import { type OpenRepositories, openRepositories } from './repositories/index.ts';
import { makeRoot, rootUnusable } from './root.ts';
import { openStorage } from './storage/index.ts';
import type { Storage } from './storage/types.ts';
import type { Log } from './types.ts';

/** Records and content without a server, for the registry itself and for commands on its data. */
export interface OpenStore extends AsyncDisposable {
  readonly database: Database;
  readonly storage: Storage;
  readonly repositories: OpenRepositories;
}

/** @throws ROOT_TAKEN when another process has the root open; FOREIGN_ROOT when it holds the data of a docker-registry; ROOT_UNUSABLE */
export async function openStore(config: RegistryConfig, log: Log): Promise<OpenStore> {
  try {
    return await openUnder(config, log);
  } catch (error) {
    throw rootUnusable(config.root, error);
  }
}

async function openUnder(config: RegistryConfig, log: Log): Promise<OpenStore> {
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
