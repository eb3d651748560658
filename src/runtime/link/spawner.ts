// Owns the resident spawner process: starting it, asking it for shims and short commands. Knows no containers.

import { type ChildProcess, spawn as spawnProcess } from 'node:child_process';
import { Socket } from 'node:net';
import { GantryError, isGantryError } from '../../lib/errors.ts';
import { ANSWER_LIMIT_MS, CallStream } from './calls.ts';
import { type Field, fieldOf } from './frame.ts';
import { type ShimSpec, type Step, specFields, stepText } from './spec.ts';

/** A short command; `timeoutMs` kills it. */
interface RunRequest {
  /** [] runs the steps alone. */
  readonly args: readonly string[];
  /** Run in a forked child before the command, as a shim's steps. */
  readonly steps?: readonly Step[] | undefined;
  readonly timeoutMs: number;
}

/** The outcome of a command. `code` is 128+n for signal n; out and err are cut at 64 KiB. */
interface RunResult {
  readonly code: number;
  readonly out: string;
  readonly err: string;
}

/** Starts processes that outlive the engine. */
export interface Spawner extends AsyncDisposable {
  /**
   * Forks a shim; its socket is there when this resolves. `pid` is the shim's.
   * @throws SHIM_FAILED; SHIM_GONE when the spawner died meanwhile, SHIM_SILENT (the shim may then exist or not)
   */
  spawn(spec: ShimSpec): Promise<{ readonly pid: number }>;
  /** @throws SHIM_FAILED when the command cannot be run at all; SHIM_GONE */
  run(request: RunRequest): Promise<RunResult>;
  /**
   * Keeps a sealed copy of the program at `path`; resolves to the path that runs it, in commands and shims of this spawner.
   * @throws SHIM_FAILED when it cannot be copied, or eight are kept already; SHIM_GONE
   */
  seal(path: string): Promise<string>;
  /** Pid of the present spawner process. */
  readonly pid: number;
}

interface Live {
  readonly child: ChildProcess;
  readonly calls: CallStream;
}

/** Starts the spawner process. When it has died, the next call starts a new one. Shims outlive it. */
export async function startSpawner(options: { readonly binary: string }): Promise<Spawner> {
  let live: Promise<Live> | undefined;
  let pid = 0;
  let disposed = false;
  /** In the order of their descriptors: a new spawner process gets the same ones. */
  const sealed: string[] = [];
  const open = (): Promise<Live> => {
    if (disposed) return Promise.reject(new Error('the spawner was disposed'));
    live ??= launch(options.binary, () => {
      live = undefined;
    }).then(
      async (started) => {
        pid = started.child.pid ?? 0;
        for (const path of sealed) await seal(started, path);
        return started;
      },
      (error: unknown) => {
        live = undefined;
        throw error;
      },
    );
    return live;
  };
  await open();
  return {
    get pid() {
      return pid;
    },
    async spawn(spec) {
      const answer = await ask(await open(), `start a shim in ${spec.dir}`, [['op', 'spawn'], ...specFields(spec)]);
      return { pid: Number(fieldOf(answer, 'pid')) };
    },
    async run(request) {
      const limitMs = request.timeoutMs + ANSWER_LIMIT_MS;
      const answer = await ask(await open(), `run ${request.args[0] ?? ''}`, runFields(request), limitMs);
      return {
        code: Number(fieldOf(answer, 'code')),
        out: fieldOf(answer, 'out') ?? '',
        err: fieldOf(answer, 'err') ?? '',
      };
    },
    async seal(path) {
      const program = await seal(await open(), path);
      sealed.push(path);
      return program;
    },
    async [Symbol.asyncDispose]() {
      disposed = true;
      const last = await live?.catch(() => undefined);
      if (last !== undefined) await shut(last.child);
    },
  };
}

/** A spawner that keeps silent is ended: the next request starts another, and shims do not need it. */
async function ask(live: Live, doing: string, fields: readonly Field[], limitMs?: number): Promise<readonly Field[]> {
  try {
    return await live.calls.call(doing, fields, limitMs);
  } catch (error) {
    if (isGantryError(error) && error.code === 'SHIM_SILENT') live.child.kill('SIGKILL');
    throw error;
  }
}

async function seal(live: Live, path: string): Promise<string> {
  const answer = await ask(live, `seal ${path}`, [
    ['op', 'seal'],
    ['path', path],
  ]);
  return `/proc/self/fd/${fieldOf(answer, 'fd')}`;
}

function runFields(request: RunRequest): Field[] {
  return [
    ['op', 'run'],
    ...(request.steps ?? []).map((step): Field => ['step', stepText(step)]),
    ...request.args.map((arg): Field => ['arg', arg]),
    ['timeout-ms', String(request.timeoutMs)],
  ];
}

async function launch(binary: string, onEnd: () => void): Promise<Live> {
  const child = spawnProcess(binary, ['spawner'], { stdio: ['ignore', 'ignore', 'inherit', 'pipe'], detached: true });
  const failed = new Promise<never>((_, reject) => {
    child.once('error', (cause) => {
      reject(new GantryError('system', 'SPAWNER_FAILED', `cannot start ${binary}: ${cause.message}`, { cause }));
    });
  });
  await Promise.race([new Promise((resolve) => child.once('spawn', resolve)), failed]);
  const stream = child.stdio[3];
  if (!(stream instanceof Socket)) throw new Error('the spawner has no socket');
  const calls = new CallStream(stream, { idle: 'may-exit', onEvent: () => undefined, onEnd });
  child.unref();
  return { child, calls };
}

/** End of file on its socket ends the spawner, or SIGKILL when that does not; its shims stay. */
async function shut(child: ChildProcess): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return;
  const gone = new Promise((resolve) => child.once('exit', resolve));
  child.ref();
  const stream = child.stdio[3];
  if (stream instanceof Socket) stream.destroy();
  const timer = setTimeout(() => child.kill('SIGKILL'), ANSWER_LIMIT_MS);
  await gone;
  clearTimeout(timer);
}
