// Owns an exec's shim: its specification, the OCI process, its start, what it leaves.

import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { openRooted } from '../../host/rooted/index.ts';
import { GantryError } from '../../lib/errors.ts';
import { buildExec, type OciProcess, specText } from '../../runtime/bundle/index.ts';
import { execArgs, type RuntimeDriver, sessionArgs } from '../../runtime/drivers/index.ts';
import { readShimPid } from '../../runtime/link/index.ts';
import { type ResolvedUser, resolveUser } from '../../runtime/user.ts';
import { readUserFiles } from '../../runtime/user-files.ts';
import type { ContainerRecord, Run } from '../containers/index.ts';
import type { ExecLauncher, ExecRequest } from '../exec/index.ts';
import { bundleInput } from './bundle-input.ts';
import { checkExecRequest } from './exec-check.ts';
import { NO_WISHES } from './facts.ts';
import { exitCodeOf, inDockersWords } from './failure.ts';
import type { RunsDeps } from './index.ts';
import { commandSteps, joinRun, makeRunDir, runDirOf, sweepRun } from './run-dir.ts';
import { signalMember } from './signal.ts';

const CONSOLE_SOCKET = 'console';
const STARTED_LIMIT_MS = 60_000;

export function createExecLauncher(deps: RunsDeps): ExecLauncher {
  return {
    check: async (container, request) => void (await userOf(deps, container, request)),
    prepare: (container, execId, request) => prepare(deps, container, runDirOf(deps.shimsDir, execId), request),
    async start(run, container, request) {
      checkExecRequest(request);
      const { command } = request;
      try {
        const started = run.connection.until('started', STARTED_LIMIT_MS);
        const [{ pid }] = await Promise.all([started, run.connection.start()]);
        return { pid };
      } catch (error) {
        throw inDockersWords(error, { phase: 'exec', driver: driverOf(deps, container), command });
      }
    },
    exitCodeOf,
    kill: (container, pid) => signalMember(deps, container, pid, 'SIGKILL'),
    sweep: (execId) => sweepRun(deps.spawner, undefined, execId, runDirOf(deps.shimsDir, execId)),
  };
}

function driverOf(deps: RunsDeps, { runtime }: ContainerRecord): RuntimeDriver {
  const driver = deps.drivers.get(runtime);
  if (!driver) throw new GantryError('invalid', 'UNKNOWN_RUNTIME', `unknown or invalid runtime name: ${runtime}`);
  return driver;
}

async function prepare(deps: RunsDeps, container: ContainerRecord, dir: string, request: ExecRequest): Promise<Run> {
  const driver = deps.drivers.get(container.runtime);
  if (!driver)
    throw new GantryError('invalid', 'UNKNOWN_RUNTIME', `unknown or invalid runtime name: ${container.runtime}`);
  // crun leaves the process in the session that it came with, and sets a terminal's size after its start. @source crun 1.8.1
  const session = driver.traits.isCrun && (!request.tty || request.consoleSize !== undefined);
  const described = await describeProcess(deps, container, request);
  const args = session ? sessionArgs(described.args, request.tty ? request.consoleSize : undefined) : described.args;
  const processText = specText({ ...described, args });
  await makeRunDir(dir);
  const processFile = join(dir, 'process.json');
  await writeFile(processFile, processText, { mode: 0o600 });
  const consoleSocket = request.tty ? join(dir, CONSOLE_SOCKET) : undefined;
  const paths = { logFile: join(dir, 'runtime.log'), pidFile: join(dir, 'pid'), consoleSocket, session };
  const [rows = 0, columns = 0] = request.consoleSize ?? [];
  await deps.spawner.spawn({
    dir,
    steps: commandSteps(driver),
    args: execArgs(driver, container.id, processFile, paths),
    failFile: paths.logFile,
    pidFile: paths.pidFile,
    stdin: request.stdin ? 'open' : 'none',
    stdinOnce: true,
    terminal: request.tty ? { rows, columns, consoleSocket: CONSOLE_SOCKET } : undefined,
    session: session ? deps.sessionProgram : undefined,
  });
  // Not waited for `ready`: attach and start are answered after it anyway.
  return joinRun(dir);
}

/** @throws GantryError with Docker's text for an unknown user */
async function userOf(deps: RunsDeps, record: ContainerRecord, request: ExecRequest): Promise<ResolvedUser> {
  const dir = runDirOf(deps.shimsDir, record.id);
  const shimPid = await readShimPid(dir);
  // Where the shim has it, not the process: there nothing is mounted over it.
  using root = openRooted(`/proc/${shimPid}/root${dir}/rootfs`);
  return resolveUser(request.user || record.config.User || '', record.hostConfig.GroupAdd ?? [], readUserFiles(root));
}

async function describeProcess(deps: RunsDeps, record: ContainerRecord, request: ExecRequest): Promise<OciProcess> {
  const user = await userOf(deps, record, request);
  const input = bundleInput({
    host: deps.host,
    runtime: driverOf(deps, record).traits,
    record,
    paths: deps.paths(record.id),
    rootfsPath: '/',
    user,
    peers: {},
    wishes: NO_WISHES,
  });
  return buildExec(input, { ...request, user });
}
