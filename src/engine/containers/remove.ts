// Owns the verbs that remove containers: one by name, all that do not run.

import { GantryError, isGantryError } from '../../lib/errors.ts';
import { span } from '../../lib/trace.ts';
import { folderBytes } from '../volumes/index.ts';
import type { Context } from './context.ts';
import { filterRecords } from './filter.ts';
import { removeSettled } from './removal.ts';
import { isActive } from './state.ts';
import { endRun } from './stop.ts';
import type { ContainerRecord } from './types.ts';

/** See Containers.remove. */
export async function remove(
  context: Context,
  ref: string,
  options: { readonly force: boolean; readonly volumes: boolean; readonly link: boolean },
): Promise<void> {
  const { id } = context.records.find(ref);
  if (options.link) {
    throw new GantryError('invalid', 'LINKS', 'links (--link) are not supported by this engine');
  }
  for (let tries = 0; tries < MOST_TRIES; tries++) {
    if (await context.queue.run(id, () => removeUnlessActive(context, id, options))) return;
    await endRun(context, id, { signal: 9, timeoutSeconds: 0 });
  }
  throw stillRunning(context.records.find(id));
}

/** Somebody may start the container as often as we end it. */
const MOST_TRIES = 5;

/** Runs inside the container's queue: what was true before it may have changed. @returns false when it runs again */
async function removeUnlessActive(
  context: Context,
  id: string,
  options: { readonly force: boolean; readonly volumes: boolean },
): Promise<boolean> {
  const record = context.records.byId(id);
  // Automatic removal may have come first.
  if (!record) return true;
  if (!isActive(record.state.phase)) {
    await span('files', () => removeSettled(context, record, options));
    return true;
  }
  if (!options.force) throw stillRunning(record);
  return false;
}

/** @source dockerd 28.5 */
function stillRunning({ id, name, state: { phase } }: ContainerRecord): GantryError {
  const why =
    phase === 'paused'
      ? 'container is paused and must be unpaused first'
      : `container is ${phase}: stop the container before removing or force remove`;
  return new GantryError('conflict', 'CONTAINER_STILL_RUNNING', `cannot remove container "${name}": ${why}`, {
    params: { id, phase },
  });
}

/** See Containers.prune. */
export async function prune(
  context: Context,
  filters: ReadonlyMap<string, readonly string[]>,
): Promise<{ readonly ids: readonly string[]; readonly reclaimedBytes: number }> {
  const ids: string[] = [];
  let reclaimedBytes = 0;
  for (const record of filterRecords(context, context.records.all(), filters)) {
    const { id } = record;
    if (isActive(record.state.phase)) continue;
    const bytes = await folderBytes(context.paths(id).upper);
    const removed = await context.queue
      .run(id, () => removeUnlessActive(context, id, { force: false, volumes: false }))
      .catch((error: unknown) => {
        // Started meanwhile.
        if (isGantryError(error, 'conflict')) return false;
        throw error;
      });
    if (!removed) continue;
    reclaimedBytes += bytes;
    ids.push(id);
  }
  return { ids, reclaimedBytes };
}
