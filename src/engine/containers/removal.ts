// Owns the end of a container: its record at once, its disk behind it in the background.

import { readdir, rename } from 'node:fs/promises';
import { removeTree, removeTreeSync } from '../../host/remove-tree.ts';
import { type Context, publishContainer } from './context.ts';
import { detach } from './shared-memory.ts';
import type { ContainerRecord } from './types.ts';

/**
 * Removes a container that does not run. The record goes first, in one transaction: what is left on disk then has no owner,
 * and is freed now or by the next daemon's sweep.
 */
export async function removeSettled(
  context: Context,
  record: ContainerRecord,
  { volumes }: { readonly volumes: boolean },
): Promise<void> {
  const live = context.lives.of(record.id);
  live.cancelRestart();
  // Anonymous volumes that are to go are owned until they are gone: the next engine removes what we do not come to.
  const keepsVolumes = !volumes && record.mounts.some(({ anonymous }) => anonymous);
  context.records.remove(record.id, keepsVolumes ? () => context.volumes.disown(record.id) : undefined);
  const result = { exitCode: record.state.exitCode };
  if (volumes) await removeAnonymousVolumes(context, record);
  publishContainer(context, record, 'destroy');
  live.announceExit(result);
  live.announceRemoval(result);
  context.lives.forget(record.id);
  context.health.removed(record.id);
  context.onRemoved(record);
  context.background(freeDisk(context, record, live.previousClosed));
}

async function freeDisk(context: Context, record: ContainerRecord, shimClosed: Promise<void>): Promise<void> {
  await shimClosed;
  const { dir, upper, shm } = context.paths(record.id);
  try {
    detach(shm);
    await context.launcher.sweep(record);
  } finally {
    await removeFolder(dir, upper);
  }
}

/** Deletes a folder in two steps, so that a crash in between leaves a name that is seen as rubbish. */
async function removeFolder(dir: string, upper: string): Promise<void> {
  // Most short runs write nothing: a dozen files of ours are taken away at once, in native code. A written layer may be huge.
  const untouched = (await readdir(upper).catch(() => [])).length === 0;
  const rubbish = `${dir}.removed`;
  await rename(dir, rubbish).catch(() => undefined);
  if (untouched) removeTreeSync(rubbish);
  else await removeTree(rubbish);
}

async function removeAnonymousVolumes(context: Context, record: ContainerRecord): Promise<void> {
  for (const mount of record.mounts) {
    if (!mount.anonymous || mount.name === undefined) continue;
    // Another container may hold it by --volumes-from.
    await context.volumes.remove(mount.name, true).catch(() => undefined);
  }
}
