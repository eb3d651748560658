// Owns opening an engine: makes each capability in the order in which they need each other, and closes them in reverse.

import { createHash } from 'node:crypto';
import { cpus } from 'node:os';
import { basename, join } from 'node:path';
import { createCgroups, createReadiness, detectCgroupLayout, readLimitSupport } from '../host/cgroup/index.ts';
import { linuxMounts } from '../host/mount/index.ts';
import { openFileLimit, openFileWarning, readHostFacts } from '../host/process/index.ts';
import { lockBridge, lockRoot } from '../host/root-lock.ts';
import { messageOf } from '../lib/errors.ts';
import { compileFilter, createSeccompCache, probeRuntimes } from '../runtime/drivers/index.ts';
import { startSpawner } from '../runtime/link/index.ts';
import { parseDetachKeys } from '../spec/docker/decode-detach-keys.ts';
import { rescueRecords } from '../store/rescue.ts';
import {
  type ContainerCapability,
  checkDefaultLogOptions,
  createContainers,
  isAlive,
  LOG_DRIVERS,
  openContainerRecords,
  pathsOf,
  publishContainer,
} from './containers/index.ts';
import { createEvents } from './events/index.ts';
import { createExecs, type ExecCapability } from './exec/index.ts';
import { createFiles } from './files/index.ts';
import { engineId, makeFolders } from './folders.ts';
import { createHealth, type Health, OUTPUT_BYTES } from './health/index.ts';
import { createImages } from './images/index.ts';
import { createNetworks, DEFAULT_ADDRESS_POOLS } from './networks/index.ts';
import { readyContainers, readyExecs } from './readiness.ts';
import { describeRescue, keepCopy, openRecords, refuseForgotten, takeUpTheRest } from './rescue.ts';
import { createRootfs } from './rootfs/index.ts';
import { createRuns, gatherHost } from './runs/index.ts';
import { type FixedSettings, type ReloadableSettings, Settings, securityWords, withSettings } from './settings.ts';
import { createSystem } from './system/index.ts';
import type { Engine } from './types.ts';
import { createVolumes } from './volumes/index.ts';

export type { ReloadableSettings } from './settings.ts';

export type { Engine } from './types.ts';

/** How an engine is opened. */
export interface EngineOptions extends ReloadableSettings, FixedSettings {
  /** Images, containers, volumes, records; absolute. */
  readonly dataRoot: string;
  /** Running state, absolute; best on a memory file system. */
  readonly execRoot: string;
  /** Our shim program, absolute. */
  readonly shimBinary: string;
  /** Version to show. */
  readonly version: string;
  /** Kernel name of the default bridge (at most 15 bytes); `none` for no bridge. */
  readonly bridge: string;
  /** Its address as CIDR; '' = the first free pool. */
  readonly bip: string;
  /** Pools for networks; [] = Docker's. */
  readonly addressPools: readonly { readonly base: string; readonly size: number }[];
  readonly userlandProxy: boolean;
  readonly logDriver: string;
  readonly logOpts: Readonly<Record<string, string>>;
  /** Put records together again that are damaged or gone, before anything else. */
  readonly recover?: boolean | undefined;
  readonly log: (level: 'debug' | 'info' | 'warn' | 'error', message: string) => void;
}

/** An engine in this process. Disposing lets go of its containers, which run on. */
export interface OpenEngine extends Engine, AsyncDisposable {
  /** Begins cheap preparations for what a client that has just come may ask for. */
  readonly expectWork: () => void;
  /** Takes new settings for what happens from now on, and publishes it. @throws GantryError RUNTIME_NOT_FOUND, and nothing has changed */
  readonly reload: (settings: ReloadableSettings, attributes: Readonly<Record<string, string>>) => Promise<void>;
  /** Stops all containers within their stop timeouts, or `timeoutSeconds` where that is longer; -1 = without limit. */
  readonly stopAll: (timeoutSeconds: number) => Promise<void>;
}

/**
 * Opens the engine of a data root and takes up what its last opener left.
 * @throws GantryError: ROOT_TAKEN, BRIDGE_TAKEN, RECORDS_MISSING, RECORDS_DAMAGED, RECORDS_NEWER, NO_RUNTIME, and what host and options make impossible
 */
export async function openEngine(options: EngineOptions): Promise<OpenEngine> {
  await using stack = new AsyncDisposableStack();
  const folders = await makeFolders(options.dataRoot, options.execRoot);
  stack.use(lockRoot(options.dataRoot, 'data root'));
  stack.use(lockRoot(options.execRoot, 'exec root'));
  if (options.bridge !== 'none') stack.use(lockBridge(options.bridge));
  const recordsPath = join(options.dataRoot, 'gantry.db');
  if (options.recover) for (const line of describeRescue(rescueRecords(recordsPath))) options.log('info', line);
  const db = stack.use(openRecords(recordsPath));
  if (!options.recover) await refuseForgotten(db, options.dataRoot, folders);
  stack.use(keepCopy(db, recordsPath, (message) => options.log('warn', message)));
  // Names what is ours in the kernel, so that several engines live side by side.
  const instance = createHash('sha256').update(options.dataRoot).digest('hex').slice(0, 8);
  const spawner = stack.use(await startSpawner({ binary: options.shimBinary }));
  const cgroups = createCgroups(await detectCgroupLayout());
  const plainHost = await gatherHost({
    layout: cgroups.layout,
    cgroupParent: `/gantry-${instance}`,
    shimBinary: options.shimBinary,
  });
  const host = withSettings(plainHost, options);
  checkDefaultLogOptions(options.logDriver, options.logOpts);
  const records = stack.use(openContainerRecords(db));
  // What we put into the kernel leaves with us, unless containers still need it.
  const isLast = (): boolean => !records.all().some(({ state }) => isAlive(state.phase));
  const warnOf = (error: unknown): void => options.log('warn', messageOf(error));
  stack.defer(async () => {
    if (isLast()) await cgroups.remove(host.cgroupParent).catch(warnOf);
  });
  const { bootId } = await readHostFacts();
  const trial = { dir: join(options.execRoot, 'trials'), bootId, layout: cgroups.layout, host: plainHost };
  const seccomp = createSeccompCache(join(options.dataRoot, 'seccomp'), (driver, profile) =>
    compileFilter(trial, spawner, driver, profile),
  );
  const probe = { spawner, layout: cgroups.layout, execRoot: options.execRoot, trial };
  const runtimes = await probeRuntimes({
    ...probe,
    added: options.runtimes,
    wanted: options.defaultRuntime || undefined,
    seccomp,
  });
  const settings = new Settings(options, runtimes, probe);
  const events = createEvents();

  const images = stack.use(
    createImages({
      db,
      contentDir: folders.content,
      layersDir: folders.layers,
      registries: settings.registries,
      users: {
        usersOf: (id) =>
          records
            .all()
            .filter((record) => record.imageId === id)
            .map(({ id: containerId, state }) => ({
              containerId,
              running: state.phase === 'running' || state.phase === 'paused',
            })),
      },
      publish: events.publish,
    }),
  );
  const volumes = createVolumes({
    db,
    dir: folders.volumes,
    publish: events.publish,
    usersOf: (name) =>
      records
        .all()
        .filter(({ mounts }) => mounts.some((mount) => mount.name === name))
        .map(({ id }) => id),
  });
  const networks = createNetworks({
    database: db,
    publish: events.publish,
    options: {
      bridgeName: options.bridge,
      bip: options.bip || undefined,
      addressPools: options.addressPools.length > 0 ? options.addressPools : DEFAULT_ADDRESS_POOLS,
      instance,
      userlandProxy: options.userlandProxy,
      mtu: options.mtu,
      icc: options.icc,
      hostIp: options.hostIp,
      ipForward: options.ipForward,
      ipMasq: options.ipMasq,
      iptables: options.iptables,
    },
    log: (message) => options.log('warn', message),
  });
  stack.defer(async () => {
    if (isLast()) await networks.teardown().catch(warnOf);
    await networks.close();
  });
  const mounts = stack.use(linuxMounts(join(options.execRoot, 'mounts')));
  const rootfs = createRootfs({ mounts, initLayer: folders.initLayer });
  const sealedShim = await spawner.seal(options.shimBinary);
  const runs = createRuns({
    spawner,
    sessionProgram: Number(basename(sealedShim)),
    drivers: settings.drivers,
    host,
    seccomp,
    cgroups,
    shimsDir: folders.shims,
    rootfs,
    paths: (id) => pathsOf(folders.containers, id),
  });

  // Containers end execs, execs look containers up: each is given the other's verbs, called only once both exist.
  let execs: ExecCapability | undefined;
  let health: Health | undefined;
  const containers: ContainerCapability = createContainers({
    records,
    dir: folders.containers,
    images,
    networks,
    volumes,
    publish: events.publish,
    launcher: runs.containers,
    rootfs,
    facts: {
      cpus: cpus().length,
      support: await readLimitSupport(cgroups.layout),
      cgroupVersion: cgroups.layout.version,
      get defaultRuntime() {
        return settings.defaultRuntime;
      },
      get runtimes() {
        return settings.runtimes;
      },
      logDriver: options.logDriver,
      logOptions: options.logOpts,
    },
    defaults: () => settings.now.defaults ?? {},
    health: {
      started: (container) => health?.started(container),
      stopped(id) {
        health?.stopped(id);
        execs?.onContainerStopped(id);
      },
      removed: (id) => health?.removed(id),
      of: (id) => health?.of(id),
    },
    log: options.log,
    onRemoved: ({ id: removedId, imageId }) => {
      execs?.onContainerRemoved(removedId);
      if (images.list().every(({ id }) => id !== imageId)) void images.sweep();
    },
    execIds: (id) => execs?.idsOf(id) ?? [],
  });
  execs = createExecs({ find: containers.find, launcher: runs.execs, publish: events.publish, parseDetachKeys });
  const probes = execs;
  health = stack.use(
    createHealth({
      probe: (container, command, timeoutMs) => probes.run(container, command, { timeoutMs, mostBytes: OUTPUT_BYTES }),
      find: (id) => records.byId(id),
      changed: (container, { status }) =>
        publishContainer({ publish: events.publish }, container, `health_status: ${status}`),
    }),
  );
  const files = stack.use(
    createFiles({
      find: containers.find,
      withRoot: containers.withRoot,
      publish: (container, action) => publishContainer({ publish: events.publish }, container, action),
    }),
  );
  stack.defer(probes.close);
  stack.defer(containers.close);
  if (options.recover) await takeUpTheRest({ ...options, folders, records, images, volumes });
  await containers.recover();
  await volumes.sweep((id) => records.byId(id) !== undefined);
  await images.sweep();

  const openFiles = openFileWarning(openFileLimit());
  const id = engineId(db);
  const system = createSystem({
    version: options.version,
    dataRoot: options.dataRoot,
    id,
    settings,
    logDriver: options.logDriver,
    logDrivers: LOG_DRIVERS,
    cgroupVersion: cgroups.layout.version,
    addressPools: options.addressPools,
    experimental: options.experimental ?? false,
    minApiVersion: options.minApiVersion,
    securityOptions: () => securityWords(options, settings.now.defaults ?? {}),
    initBinary: options.initPath || 'docker-init',
    warnings: () => [...runtimes.notes, ...networks.warnings(), ...(openFiles === undefined ? [] : [openFiles])],
    driverStatus: [
      ['Backing Filesystem', folders.backingFilesystem],
      ['Supports d_type', 'true'],
      ['Native Overlay Diff', 'true'],
    ],
    counts: () => {
      const phases = records.all().map(({ state }) => state.phase);
      const running = phases.filter((phase) => phase === 'running' || phase === 'restarting').length;
      const paused = phases.filter((phase) => phase === 'paused').length;
      return { running, paused, stopped: phases.length - running - paused, images: images.list().length };
    },
  });
  const makeReady = createReadiness(cgroups.layout);
  const owned = stack.move();
  return {
    containers: readyContainers(containers.face, makeReady),
    execs: readyExecs(execs.face, makeReady),
    files,
    images,
    networks,
    volumes,
    events,
    system,
    expectWork: makeReady,
    async reload(next, attributes) {
      await settings.reload(next);
      const cgroupns = attributes['default-cgroupns-mode'] || (cgroups.layout.version === 2 ? 'private' : 'host');
      const resolved = { 'default-runtime': settings.defaultRuntime, 'default-cgroupns-mode': cgroupns };
      events.publish({ type: 'daemon', action: 'reload', actorId: id, attributes: { ...attributes, ...resolved } });
    },
    stopAll: containers.shutdown,
    [Symbol.asyncDispose]: () => owned.disposeAsync(),
  };
}
