// Owns telling that a container's run has taken its volumes, and that it has let go of them.

import type { Context } from './context.ts';
import type { ContainerRecord, MountRecord } from './types.ts';

export function publishMounts(context: Context, record: ContainerRecord): void {
  for (const { name, destination, propagation, writable } of volumesOf(record)) {
    const attributes = {
      container: record.id,
      destination,
      driver: 'local',
      propagation,
      'read/write': String(writable),
    };
    context.publish({ type: 'volume', action: 'mount', actorId: name, attributes });
  }
}

export function publishUnmounts(context: Context, record: ContainerRecord): void {
  for (const { name } of volumesOf(record)) {
    const attributes = { container: record.id, driver: 'local' };
    context.publish({ type: 'volume', action: 'unmount', actorId: name, attributes });
  }
}

function volumesOf({ mounts }: ContainerRecord): readonly (MountRecord & { readonly name: string })[] {
  return mounts.flatMap((mount) =>
    mount.type === 'volume' && mount.name !== undefined ? [{ ...mount, name: mount.name }] : [],
  );
}
