// Owns making a container's mount sources ready at start: bind sources, volumes, the first copy of an image's content.

import { constants } from 'node:os';
import { getSystemErrorName } from 'node:util';
import { mountOf } from '../../host/mount-table.ts';
import { errnoWords } from '../../lib/errno-words.ts';
import { GantryError, isGantryError } from '../../lib/errors.ts';
import { isEmptyVolume } from '../volumes/index.ts';
import type { Context } from './context.ts';
import { copyContent } from './copy-up.ts';
import { failure, invalid } from './errors.ts';
import type { ContainerRecord, MountRecord } from './types.ts';

/**
 * Makes every bind source and volume of the container exist.
 * @throws BIND_SOURCE_MISSING for a --mount whose source is gone
 */
export async function prepareMountSources(context: Context, record: ContainerRecord): Promise<void> {
  for (const mount of record.mounts) {
    if (mount.type === 'bind') {
      await probe(context, mount);
      if (PASSED_ON.test(mount.propagation)) await checkPropagation(mount);
    } else if (mount.type === 'volume') await ensureVolume(context, mount);
  }
}

/** Fills empty volumes with what the image holds at their place. @source dockerd 28.5: empty volumes only, not with nocopy */
export async function fillVolumes(context: Context, record: ContainerRecord, rootfs: string): Promise<void> {
  for (const mount of record.mounts) {
    if (mount.type !== 'volume' || mount.copyUp === false || mount.name === undefined) continue;
    // A part that is there makes the volume no empty one.
    if (mount.subpath !== undefined) continue;
    const volume = context.volumes.get(mount.name);
    // One container at a time: another that starts now must not find it half filled.
    await context.queue.run(`volume ${mount.name}`, async () => {
      if (await isEmptyVolume(volume)) await copyContent(rootfs, mount.destination, volume.mountpoint);
    });
  }
}

/** Propagations by which mounts travel, in one way or both. */
const PASSED_ON = /^r?(?:shared|slave)$/;

/** Mounts travel only where the source itself lets them. @throws PROPAGATION in Docker's words */
async function checkPropagation({ source, propagation }: MountRecord): Promise<void> {
  const { mountPoint, isShared, isSlave } = await mountOf(source);
  const wantsShared = propagation.endsWith('shared');
  if (isShared || (isSlave && !wantsShared)) return;
  const kinds = wantsShared ? 'a shared mount' : 'a shared or slave mount';
  throw failure('PROPAGATION', `path ${source} is mounted on ${mountPoint} but it is not ${kinds}`);
}

/** Refuses a source that must be there and is not. @throws BIND_SOURCE_MISSING, BIND_SOURCE, BIND_SOURCE_SILENT */
export async function checkBindSource(
  context: Pick<Context, 'launcher'>,
  mount: Pick<MountRecord, 'source' | 'createSource'>,
): Promise<void> {
  if (!mount.createSource) await probe(context, mount);
}

/** As checkBindSource, or makes the source. A file or socket as source is fine. */
async function probe(
  { launcher }: Pick<Context, 'launcher'>,
  { source, createSource = false }: Pick<MountRecord, 'source' | 'createSource'>,
): Promise<void> {
  const errno = await launcher.probeSource({ path: source, create: createSource });
  if (errno === 0) return;
  if (errno === constants.errno.ETIMEDOUT) {
    throw new GantryError(
      'system',
      'BIND_SOURCE_SILENT',
      `the file system of the bind source ${source} does not answer`,
      {
        hint: 'see whether its file server or its FUSE program still works, and mount it again',
      },
    );
  }
  if (!createSource && (errno === constants.errno.ENOENT || errno === constants.errno.ENOTDIR)) {
    throw invalid(
      'BIND_SOURCE_MISSING',
      `invalid mount config for type "bind": bind source path does not exist: ${source}`,
    );
  }
  const words = errnoWords(getSystemErrorName(-errno)) ?? `errno ${errno}`;
  throw invalid(
    'BIND_SOURCE',
    createSource
      ? `error while creating mount source path '${source}': mkdir ${source}: ${words}`
      : `invalid mount config for type "bind": stat ${source}: ${words}`,
  );
}

/** A named volume that was removed behind the container's back comes back empty, as with Docker. */
async function ensureVolume(context: Context, mount: MountRecord): Promise<void> {
  if (mount.name === undefined) return;
  try {
    context.volumes.get(mount.name);
  } catch (error) {
    if (!isGantryError(error, 'notFound')) throw error;
    await context.volumes.create({ name: mount.name });
  }
}
