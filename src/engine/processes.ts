// Owns the third phase of opening an engine: all that runs (containers, execs, health checks), and the files of containers.

import { cpus } from 'node:os';
import { join } from 'node:path';
import { readLimitSupport } from '../host/cgroup/index.ts';
import { linuxMounts } from '../host/mount/index.ts';
import { parseDetachKeys } from '../spec/docker/decode-detach-keys.ts';
import {
  type ContainerCapability,
  type ContainersDeps,
  createContainers,
  pathsOf,
  publishContainer,
} from './containers/index.ts';
import { createExecs, type ExecCapability } from './exec/index.ts';
import { createFiles } from './files/index.ts';
import type { Ground } from './ground.ts';
import { createHealth, type Health, OUTPUT_BYTES } from './health/index.ts';
import type { EngineOptions } from './options.ts';
import { createRootfs } from './rootfs/index.ts';
import { createRuns } from './runs/index.ts';
import type { Stores } from './stores.ts';

/** All that runs. */
export interface Processes {
  readonly containers: ContainerCapability;
  readonly execs: ExecCapability;
  readonly files: ReturnType<typeof createFiles>;
}

/** Pushes onto `stack` what is to be closed. Nothing of an earlier engine is taken up yet. */
export async function openProcesses(
  options: EngineOptions,
  ground: Ground,
  stores: Stores,
  stack: AsyncDisposableStack,
): Promise<Processes> {
  const { records, folders, settings } = ground;
  const { publish } = stores.events;
  const mounts = stack.use(linuxMounts(join(options.execRoot, 'mounts')));
  const rootfs = createRootfs({ mounts, initLayer: folders.initLayer });
  const runs = createRuns({
    ...ground,
    drivers: settings.drivers,
    shimsDir: folders.shims,
    rootfs,
    paths: (id) => pathsOf(folders.containers, id),
  });
  const find = (ref: string) => records.find(ref);
  const execs = createExecs({ find, launcher: runs.execs, publish, parseDetachKeys });
  const health = stack.use(
    createHealth({
      probe: (container, command, timeoutMs) => execs.run(container, command, { timeoutMs, mostBytes: OUTPUT_BYTES }),
      find: (id) => records.byId(id),
      changed: (container, { status }) => publishContainer({ publish }, container, `health_status: ${status}`),
    }),
  );
  const containers = createContainers({
    ...stores,
    records,
    dir: folders.containers,
    publish,
    launcher: runs.containers,
    rootfs,
    facts: await hostFacts(options, ground),
    defaults: () => settings.now.defaults ?? {},
    log: options.log,
    ...companions(execs, health, stores.images),
  });
  const files = stack.use(
    createFiles({
      find,
      withRoot: containers.withRoot,
      publish: (container, action) => publishContainer({ publish }, container, action),
    }),
  );
  stack.defer(execs.close);
  stack.defer(containers.close);
  return { containers, execs, files };
}

/** What lives and ends with a container: its health check, its execs, the image that waits for it. */
function companions(
  execs: ExecCapability,
  health: Health,
  images: Stores['images'],
): Pick<ContainersDeps, 'health' | 'onRemoved' | 'execIds'> {
  return {
    health: {
      started: (container) => health.started(container),
      stopped(id) {
        health.stopped(id);
        execs.onContainerStopped(id);
      },
      removed: (id) => health.removed(id),
      of: (id) => health.of(id),
    },
    onRemoved: ({ id: removedId, imageId }) => {
      execs.onContainerRemoved(removedId);
      if (images.list().every(({ id }) => id !== imageId)) void images.sweep();
    },
    execIds: (id) => execs.idsOf(id),
  };
}

async function hostFacts(
  { logDriver, logOpts }: EngineOptions,
  { cgroups: { layout }, settings }: Ground,
): Promise<ContainersDeps['facts']> {
  return {
    cpus: cpus().length,
    support: await readLimitSupport(layout),
    cgroupVersion: layout.version,
    get defaultRuntime() {
      return settings.defaultRuntime;
    },
    get runtimes() {
      return settings.runtimes;
    },
    logDriver,
    logOptions: logOpts,
  };
}
