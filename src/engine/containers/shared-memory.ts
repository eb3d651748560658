// Owns the /dev/shm that containers share (`--ipc shareable`, `--ipc container:X`): a memory file system on the host, from the
// start of its owner to its end. Those who joined keep it for as long as they run.

import { mkdir } from 'node:fs/promises';
import { errno, libc, MNT_DETACH, MS_NODEV, MS_NOEXEC, MS_NOSUID, must } from '../../host/libc.ts';
import { joinedContainer } from '../../spec/docker/join-mode.ts';
import type { Context } from './context.ts';
import { notShareable } from './errors.ts';
import type { ContainerRecord } from './types.ts';

const HOST_PATH = '/dev/shm';
const DEFAULT_BYTES = 64 * 1024 * 1024;

/** True when the container's /dev/shm lies on the host, for others to join. */
function sharesMemory({ hostConfig }: Pick<ContainerRecord, 'hostConfig'>): boolean {
  return hostConfig.IpcMode === 'shareable';
}

/** Makes it, when the container is to share. The caller undoes with `releaseSharedMemory`. */
export async function makeSharedMemory(context: Context, record: ContainerRecord): Promise<void> {
  if (!sharesMemory(record)) return;
  const { shm } = context.paths(record.id);
  detach(shm);
  await mkdir(shm, { recursive: true, mode: 0o700 });
  const data = `mode=1777,size=${record.hostConfig.ShmSize || DEFAULT_BYTES}`;
  must(libc.mount('shm', shm, 'tmpfs', MS_NOSUID | MS_NODEV | MS_NOEXEC, data), 'mount', shm);
}

/** Lets go of it; absent is fine. */
export function releaseSharedMemory(context: Context, record: ContainerRecord): void {
  if (sharesMemory(record)) detach(context.paths(record.id).shm);
}

/** Takes away what may still be mounted at `path`. */
export function detach(path: string): void {
  const result = libc.umount2(path, MNT_DETACH);
  if (result < 0 && result !== -errno.EINVAL && result !== -errno.ENOENT) must(result, 'umount', path);
}

/** The host folder that becomes the container's /dev/shm; undefined when it has one of its own. @throws NOT_SHAREABLE */
export function sharedMemoryOf(context: Context, record: ContainerRecord): string | undefined {
  if (sharesMemory(record)) return context.paths(record.id).shm;
  const joined = joinedContainer(record.hostConfig.IpcMode);
  if (joined === undefined) return undefined;
  const peer = context.records.find(joined);
  if (peer.hostConfig.IpcMode === 'host') return HOST_PATH;
  const path = peer.id === record.id ? undefined : sharedMemoryOf(context, peer);
  if (path === undefined) throw notShareable(peer.id);
  return path;
}
