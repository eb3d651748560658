// The face of repositories: puts the verbs together over a database and a store. No behaviour of its own.

import { check } from './check.ts';
import { Context, hooks, type RepositoriesOptions } from './context.ts';
import { deleter } from './delete.ts';
import { Garbage } from './garbage.ts';
import { LayoutIndex } from './layout-index.ts';
import { blobWriter } from './put-blob.ts';
import { putManifest } from './put-manifest.ts';
import { blobReader, manifestReader, repositoryReader, tagReader } from './read.ts';
import { MIGRATIONS } from './schema.ts';
import type { Repositories } from './types.ts';
import { uploads } from './uploads.ts';

export { isManifestType, parseManifestBody } from './manifest-body.ts';
export { HIDDEN } from './schema.ts';

/** All verbs. Disposing them waits for the running ones, and brings the index of the image layout up to date. */
export type OpenRepositories = Repositories & AsyncDisposable;

/** Opens the records, and creates missing tables. */
export function openRepositories(options: RepositoriesOptions): OpenRepositories {
  options.database.migrate(MIGRATIONS);
  const context = new Context(options);
  const garbage = new Garbage(context);
  const writeIndex = options.storage.writeIndex?.bind(options.storage);
  const layout = writeIndex && new LayoutIndex(options, writeIndex);
  if (layout) context.listen(layout.listener);
  return {
    ...manifestReader(context),
    ...tagReader(context),
    ...repositoryReader(context),
    ...blobReader(context),
    putManifest: (put) => putManifest(context, put),
    ...blobWriter(context),
    ...uploads(context),
    ...deleter(context),
    ...hooks(context),
    ...garbage.verbs(),
    check: (what) => check(context, what),
    async [Symbol.asyncDispose]() {
      await garbage[Symbol.asyncDispose]();
      await context.queue.idle();
      await layout?.[Symbol.asyncDispose]();
    },
  };
}
