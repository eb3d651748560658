// Owns the verbs that remove containers: one by name, all that do not run.

import { GantryError } from '../../lib/errors.ts';
import { folderBytes } from '../volumes/index.ts';
import type { Context } from './context.ts';
import { filterRecords } from './filter.ts';
import { removeSettled } from './removal.ts';
import { isAlive } from './state.ts';
import { endRun } from './stop.ts';

/** See Containers.remove. */
export async function remove(
  context: Context,
  ref: string,
  options: { readonly force: boolean; readonly volumes: boolean; readonly link: boolean },
): Promise<void> {
  const { id, name, state } = context.records.find(ref);
  if (options.link) {
    throw new GantryError('invalid', 'LINKS', 'links (--link) are not supported by this engine');
  }
  const active = isAlive(state.phase) || state.phase === 'restarting';
  if (active && !options.force) throw stillRunning(name, id, state.phase);
  if (active) await endRun(context, id, { signal: 9, timeoutSeconds: 0 });
  await context.queue.run(id, async () => {
    const record = context.records.byId(id);
    // Automatic removal may have come first.
    if (record) await removeSettled(context, record, options);
  });
}

function stillRunning(name: string, id: string, phase: string): GantryError {
  const advice =
    phase === 'paused'
      ? 'unpause and then stop the container before removing or force remove'
      : 'stop the container before removing or force remove';
  return new GantryError(
    'conflict',
    'CONTAINER_STILL_RUNNING',
    `cannot remove container "${name}": container is ${phase === 'paused' ? 'paused and must be unpaused first' : phase}: ${advice}`,
    { params: { id, phase } },
  );
}

/** See Containers.prune. */
export async function prune(
  context: Context,
  filters: ReadonlyMap<string, readonly string[]>,
): Promise<{ readonly ids: readonly string[]; readonly reclaimedBytes: number }> {
  const ids: string[] = [];
  let reclaimedBytes = 0;
  for (const record of filterRecords(context, context.records.all(), filters)) {
    if (isAlive(record.state.phase) || record.state.phase === 'restarting') continue;
    reclaimedBytes += await folderBytes(context.paths(record.id).upper);
    await remove(context, record.id, { force: false, volumes: false, link: false });
    ids.push(record.id);
  }
  return { ids, reclaimedBytes };
}
