// Owns opening an engine: its phases in the order in which they need each other, and closing in reverse.

import { createReadiness } from '../host/cgroup/index.ts';
import { openFileLimit, openFileWarning } from '../host/process/index.ts';
import { LOG_DRIVERS } from './containers/index.ts';
import { engineId } from './folders.ts';
import { type Ground, openGround } from './ground.ts';
import type { EngineOptions, OpenEngine } from './options.ts';
import { openProcesses } from './processes.ts';
import { readyContainers, readyExecs } from './readiness.ts';
import { takeUpTheRest } from './rescue.ts';
import { securityWords } from './settings.ts';
import { openStores, type Stores } from './stores.ts';
import { createSystem } from './system/index.ts';
import type { System } from './system/types.ts';

export type { EngineOptions, OpenEngine } from './options.ts';
export type { ReloadableSettings } from './settings.ts';
export type { Engine } from './types.ts';

/**
 * Opens the engine of a data root and takes up what its last opener left.
 * @throws GantryError: ROOT_TAKEN, BRIDGE_TAKEN, RECORDS_MISSING, RECORDS_DAMAGED, RECORDS_NEWER, NO_RUNTIME, and what host and options make impossible
 */
export async function openEngine(options: EngineOptions): Promise<OpenEngine> {
  await using stack = new AsyncDisposableStack();
  const ground = await openGround(options, stack);
  const stores = openStores(options, ground, stack);
  const { containers, execs, files } = await openProcesses(options, ground, stores, stack);
  if (options.recover) await takeUpTheRest({ ...options, ...ground, ...stores });
  await containers.recover();
  await stores.volumes.sweep((id) => ground.records.byId(id) !== undefined);
  await stores.images.sweep();
  const id = engineId(ground.db);
  const makeReady = createReadiness(ground.cgroups.layout);
  const owned = stack.move();
  return {
    ...stores,
    containers: readyContainers(containers.face, makeReady),
    execs: readyExecs(execs.face, makeReady),
    files,
    system: openSystem(options, ground, stores, id),
    expectWork: makeReady,
    reload: (next, attributes) => reload(ground, stores, id, next, attributes),
    stopAll: containers.shutdown,
    [Symbol.asyncDispose]: () => owned.disposeAsync(),
  };
}

async function reload(
  { settings, cgroups }: Ground,
  { events }: Stores,
  id: string,
  ...[next, attributes]: Parameters<OpenEngine['reload']>
): Promise<void> {
  await settings.reload(next);
  const cgroupns = attributes['default-cgroupns-mode'] || (cgroups.layout.version === 2 ? 'private' : 'host');
  const resolved = { 'default-runtime': settings.defaultRuntime, 'default-cgroupns-mode': cgroupns };
  events.publish({ type: 'daemon', action: 'reload', actorId: id, attributes: { ...attributes, ...resolved } });
}

function openSystem(options: EngineOptions, ground: Ground, { networks, images }: Stores, id: string): System {
  const { settings, records, folders } = ground;
  const openFiles = openFileWarning(openFileLimit());
  const { version, dataRoot, logDriver, addressPools, minApiVersion } = options;
  return createSystem({
    version,
    dataRoot,
    id,
    settings,
    logDriver,
    logDrivers: LOG_DRIVERS,
    cgroupVersion: ground.cgroups.layout.version,
    addressPools,
    experimental: options.experimental ?? false,
    minApiVersion,
    securityOptions: () => securityWords(options, settings.now.defaults ?? {}),
    initBinary: options.initPath || 'docker-init',
    warnings: () => [...ground.runtimeNotes, ...networks.warnings(), ...(openFiles === undefined ? [] : [openFiles])],
    driverStatus: [
      ['Backing Filesystem', folders.backingFilesystem],
      ['Supports d_type', 'true'],
      ['Native Overlay Diff', 'true'],
    ],
    counts: () => ({ ...records.counts(), images: images.list().length }),
  });
}
