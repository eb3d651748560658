// Owns the facts and doors that every verb of the container capability works with. No behaviour of its own.

import type { KeyedQueue } from '../../lib/keyed-queue.ts';
import type { Events } from '../events/types.ts';
import type { Health } from '../health/index.ts';
import type { ImageReader, ImageVerbs } from '../images/types.ts';
import type { Networks } from '../networks/types.ts';
import type { Rootfs } from '../rootfs/index.ts';
import type { OwnedVolumes } from '../volumes/types.ts';
import type { Departed } from './auto-removal.ts';
import type { ContainerDefaults } from './defaults.ts';
import type { Launcher } from './launcher.ts';
import type { LiveContainers, Run } from './live.ts';
import type { HostFacts } from './plan/host-config.ts';
import type { ContainerRecords } from './records.ts';
import type { ContainerId, ContainerPaths, ContainerRecord } from './types.ts';

export interface Context {
  readonly records: ContainerRecords;
  readonly lives: LiveContainers;
  /** One verb at a time for each container. */
  readonly queue: KeyedQueue;
  readonly images: ImageReader & Pick<ImageVerbs, 'lease'>;
  readonly networks: Networks;
  readonly volumes: OwnedVolumes;
  readonly publish: Events['publish'];
  readonly launcher: Launcher;
  readonly rootfs: Pick<Rootfs, 'open'>;
  readonly facts: HostFacts;
  /** Of this daemon, as they are now. */
  readonly defaults: () => ContainerDefaults;
  readonly paths: (id: ContainerId) => ContainerPaths;
  readonly log: (level: 'info' | 'warn' | 'error', message: string) => void;
  readonly health: Pick<Health, 'started' | 'stopped' | 'removed' | 'of'>;
  /** Called when a container was removed: its image may have waited for it to be freed. */
  readonly onRemoved: (container: ContainerRecord) => void;
  readonly execIds: (id: ContainerId) => readonly string[];
  /** Containers that were just removed automatically. */
  readonly departed: Departed;
  /** Watches a started run to its end. */
  readonly supervise: (id: ContainerId, run: Run) => void;
  /** Aborted when the engine lets go of its containers. */
  readonly closing: AbortSignal;
  /** Work in the background (freeing disk); awaited when the engine closes. */
  readonly background: (work: Promise<unknown>) => void;
}

/** Publishes a container event with the attributes Docker gives: labels, image, name, then `extra`. */
export function publishContainer(
  context: Pick<Context, 'publish'>,
  record: ContainerRecord,
  action: string,
  extra: Readonly<Record<string, string>> = {},
): void {
  context.publish({
    type: 'container',
    action,
    actorId: record.id,
    attributes: { ...record.config.Labels, ...extra, image: record.imageName, name: record.name },
  });
}
