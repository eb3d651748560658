// Owns the command lines of runc and crun. Runs nothing.

import type { RuntimeTraits } from '../bundle/index.ts';
import type { Step } from '../link/index.ts';

/** An OCI runtime as configured for one engine. */
export interface RuntimeDriver {
  /** As users name it (`--runtime`). */
  readonly name: string;
  /** Whose dialect it speaks. */
  readonly dialect: 'runc' | 'crun';
  /** Absolute, for people. */
  readonly binary: string;
  /** What is executed: `binary`, or the spawner's sealed copy of it. */
  readonly program: string;
  /** As it calls itself, e.g. `1.8.1`; '' when it did not say. */
  readonly version: string;
  /** State directory, absolute: `<exec-root>/runtime-<name>`. */
  readonly stateDir: string;
  /** Steps that must precede each call; the caller is in a mount namespace of its own then. */
  readonly steps: readonly Step[];
  readonly traits: RuntimeTraits;
  /** Further global flags of `--add-runtime`. */
  readonly extraArgs: readonly string[];
}

/** One run or exec. Paths are absolute. */
export interface LaunchPaths {
  /** The runtime's own errors; `runtimeLogMessage` reads it. */
  readonly logFile: string;
  readonly pidFile: string;
  /** Listening socket for the terminal's master. */
  readonly consoleSocket?: string | undefined;
}

/** With JSON, crun writes JSON also to the container's stderr when execve itself fails. */
const LOG_FORMAT = { runc: 'json', crun: 'text' } as const;

function globalArgs(driver: RuntimeDriver, logFile?: string): string[] {
  return [
    driver.program,
    '--root',
    driver.stateDir,
    ...(driver.dialect === 'crun' ? ['--cgroup-manager', 'cgroupfs'] : []),
    ...(logFile === undefined ? [] : ['--log', logFile, '--log-format', LOG_FORMAT[driver.dialect]]),
    ...driver.extraArgs,
  ];
}

function launchArgs(paths: LaunchPaths): string[] {
  return [
    '--detach',
    '--pid-file',
    paths.pidFile,
    ...(paths.consoleSocket === undefined ? [] : ['--console-socket', paths.consoleSocket]),
  ];
}

/** Creates and starts a container out of `bundleDir`/config.json; returns when its process runs. */
export function runArgs(driver: RuntimeDriver, id: string, bundleDir: string, paths: LaunchPaths): string[] {
  return [...globalArgs(driver, paths.logFile), 'run', '--bundle', bundleDir, ...launchArgs(paths), id];
}

/** Makes a container that waits to be started. */
export function createArgs(driver: RuntimeDriver, id: string, bundleDir: string): string[] {
  return [...globalArgs(driver), 'create', '--bundle', bundleDir, id];
}

/** Starts a further process, described by the OCI process in `processFile`. */
export function execArgs(
  driver: RuntimeDriver,
  id: string,
  processFile: string,
  paths: LaunchPaths & { readonly session?: boolean | undefined },
): string[] {
  const session = paths.session ? ['--preserve-fds', '2'] : [];
  return [...globalArgs(driver, paths.logFile), 'exec', '--process', processFile, ...session, ...launchArgs(paths), id];
}

/** argv of a process that begins a session of its own, before it becomes `command`. @source shim/PROTOCOL.md: the session face */
export function sessionArgs(command: readonly string[], size?: readonly [rows: number, columns: number]): string[] {
  const first = size ? ['--size', size.join('x')] : [];
  return ['/proc/self/fd/3', 'session', ...first, '--', ...command];
}

/** Kills what is left and removes state and cgroup. */
export function deleteArgs(driver: RuntimeDriver, id: string): string[] {
  return [...globalArgs(driver), 'delete', '--force', id];
}

/** Freezes all processes of the container. */
export function pauseArgs(driver: RuntimeDriver, id: string): string[] {
  return [...globalArgs(driver), 'pause', id];
}

/** Thaws a paused container. */
export function resumeArgs(driver: RuntimeDriver, id: string): string[] {
  return [...globalArgs(driver), 'resume', id];
}
