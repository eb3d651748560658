// Owns the life of one exec's process: its shim, its start, its outcome and its events. Reads and writes no stream.

import { GantryError } from '../../lib/errors.ts';
import { type ContainerRecord, checkMayExec, notRunning, type Run, SHIM_END_MS } from '../containers/index.ts';
import type { Events } from '../events/types.ts';
import type { Entry } from './entries.ts';
import type { ExecRequest } from './types.ts';

/** What execs ask of the runtime. */
export interface ExecLauncher {
  /** Refuses at create what can never run. @throws GantryError with Docker's text for an unknown user */
  check(container: ContainerRecord, request: ExecRequest): Promise<void>;
  /** A shim that is ready to run the process. @throws GantryError in Docker's words (unknown user, …) */
  prepare(container: ContainerRecord, execId: string, request: ExecRequest): Promise<Run>;
  /** @throws GantryError whose text decides the client's 126 and 127 */
  start(run: Run, container: ContainerRecord, request: ExecRequest): Promise<{ readonly pid: number }>;
  exitCodeOf(error: unknown): number;
  /** SIGKILL to a process of the container, for when its shim cannot pass it on. One that is gone is fine. */
  kill(container: ContainerRecord, pid: number): Promise<void>;
  /** Frees what the exec's shim left. */
  sweep(execId: string): Promise<void>;
}

export interface ExecsDeps {
  /** @throws NO_SUCH_CONTAINER */
  readonly find: (ref: string) => ContainerRecord;
  readonly launcher: ExecLauncher;
  readonly publish: Events['publish'];
  /** Parses `ctrl-a,b`; undefined for ''. */
  readonly parseDetachKeys: (text: string) => Uint8Array | undefined;
}

/** One exec at work: its entry, where it runs, and what was asked for at last. */
export interface ExecProcess {
  readonly deps: ExecsDeps;
  readonly container: ContainerRecord;
  readonly entry: Entry;
  readonly request: ExecRequest;
}

/** Of a process whose shim was killed. */
export const LOST_EXIT_CODE = 137;

/** Docker names a paused container as the caller did, other states by id. @source dockerd 28.5 */
export function checkMayExecAs(container: ContainerRecord, ref: string): void {
  if (container.state.phase === 'paused') {
    throw new GantryError(
      'conflict',
      'CONTAINER_PAUSED',
      `Container ${ref} is paused, unpause the container before exec`,
    );
  }
  checkMayExec(container);
}

/** What is read through a container's processes vanishes with them. @throws CONTAINER_NOT_RUNNING when it did */
export async function whileItRuns<T>({ id }: ContainerRecord, read: () => Promise<T>): Promise<T> {
  try {
    return await read();
  } catch (error) {
    const { code } = error as { readonly code?: unknown };
    throw code === 'ENOENT' || code === 'ESRCH' ? notRunning(id) : error;
  }
}

/** The command as Docker writes it into events: a trailing space where there are no arguments. */
export function actionText({ command }: ExecRequest): string {
  return `${command[0] ?? ''} ${command.slice(1).join(' ')}`;
}

/** Publishes an event of the container that names the exec. */
export function publishExec(
  { deps, container, entry }: Pick<ExecProcess, 'deps' | 'container' | 'entry'>,
  action: string,
  extra: Readonly<Record<string, string>> = {},
): void {
  const { config, imageName: image, name } = container;
  const attributes = { ...config.Labels, execID: entry.record.id, ...extra, image, name };
  deps.publish({ type: 'container', action, actorId: container.id, attributes });
}

/** A shim that waits for its start. What is wrong by now is an error, not part of the stream. @source dockerd 28.5: exec -u nosuch */
export async function prepare({ deps, container, entry, request }: ExecProcess): Promise<Run> {
  const { id } = entry.record;
  try {
    const run = await whileItRuns(container, () => deps.launcher.prepare(container, id, request));
    entry.run = run;
    return run;
  } catch (error) {
    settleFailure(deps, entry, error);
    await deps.launcher.sweep(id).catch(() => undefined);
    throw error;
  }
}

/** What happens around a start. */
export interface Launch {
  /** Connects to the streams before the process begins. */
  readonly join: () => Promise<void>;
  /** Runs when the start failed, before the outcome, which ends the stream. */
  readonly failed?: ((error: unknown) => void) | undefined;
}

/** Starts the process of a prepared shim; its outcome settles later. @throws what the runtime says, and all is freed */
export async function launch(process: ExecProcess, run: Run, { join, failed }: Launch): Promise<void> {
  const { deps, container, entry, request } = process;
  const outcome = Promise.withResolvers<void>();
  entry.settled = outcome.promise;
  publishExec(process, `exec_start: ${actionText(request)}`);
  try {
    await join();
    // Listened for before the start: a short process may be gone by the time that the start is answered.
    const exited = run.connection.until('exited').then(
      ({ code }) => code,
      () => LOST_EXIT_CODE,
    );
    const { pid } = await deps.launcher.start(run, container, request);
    entry.record = { ...entry.record, running: true, pid };
    entry.begun.resolve();
    void settle(process, run, exited).finally(outcome.resolve);
  } catch (error) {
    settleFailure(deps, entry, error);
    failed?.(error);
    outcome.resolve();
    // One that could not be joined still waits for its start.
    await run.connection.abandon().catch(() => undefined);
    await run.end(SHIM_END_MS);
    await deps.launcher.sweep(entry.record.id).catch(() => undefined);
    throw error;
  }
}

function settleFailure({ launcher }: ExecsDeps, entry: Entry, error: unknown): void {
  entry.run = undefined;
  entry.record = { ...entry.record, running: false, exitCode: launcher.exitCodeOf(error) };
  entry.endedMs = Date.now();
  entry.begun.resolve();
}

async function settle(process: ExecProcess, run: Run, exited: Promise<number>): Promise<void> {
  const { deps, entry } = process;
  const exitCode = await exited;
  entry.run = undefined;
  entry.record = { ...entry.record, running: false, exitCode };
  entry.endedMs = Date.now();
  publishExec(process, 'exec_die', { exitCode: String(exitCode) });
  void run
    .end(SHIM_END_MS)
    .then(() => deps.launcher.sweep(entry.record.id))
    .catch(() => undefined);
}
