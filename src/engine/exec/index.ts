// Owns running further processes in containers. Each is a shim of its own; its record lives until the container stops.

import { DeferredDuplex, type InputFilter } from '../../lib/deferred-duplex.ts';
import { GantryError, messageOf } from '../../lib/errors.ts';
import { randomId } from '../../lib/ids.ts';
import { within } from '../../lib/within.ts';
import { attachShim } from '../../runtime/link/index.ts';
import { DEFAULT_DETACH_KEYS, detachMatcher } from '../../spec/stream/detach-keys.ts';
import { type ContainerRecord, checkMayExec, notRunning, type Run, SHIM_END_MS } from '../containers/index.ts';
import type { AttachedStream } from '../containers/types.ts';
import type { Events } from '../events/types.ts';
import { OutputHead } from './output-head.ts';
import type { ExecRecord, ExecRequest, ExecStartRequest, Execs } from './types.ts';

export type { ExecRequest } from './types.ts';

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

interface Entry {
  record: ExecRecord;
  started: boolean;
  run: Run | undefined;
  /** Resolved when the process runs, or never will. */
  readonly begun: PromiseWithResolvers<void>;
  /** Resolves when the record tells the outcome. */
  settled: Promise<void>;
  /** Unix milliseconds; undefined before. */
  endedMs: number | undefined;
}

/** The exec capability with what the container capability needs of it. */
export interface ExecCapability {
  readonly face: Execs;
  readonly idsOf: (containerId: string) => readonly string[];
  /** Runs a command in a container to its end. @throws GantryError when it cannot be run */
  readonly run: (container: ContainerRecord, command: readonly string[], limits: RunLimits) => Promise<RunOutcome>;
  /** The container runs no more: execs that were not started never will be. */
  readonly onContainerStopped: (containerId: string) => void;
  readonly onContainerRemoved: (containerId: string) => void;
  /** Lets go of all that run, which go on. */
  readonly close: () => void;
}

/** How long a command may take, and how much of its output is kept (the first bytes). */
interface RunLimits {
  readonly timeoutMs: number;
  readonly mostBytes: number;
}

interface RunOutcome {
  /** undefined when the command took longer than its limit and was killed. */
  readonly exitCode: number | undefined;
  readonly output: string;
}

/** An outcome can be asked for at least this long. @source moby: exec garbage is collected after 5 minutes */
const KEPT_MS = 300_000;

/** Of a container that is removed: who has read the output of an exec that ended with it asks for the outcome only then. */
const JUST_ENDED_MS = 1000;

export function createExecs(deps: ExecsDeps): ExecCapability {
  const entries = new Map<string, Entry>();
  const byContainer = new Map<string, Set<string>>();
  const entryOf = (id: string): Entry => {
    const entry = entries.get(id);
    if (!entry) throw new GantryError('notFound', 'NO_SUCH_EXEC', `No such exec instance: ${id}`, { params: { id } });
    return entry;
  };
  const forget = ({ record: { id, containerId } }: Entry): void => {
    entries.delete(id);
    const siblings = byContainer.get(containerId);
    siblings?.delete(id);
    if (siblings?.size === 0) byContainer.delete(containerId);
  };
  let lookedMs = 0;
  const forgetOld = (nowMs: number): void => {
    if (nowMs - lookedMs < KEPT_MS / 10) return;
    lookedMs = nowMs;
    for (const entry of entries.values()) if ((entry.endedMs ?? nowMs) < nowMs - KEPT_MS) forget(entry);
  };
  const face: Execs = {
    async create(containerRef, request) {
      const container = deps.find(containerRef);
      checkMayExecAs(container, containerRef);
      if (request.command.length === 0)
        throw new GantryError('invalid', 'NO_EXEC_COMMAND', 'No exec command specified');
      await whileItRuns(container, async () => deps.launcher.check(container, request));
      forgetOld(Date.now());
      const id = randomId();
      const record: ExecRecord = { id, containerId: container.id, request, running: false, exitCode: null, pid: 0 };
      entries.set(id, {
        record,
        started: false,
        run: undefined,
        begun: Promise.withResolvers(),
        settled: Promise.resolve(),
        endedMs: undefined,
      });
      const siblings = byContainer.get(container.id) ?? new Set();
      byContainer.set(container.id, siblings.add(id));
      publish(deps, container, id, `exec_create: ${actionText(request)}`);
      return id;
    },
    start: (id, request, signal) => startExec(deps, entryOf(id), request, signal),
    inspect: (id) => entryOf(id).record,
    resize: (id, rows, columns) => resizeExec(deps, entryOf(id), rows, columns),
  };
  return {
    face,
    async run(container, command, limits) {
      const id = await face.create(container.id, { ...PLAIN_REQUEST, command });
      const entry = entryOf(id);
      try {
        return await runToEnd(deps, container, entry, limits);
      } finally {
        forget(entry);
      }
    },
    idsOf: (containerId) => [...(byContainer.get(containerId) ?? [])].filter((id) => entries.get(id)?.record.running),
    onContainerStopped(containerId) {
      for (const id of byContainer.get(containerId) ?? []) {
        const entry = entries.get(id);
        if (entry && !entry.started) forget(entry);
      }
    },
    onContainerRemoved(containerId) {
      const nowMs = Date.now();
      for (const id of byContainer.get(containerId) ?? []) {
        if ((entries.get(id)?.endedMs ?? nowMs) < nowMs - JUST_ENDED_MS) entries.delete(id);
      }
      byContainer.delete(containerId);
    },
    close() {
      for (const { run } of entries.values()) run?.connection[Symbol.dispose]();
    },
  };
}

/** A client that draws a terminal sends its size right behind the start. @source dockerd 28.5: ten seconds, and all texts */
const START_PATIENCE_MS = 10_000;

async function resizeExec(deps: ExecsDeps, entry: Entry, rows: number, columns: number): Promise<void> {
  const { id, containerId } = entry.record;
  checkMayExecAs(deps.find(containerId), containerId);
  if (!(await within(entry.begun.promise, START_PATIENCE_MS))) {
    throw new GantryError('system', 'EXEC_NOT_STARTED', 'timeout waiting for exec session ready', { params: { id } });
  }
  const { run, record } = entry;
  if (!run || !record.running) {
    const message = `NotFound: process does not exist ${id}: not found`;
    throw new GantryError('notFound', 'EXEC_NOT_RUNNING', message, { params: { id } });
  }
  if (record.request.tty) await run.connection.resize(rows, columns);
}

const PLAIN_REQUEST: Omit<ExecRequest, 'command'> = {
  tty: false,
  stdin: false,
  stdout: true,
  stderr: true,
  env: [],
  user: '',
  workingDir: '',
  privileged: false,
  detachKeys: '',
};

async function runToEnd(
  deps: ExecsDeps,
  container: ContainerRecord,
  entry: Entry,
  { timeoutMs, mostBytes }: RunLimits,
): Promise<RunOutcome> {
  const { request } = entry.record;
  const startedMs = performance.now();
  entry.started = true;
  const run = await prepare(deps, container, entry, request);
  let output: OutputHead | undefined;
  try {
    await launch(deps, container, entry, request, run, async () => {
      output = new OutputHead(await attachShim(run.dir, request), mostBytes);
    });
    const inTime = await within(entry.settled, Math.max(1, timeoutMs - (performance.now() - startedMs)));
    if (!inTime) await killExec(deps, container, entry, run);
    await output?.complete();
    return { exitCode: inTime ? (entry.record.exitCode ?? LOST_EXIT_CODE) : undefined, output: output?.text() ?? '' };
  } finally {
    output?.[Symbol.dispose]();
  }
}

/** Ends an exec's process, past its shim when that keeps silent. Resolves when the outcome is settled. */
async function killExec(deps: ExecsDeps, container: ContainerRecord, entry: Entry, run: Run): Promise<void> {
  await run.connection.signal(SIGKILL, SIGNAL_LIMIT_MS).catch(() => undefined);
  if (await within(entry.settled, KILLED_MS)) return;
  await deps.launcher.kill(container, entry.record.pid);
  await run.end(0);
  await entry.settled;
}

/** A shim that lives answers a signal within milliseconds. */
const SIGNAL_LIMIT_MS = 2000;
/** From SIGKILL to the end of the process, its output drained. */
const KILLED_MS = 5000;
const SIGKILL = 9;
/** Of a process whose shim was killed. */
const LOST_EXIT_CODE = 137;

/** Docker names a paused container as the caller did, other states by id. @source dockerd 28.5 */
function checkMayExecAs(container: ContainerRecord, ref: string): void {
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
async function whileItRuns<T>({ id }: ContainerRecord, read: () => Promise<T>): Promise<T> {
  try {
    return await read();
  } catch (error) {
    const { code } = error as { readonly code?: unknown };
    throw code === 'ENOENT' || code === 'ESRCH' ? notRunning(id) : error;
  }
}

/** The command as Docker writes it into events: a trailing space where there are no arguments. */
function actionText({ command }: ExecRequest): string {
  return `${command[0] ?? ''} ${command.slice(1).join(' ')}`;
}

function publish(
  deps: ExecsDeps,
  container: ContainerRecord,
  execId: string,
  action: string,
  extra: Record<string, string> = {},
): void {
  deps.publish({
    type: 'container',
    action,
    actorId: container.id,
    attributes: {
      ...container.config.Labels,
      execID: execId,
      ...extra,
      image: container.imageName,
      name: container.name,
    },
  });
}

async function startExec(
  deps: ExecsDeps,
  entry: Entry,
  options: ExecStartRequest,
  signal: AbortSignal,
): Promise<AttachedStream | undefined> {
  const { record } = entry;
  const container = deps.find(record.containerId);
  checkMayExecAs(container, record.containerId);
  if (entry.started) {
    const running = record.running ? 'is already running' : 'has already run';
    throw new GantryError('conflict', 'EXEC_ALREADY_RUN', `exec command ${record.id} ${running}`, {
      params: { id: record.id },
    });
  }
  entry.started = true;
  const request = options.consoleSize ? { ...record.request, consoleSize: options.consoleSize } : record.request;
  const run = await prepare(deps, container, entry, request);
  if (options.detach) {
    await launch(deps, container, entry, request, run, () => Promise.resolve());
    return undefined;
  }
  return attached(deps, container, entry, request, run, signal);
}

/** A shim that waits for its start. What is wrong by now is told as an error, not in the stream. @source dockerd 28.5: exec -u nosuch */
async function prepare(deps: ExecsDeps, container: ContainerRecord, entry: Entry, request: ExecRequest): Promise<Run> {
  const { id } = entry.record;
  try {
    const run = await whileItRuns(container, () => deps.launcher.prepare(container, id, request));
    entry.run = run;
    return run;
  } catch (error) {
    entry.record = { ...entry.record, exitCode: deps.launcher.exitCodeOf(error) };
    entry.endedMs = Date.now();
    entry.begun.resolve();
    await deps.launcher.sweep(id).catch(() => undefined);
    throw error;
  }
}

/** Attached: the stream exists before the process; a failed start is told in it. @source docker-behaviours §2 */
function attached(
  deps: ExecsDeps,
  container: ContainerRecord,
  entry: Entry,
  request: ExecRequest,
  run: Run,
  signal: AbortSignal,
): AttachedStream {
  const stream = new DeferredDuplex(
    request.tty && request.stdin ? detachFilter(deps, container, entry, request) : undefined,
  );
  signal.addEventListener('abort', () => stream.destroy(), { once: true });
  let joined = false;
  const join = async (): Promise<void> => {
    const socket = await attachShim(run.dir, request);
    joined = true;
    stream.connect(socket, entry.settled);
  };
  const tell = (error: unknown): void => void stream.push(failureFrame(messageOf(error), request.tty));
  launch(deps, container, entry, request, run, join, tell).catch(() => {
    if (!joined) stream.push(null);
  });
  return { tty: request.tty, stream };
}

const STDOUT_FRAME = 0x01000000;

function failureFrame(message: string, tty: boolean): Buffer {
  const text = Buffer.from(`${message}\r\n`);
  if (tty) return text;
  const header = Buffer.alloc(8);
  header.writeUInt32BE(STDOUT_FRAME, 0);
  header.writeUInt32BE(text.length, 4);
  return Buffer.concat([header, text]);
}

async function launch(
  deps: ExecsDeps,
  container: ContainerRecord,
  entry: Entry,
  request: ExecRequest,
  run: Run,
  join: () => Promise<void>,
  tell: (error: unknown) => void = () => undefined,
): Promise<void> {
  const { id } = entry.record;
  const outcome = Promise.withResolvers<void>();
  entry.settled = outcome.promise;
  publish(deps, container, id, `exec_start: ${actionText(request)}`);
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
    void settle(deps, container, entry, run, exited).finally(outcome.resolve);
  } catch (error) {
    const { run } = entry;
    entry.run = undefined;
    entry.record = { ...entry.record, running: false, exitCode: deps.launcher.exitCodeOf(error) };
    entry.endedMs = Date.now();
    entry.begun.resolve();
    // Before the outcome, which ends the stream.
    tell(error);
    outcome.resolve();
    // One that could not be joined still waits for its start.
    await run?.connection.abandon().catch(() => undefined);
    await run?.end(SHIM_END_MS);
    await deps.launcher.sweep(id).catch(() => undefined);
    throw error;
  }
}

async function settle(
  deps: ExecsDeps,
  container: ContainerRecord,
  entry: Entry,
  run: Run,
  exited: Promise<number>,
): Promise<void> {
  const exitCode = await exited;
  entry.run = undefined;
  entry.record = { ...entry.record, running: false, exitCode };
  entry.endedMs = Date.now();
  publish(deps, container, entry.record.id, 'exec_die', { exitCode: String(exitCode) });
  void run
    .end(SHIM_END_MS)
    .then(() => deps.launcher.sweep(entry.record.id))
    .catch(() => undefined);
}

function detachFilter(deps: ExecsDeps, container: ContainerRecord, entry: Entry, request: ExecRequest): InputFilter {
  const match = detachMatcher(deps.parseDetachKeys(request.detachKeys) ?? DEFAULT_DETACH_KEYS);
  return (chunk) => {
    const { pass, found } = match(chunk);
    if (!found) return pass;
    publish(deps, container, entry.record.id, 'exec_detach');
    return undefined;
  };
}
