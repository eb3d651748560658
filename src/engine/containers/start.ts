// Owns starting a container: namespaces, network, mounts, process. Every act pushes its undo until the process runs.

import { mkdir } from 'node:fs/promises';
import { formatNano } from '../../lib/clock.ts';
import { type GantryError, isGantryError, messageOf } from '../../lib/errors.ts';
import { span } from '../../lib/trace.ts';
import { joinedContainer } from '../../spec/docker/join-mode.ts';
import type { Endpoint } from '../networks/types.ts';
import { type Context, publishContainer } from './context.ts';
import { failure, joinedNetworkNotRunning, joinedNotRunning } from './errors.ts';
import { writeIdentityFiles } from './identity-files.ts';
import type { ConfigureRequest, Prepared } from './launcher.ts';
import { leaveNetworks } from './leave-networks.ts';
import { type Live, SHIM_END_MS } from './live.ts';
import { publishMounts, publishUnmounts } from './mount-events.ts';
import { fillVolumes, prepareMountSources } from './mount-sources.ts';
import { networkPlan } from './network-mode.ts';
import { portRequests } from './plan/ports.ts';
import { removeSettled } from './removal.ts';
import { makeSharedMemory, releaseSharedMemory, sharedMemoryOf } from './shared-memory.ts';
import { checkMayStart, isAlive } from './state.ts';
import type { ContainerRecord } from './types.ts';

/** See Containers.start. */
export async function start(context: Context, ref: string): Promise<void> {
  const { id } = context.records.find(ref);
  return context.queue.run(id, async () => {
    const record = context.records.find(id);
    checkMayStart(record);
    const live = context.lives.of(id);
    live.cancelRestart();
    live.lastRestartDelayMs = 0;
    const fresh = context.records.update(id, { state: { restartCount: 0, stoppedByHand: false } });
    await startRun(context, fresh ?? record);
  });
}

/**
 * Brings a container that does not run to life. Runs inside its queue.
 * @throws GantryError; the container is then as before, with `error` and an exit code in its state
 */
export async function startRun(context: Context, record: ContainerRecord): Promise<void> {
  const live = context.lives.of(record.id);
  try {
    await using undo = new AsyncDisposableStack();
    const started = await launch(context, record, live, undo);
    undo.move();
    settleStart(context, record, live, started);
  } catch (error) {
    await settleFailedStart(context, record, error);
    throw error;
  }
}

interface Started {
  readonly prepared: Prepared;
  readonly pid: number;
  readonly atUnixNs: bigint;
  readonly endpoints: readonly Endpoint[];
}

async function launch(
  context: Context,
  record: ContainerRecord,
  live: Live,
  undo: AsyncDisposableStack,
): Promise<Started> {
  const plan = networkPlan(record);
  const paths = context.paths(record.id);
  const peers = peerPids(context, record);
  const shmPath = sharedMemoryOf(context, record);
  await span('mount-sources', () =>
    Promise.all([
      live.previousClosed,
      prepareMountSources(context, record),
      mkdir(paths.upper, { recursive: true, mode: 0o755 }),
      mkdir(paths.work, { recursive: true, mode: 0o700 }),
    ]),
  );
  undo.defer(() => releaseSharedMemory(context, record));
  await makeSharedMemory(context, record);
  await using lease = await context.images.lease(record.imageId);
  const { layersDir, lowerDirs } = lease;
  const ownNetwork = plan.kind === 'own';
  const prepared = await span('shim', () =>
    context.launcher.prepare({ record, paths, layersDir, lowerDirs, ownNetwork }),
  );
  undo.defer(() => abandon(prepared));
  publishMounts(context, record);
  undo.defer(() => publishUnmounts(context, record));
  const connecting = connectAll(context, record, plan.networks, prepared.shimPid);
  // What is being plugged in can only be unplugged once it is.
  undo.defer(() => connecting.catch(() => undefined).then(() => leaveNetworks(context, record.id)));
  const [endpoints] = await Promise.all([
    connecting,
    span('configure', () => configure(context, record, prepared, { record, paths, peers, shmPath })),
  ]);
  await writeIdentityFiles(context, record, endpoints);
  await Promise.all([...live.pendingAttaches].map(({ join }) => join(prepared.run)));
  // Noted before the process runs: whoever finds it after our death must know what it is attached to.
  context.records.update(record.id, { endpoints });
  const { pid, atUnixNs } = await span('runtime', () => context.launcher.start(prepared, record));
  return { prepared, pid, atUnixNs, endpoints };
}

async function configure(
  context: Context,
  record: ContainerRecord,
  prepared: Prepared,
  request: ConfigureRequest,
): Promise<void> {
  await context.launcher.configure(prepared, request);
  await fillVolumes(context, record, prepared.rootfs);
}

/** Settles when none of the connections is under way any more. @throws the first failure */
async function connectAll(
  context: Context,
  record: ContainerRecord,
  networks: readonly string[],
  pid: number,
): Promise<readonly Endpoint[]> {
  const settled = await Promise.allSettled(networks.map((network) => connect(context, record, network, pid)));
  const failed = settled.find((result) => result.status === 'rejected');
  if (failed) throw failed.reason;
  return settled.flatMap((result) => (result.status === 'fulfilled' ? [result.value] : []));
}

async function connect(context: Context, record: ContainerRecord, network: string, pid: number): Promise<Endpoint> {
  const { macAddress } = record.networks[network] ?? {};
  const request = {
    containerId: record.id,
    containerName: record.name,
    network,
    pid,
    macAddress: macAddress ?? (record.config.MacAddress || undefined),
    ports: portRequests(record.config, record.hostConfig),
  };
  try {
    return await span('network', () => context.networks.connect(request));
  } catch (error) {
    if (!isGantryError(error)) throw error;
    // Docker's words before every failure of this kind. @source dockerd 28.5
    throw error.prefixed('failed to set up container networking: ');
  }
}

/** Init processes of the containers whose namespaces this one joins. @throws NO_SUCH_CONTAINER, JOINED_CONTAINER_NOT_RUNNING */
function peerPids(context: Context, record: ContainerRecord): ConfigureRequest['peers'] {
  const pidOf = (
    mode: string | undefined,
    refused: (peer: ContainerRecord) => GantryError,
    prefix = '',
  ): number | undefined => {
    const joined = joinedContainer(mode);
    if (joined === undefined) return undefined;
    const peer = peerOf(context, joined, prefix);
    if (peer.id === record.id) throw failure('OWN_NAMESPACE', 'cannot join own network namespace');
    if (isAlive(peer.state.phase)) return peer.state.pid;
    throw refused(peer);
  };
  const { NetworkMode, PidMode, IpcMode } = record.hostConfig;
  return {
    network: pidOf(
      NetworkMode,
      ({ name, state }) => joinedNetworkNotRunning(name, state.phase),
      'joining network namespace of container: ',
    ),
    pid: pidOf(PidMode, ({ id }) => joinedNotRunning('PID', id)),
    ipc: pidOf(IpcMode, ({ id }) => joinedNotRunning('IPC', id)),
  };
}

function peerOf(context: Context, ref: string, prefix: string): ContainerRecord {
  try {
    return context.records.find(ref);
  } catch (error) {
    if (!isGantryError(error)) throw error;
    throw error.prefixed(prefix);
  }
}

async function abandon({ run }: Prepared): Promise<void> {
  await run.connection.abandon().catch(() => undefined);
  await run.end(SHIM_END_MS);
}

function settleStart(context: Context, record: ContainerRecord, live: Live, started: Started): void {
  const { run } = started.prepared;
  live.run = run;
  live.outputEnded = new AbortController();
  live.pendingAttaches.clear();
  const settled = context.records.update(record.id, {
    endpoints: started.endpoints,
    state: {
      phase: 'running',
      pid: started.pid,
      exitCode: 0,
      error: '',
      oomKilled: false,
      startedAt: formatNano(started.atUnixNs),
    },
  });
  if (settled) {
    publishContainer(context, settled, 'start');
    context.health.started(settled);
  }
  context.supervise(record.id, run);
}

async function settleFailedStart(context: Context, record: ContainerRecord, error: unknown): Promise<void> {
  const live = context.lives.of(record.id);
  const exitCode = context.launcher.exitCodeOf(error);
  const restarting = record.state.phase === 'restarting';
  const failed = context.records.update(record.id, {
    endpoints: [],
    state: { phase: restarting ? 'exited' : record.state.phase, pid: 0, exitCode, error: messageOf(error) },
  });
  live.endPendingAttaches();
  if (failed && record.hostConfig.AutoRemove) await removeSettled(context, failed, { volumes: true });
  // Of a start by hand the caller gets the error; of one by policy only those who wait for the end hear.
  else if (restarting) live.announceExit({ exitCode });
}
