// Owns a container's shim: its specification, its OCI bundle, its start, what it leaves.

import { access, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { openRooted } from '../../host/rooted/index.ts';
import { GantryError } from '../../lib/errors.ts';
import { buildSpec, cgroupPathOf, checkHostConfig, networkSysctlSteps, specText } from '../../runtime/bundle/index.ts';
import { deleteArgs, pauseArgs, type RuntimeDriver, resumeArgs, runArgs } from '../../runtime/drivers/index.ts';
import { readShimPid, type ShimLog, type ShimSpec, type Step } from '../../runtime/link/index.ts';
import { resolveUser } from '../../runtime/user.ts';
import { readUserFiles } from '../../runtime/user-files.ts';
import {
  type ConfigureRequest,
  type Launcher,
  type LaunchRequest,
  logAttributes,
  type Prepared,
  parseJsonFileOptions,
} from '../containers/index.ts';
import type { ContainerRecord } from '../containers/types.ts';
import { bundleInput, ROOT_USER } from './bundle-input.ts';
import { gatherHostResources, NO_HOST_RESOURCES } from './facts.ts';
import { exitCodeOf, inDockersWords, whatShimLeft } from './failure.ts';
import type { RunsDeps } from './index.ts';
import { makeMountPoints } from './mount-points.ts';
import { mountSteps, subpathFailure } from './mount-steps.ts';
import { sweepOrphans } from './orphans.ts';
import { adoptRun, joinReady, makeRunDir, runCommand, runDirOf, sweepRun } from './run-dir.ts';
import { sandboxSteps } from './sandbox.ts';
import { signalMember } from './signal.ts';
import { probeSource } from './source-probe.ts';

const CONSOLE_SOCKET = 'console';
const COMPRESS_ARGS = ['gzip', '--force'];
/** A runtime starts a process in tens of milliseconds; on a disk that hardly answers it may take long. */
const STARTED_LIMIT_MS = 120_000;
/** Shims are small and keep the log: the last to be killed for memory. */
const SHIM_OOM_SCORE = -999;

export function createContainerLauncher(deps: RunsDeps): Launcher {
  const driverOf = (runtime: string): RuntimeDriver => {
    const driver = deps.drivers.get(runtime);
    if (!driver) throw new GantryError('invalid', 'UNKNOWN_RUNTIME', `unknown or invalid runtime name: ${runtime}`);
    return driver;
  };
  const dirOf = (id: string): string => runDirOf(deps.shimsDir, id);
  return {
    checkConfig: ({ hostConfig }) => checkHostConfig(hostConfig, deps.host),
    probeSource: (request) => probeSource(deps.spawner, request),
    prepare: (request) => prepare(deps, driverOf(request.record.runtime), dirOf(request.record.id), request),
    configure: (prepared, request) => configure(deps, driverOf(request.record.runtime), prepared, request),
    async start({ run }, { runtime, command }) {
      const driver = driverOf(runtime);
      try {
        // Listened for first: a short process may have ended by the time that start is answered.
        const started = run.connection.until('started', STARTED_LIMIT_MS);
        const [{ pid, atUnixNs }] = await Promise.all([started, run.connection.start()]);
        return { pid, atUnixNs };
      } catch (error) {
        throw inDockersWords(error, { phase: 'create', driver, command });
      }
    },
    exitCodeOf,
    pause: (record) =>
      runCommand(deps.spawner, driverOf(record.runtime), pauseArgs(driverOf(record.runtime), record.id)),
    unpause: (record) =>
      runCommand(deps.spawner, driverOf(record.runtime), resumeArgs(driverOf(record.runtime), record.id)),
    signal: (record, signal) => signalMember(deps, record, record.state.pid, signal),
    pids: async (record) => deps.cgroups.pids(cgroupOf(deps, record)),
    runDir: dirOf,
    rootOf: (id) => rootOf(dirOf(id)),
    adopt: (id) => adoptRun(dirOf(id)),
    sweepOrphans: (known, background) => sweepOrphans(deps, known, background),
    async sweep({ id, runtime, hostConfig }) {
      const driver = deps.drivers.get(runtime);
      const stateLeft = driver && (await exists(join(driver.stateDir, id)));
      await sweepRun(deps.spawner, stateLeft ? driver : undefined, id, dirOf(id));
      await deps.cgroups.remove(cgroupPathOf(hostConfig.CgroupParent, deps.host.cgroupParent, id));
    },
  };
}

async function exists(path: string): Promise<boolean> {
  return access(path).then(
    () => true,
    () => false,
  );
}

function cgroupOf(deps: RunsDeps, { id, hostConfig }: Pick<ContainerRecord, 'id' | 'hostConfig'>): string {
  return cgroupPathOf(hostConfig.CgroupParent, deps.host.cgroupParent, id);
}

async function prepare(deps: RunsDeps, driver: RuntimeDriver, dir: string, request: LaunchRequest): Promise<Prepared> {
  // An earlier shim that was killed may have left a state that the runtime would stumble over.
  if (await exists(join(driver.stateDir, request.record.id))) {
    await sweepRun(deps.spawner, driver, request.record.id, dir);
  }
  await makeRunDir(dir);
  const { pid } = await deps.spawner.spawn(shimSpec(deps, driver, dir, request));
  const run = await joinReady(dir).catch(async (error: unknown) => {
    const { command, mounts } = request.record;
    const failure = subpathFailure(await whatShimLeft(error, dir), mounts);
    throw inDockersWords(failure, { phase: 'create', driver, command });
  });
  return { run, shimPid: pid, rootfs: rootSeenBy(pid, dir) };
}

/** The root file system that a shim mounted, through its eyes: it lies in a mount namespace of its own. */
function rootSeenBy(shimPid: number, dir: string): string {
  return `/proc/${shimPid}/root${rootfsPathOf(dir)}`;
}

function rootfsPathOf(dir: string): string {
  return join(dir, 'rootfs');
}

async function rootOf(dir: string): Promise<string | undefined> {
  const pid = await readShimPid(dir);
  const root = pid === undefined ? undefined : rootSeenBy(pid, dir);
  return root !== undefined && (await exists(root)) ? root : undefined;
}

function shimSpec(deps: RunsDeps, driver: RuntimeDriver, dir: string, request: LaunchRequest): ShimSpec {
  const { record } = request;
  const tty = record.config.Tty === true;
  const [rows = 0, columns = 0] = record.hostConfig.ConsoleSize ?? [];
  const consoleSocket = tty ? join(dir, CONSOLE_SOCKET) : undefined;
  const paths = { logFile: join(dir, 'runtime.log'), pidFile: join(dir, 'pid'), consoleSocket };
  return {
    dir,
    steps: steps(deps, driver, dir, request),
    args: runArgs(driver, record.id, dir, paths),
    failFile: paths.logFile,
    pidFile: paths.pidFile,
    cleanupArgs: deleteArgs(driver, record.id),
    stdin: record.config.OpenStdin ? 'open' : 'none',
    stdinOnce: record.config.StdinOnce === true,
    terminal: tty ? { rows, columns, consoleSocket: CONSOLE_SOCKET } : undefined,
    log: shimLog(request),
    oomFile: deps.cgroups.oomFile(cgroupOf(deps, record)),
    oomScoreAdj: SHIM_OOM_SCORE,
  };
}

function steps(deps: RunsDeps, driver: RuntimeDriver, dir: string, request: LaunchRequest): readonly Step[] {
  const { record, paths, layersDir, lowerDirs, ownNetwork } = request;
  const input = bundleInput({
    host: deps.host,
    runtime: driver.traits,
    record,
    paths,
    rootfsPath: '/',
    user: ROOT_USER,
    peers: { network: 0 },
    resources: NO_HOST_RESOURCES,
  });
  const rootfs = rootfsPathOf(dir);
  const sources = mountSteps(dir, record.mounts);
  return [
    ...sources.before,
    { verb: 'unshare', what: 'mount' },
    ...sources.after,
    ...(ownNetwork ? sandboxSteps({ network: true, ipc: false, uts: false, steps: networkSysctlSteps(input) }) : []),
    ...driver.steps,
    ...deps.rootfs.steps({ layersDir, lowerDirs, upper: paths.upper, work: paths.work }, rootfs),
    { verb: 'chdir', path: dir },
  ];
}

function shimLog({ record, paths }: LaunchRequest): ShimLog | undefined {
  if (record.logDriver === 'none') return undefined;
  const { maxSizeBytes, maxFiles, compress } = parseJsonFileOptions(record.logOptions);
  const attrs = logAttributes(record.logOptions, record);
  return {
    path: paths.log,
    maxSizeBytes,
    maxFiles,
    compressArgs: compress ? COMPRESS_ARGS : undefined,
    attrsJson: attrs && JSON.stringify(attrs),
  };
}

async function configure(
  deps: RunsDeps,
  driver: RuntimeDriver,
  { run, rootfs }: Prepared,
  { record, paths, peers, shmPath }: ConfigureRequest,
): Promise<void> {
  using root = openRooted(rootfs);
  const user = resolveUser(record.config.User ?? '', record.hostConfig.GroupAdd ?? [], readUserFiles(root));
  const rootfsPath = rootfsPathOf(run.dir);
  const resources = await gatherHostResources(record, run.dir);
  makeMountPoints(root, record, resources.mounts);
  const runtime = driver.traits;
  const spec = buildSpec(
    bundleInput({ host: deps.host, runtime, record, paths, rootfsPath, user, peers, shmPath, resources }),
  );
  await writeFile(join(run.dir, 'config.json'), specText(await deps.seccomp.withCompiled(driver, spec)), {
    mode: 0o600,
  });
}
