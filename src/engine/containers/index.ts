// Owns the container capability's face: binds the verbs to one context.

import { GantryError } from '../../lib/errors.ts';
import { KeyedQueue } from '../../lib/keyed-queue.ts';
import type { Database } from '../../store/database.ts';
import type { WithRoot } from '../files/types.ts';
import { attach } from './attach.ts';
import { Departed } from './auto-removal.ts';
import { type Context, publishContainer } from './context.ts';
import { create, rename } from './create.ts';
import { notRunning } from './errors.ts';
import { LiveContainers } from './live.ts';
import { list, logs, pathsOf, size, top, viewOf } from './read.ts';
import { ContainerRecords } from './records.ts';
import { recover } from './recover.ts';
import { removeSettled } from './removal.ts';
import { prune, remove } from './remove.ts';
import { withRoot } from './root.ts';
import { superviseRun } from './settle.ts';
import { shutdown } from './shutdown.ts';
import { start } from './start.ts';
import { isAlive } from './state.ts';
import { kill, pause, restart, stop, unpause } from './stop.ts';
import type { ContainerId, Containers } from './types.ts';
import { wait } from './wait.ts';

export { publishContainer } from './context.ts';
export type { ContainerDefaults } from './defaults.ts';
export { notRunning } from './errors.ts';
export type { ConfigureRequest, Launcher, LaunchRequest, Prepared, SourceRequest } from './launcher.ts';
export { type Run, SHIM_END_MS } from './live.ts';
export { checkDefaultLogOptions, LOG_DRIVERS, logAttributes, parseJsonFileOptions } from './log-options.ts';
export { networkPlan } from './network-mode.ts';

export { pathsOf } from './read.ts';
export { checkMayExec } from './state.ts';
export type * from './types.ts';

export interface ContainersDeps
  extends Pick<
    Context,
    | 'images'
    | 'networks'
    | 'volumes'
    | 'publish'
    | 'launcher'
    | 'rootfs'
    | 'facts'
    | 'defaults'
    | 'health'
    | 'log'
    | 'onRemoved'
    | 'execIds'
  > {
  readonly records: ContainerRecords;
  /** Folder that holds one folder a container. */
  readonly dir: string;
}

/** The container capability with what its owner needs besides the face. */
export interface ContainerCapability {
  readonly face: Containers;
  /** Lends a container's file tree. */
  readonly withRoot: WithRoot;
  /** Takes up what the last daemon left. Call once, before anything else. */
  readonly recover: () => Promise<void>;
  /** Stops all containers, as long as they need or `timeoutSeconds` (-1 = without limit) allow. Their restart policies stay. */
  readonly shutdown: (timeoutSeconds: number) => Promise<void>;
  /** Lets go of all runs, which go on, and finishes background work. */
  readonly close: () => Promise<void>;
}

/** Reads the stored containers; shared with the capabilities that ask who uses what. */
export function openContainerRecords(db: Database): ContainerRecords {
  return new ContainerRecords(db);
}

export type { ContainerRecords } from './records.ts';

export function createContainers(deps: ContainersDeps): ContainerCapability {
  const pending = new Set<Promise<unknown>>();
  const background = (work: Promise<unknown>): void => {
    const guarded = work
      .catch((error: unknown) =>
        deps.log('error', `background work failed: ${error instanceof Error ? error.stack : error}`),
      )
      .finally(() => pending.delete(guarded));
    pending.add(guarded);
  };
  const closing = new AbortController();
  const context: Context = {
    ...deps,
    closing: closing.signal,
    lives: new LiveContainers(),
    departed: new Departed(),
    queue: new KeyedQueue(),
    paths: (id: ContainerId) => pathsOf(deps.dir, id),
    supervise: (id, run) => void superviseRun(context, id, run),
    background,
  };
  return {
    face: faceOf(context),
    withRoot: (container, access, work) => withRoot(context, container, access, work),
    recover: async () => {
      await recover(context);
      removeLeftovers(context);
    },
    shutdown: (timeoutSeconds) => shutdown(context, timeoutSeconds),
    async close() {
      closing.abort(new GantryError('unavailable', 'ENGINE_CLOSED', 'the engine is closing'));
      letGo(context);
      await context.queue.idle();
      // Of starts that were under way.
      letGo(context);
      await Promise.allSettled([...pending]);
    },
  };
}

function letGo({ lives }: Context): void {
  for (const live of lives.all()) {
    live.cancelRestart();
    live.endPendingAttaches();
    live.run?.connection[Symbol.dispose]();
  }
}

/** Containers with automatic removal that ended while no daemon ran, or whose client went with it before the start. */
function removeLeftovers(context: Context): void {
  for (const { id, hostConfig, state } of context.records.all()) {
    if (!hostConfig.AutoRemove || isAlive(state.phase)) continue;
    context.background(
      context.queue.run(id, async () => {
        const record = context.records.byId(id);
        if (record && !isAlive(record.state.phase)) await removeSettled(context, record, { volumes: true });
      }),
    );
  }
}

function faceOf(context: Context): Containers {
  return {
    create: (request) => create(context, request),
    start: (ref) => start(context, ref),
    stop: (ref, options) => stop(context, ref, options),
    restart: (ref, options) => restart(context, ref, options),
    kill: (ref, signal) => kill(context, ref, signal),
    pause: (ref) => pause(context, ref),
    unpause: (ref) => unpause(context, ref),
    rename: (ref, name) => rename(context, ref, name),
    remove: (ref, options) => remove(context, ref, options),
    prune: (filters) => prune(context, filters),
    wait: (ref, condition, ready, signal) => wait(context, ref, condition, ready, signal),
    attach: (ref, request, signal) => attach(context, ref, request, signal),
    logs: async (ref, request, signal) => logs(context, ref, request, signal),
    resize: (ref, rows, columns) => resize(context, ref, rows, columns),
    top: (ref, psArgs) => top(context, ref, psArgs),
    view: (ref) => viewOf(context, context.records.find(ref)),
    list: (filter) => list(context, filter),
    size: (ref) => size(context, ref),
  };
}

async function resize(context: Context, ref: string, rows: number, columns: number): Promise<void> {
  const record = context.records.find(ref);
  const { run } = context.lives.of(record.id);
  if (!run || !isAlive(record.state.phase)) throw notRunning(record.id);
  // Without a terminal there is nothing to change, and Docker says yes. @source dockerd 28.5
  if (record.config.Tty) await run.connection.resize(rows, columns);
  publishContainer(context, record, 'resize', { height: String(rows), width: String(columns) });
}
