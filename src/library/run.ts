// Owns the short way to run one container from a program: typed options in, exit code and output out.

import type { Engine } from '../engine/index.ts';
import { isGantryError } from '../lib/errors.ts';
import type { ContainerCreateRequest, PortBinding } from '../spec/docker/types.gen.ts';
import { killAtExit } from './at-exit.ts';
import { demultiplex } from './output.ts';

export interface RunOptions {
  readonly image: string;
  /** argv; absent: the image's. */
  readonly command?: readonly string[];
  readonly name?: string;
  readonly env?: Readonly<Record<string, string>>;
  readonly workingDir?: string;
  /** Name or uid, with `:group` if wanted. */
  readonly user?: string;
  /** Written to the process's stdin, which is then closed; absent: no stdin. */
  readonly input?: string | Uint8Array;
  /** Host path → container path; `:ro` behind the container path makes it read-only. */
  readonly mounts?: Readonly<Record<string, string>>;
  /** Container port (`80/tcp`) → host port; 0 = any free one. */
  readonly ports?: Readonly<Record<string, number>>;
  readonly network?: 'bridge' | 'host' | 'none';
  readonly memoryBytes?: number;
  readonly cpus?: number;
  readonly labels?: Readonly<Record<string, string>>;
  /** Kills the container. */
  readonly signal?: AbortSignal;
}

export interface RunOutcome {
  readonly exitCode: number;
  readonly stdout: Buffer;
  readonly stderr: Buffer;
}

/**
 * Runs a container to its end, collects what it wrote, and removes it. A program that throws meanwhile takes its container along.
 * @throws GantryError when it cannot be started
 */
export async function run(engine: Engine, options: RunOptions): Promise<RunOutcome> {
  const { id } = await engine.containers.create({ name: options.name, body: bodyOf(options) });
  const never = new AbortController().signal;
  using _killed = killAtExit(() => engine.containers.view(id).record.state.pid);
  try {
    const stdin = options.input !== undefined;
    const streams = { stdin, stdout: true, stderr: true, logs: false, stream: true };
    const { stream } = await engine.containers.attach(id, streams, never);
    const outcome = Promise.all([engine.containers.wait(id, 'next-exit', () => {}, never), demultiplex(stream)]);
    // When the start fails, that is the error to tell.
    outcome.catch(() => {});
    stream.end(options.input);
    options.signal?.throwIfAborted();
    await engine.containers.start(id);
    const kill = (): void => void engine.containers.kill(id, 'KILL').catch(() => {});
    if (options.signal?.aborted) kill();
    options.signal?.addEventListener('abort', kill, { once: true });
    try {
      const [{ exitCode }, { stdout, stderr }] = await outcome;
      return { exitCode, stdout, stderr };
    } finally {
      options.signal?.removeEventListener('abort', kill);
    }
  } finally {
    await removeIfThere(engine, id);
  }
}

/** It removes itself after a run, but not when it was never started. */
async function removeIfThere(engine: Engine, id: string): Promise<void> {
  try {
    await engine.containers.remove(id, { force: true, volumes: true, link: false });
  } catch (error) {
    if (!isGantryError(error, 'notFound')) throw error;
  }
}

function bodyOf(options: RunOptions): ContainerCreateRequest {
  const ports = Object.entries(options.ports ?? {}).map(([port, hostPort]) => {
    const key = port.includes('/') ? port : `${port}/tcp`;
    const binding = { HostIp: '', HostPort: hostPort === 0 ? '' : String(hostPort) };
    return [key, [binding]] satisfies [string, PortBinding[]];
  });
  return {
    Image: options.image,
    Cmd: options.command ? [...options.command] : undefined,
    Env: Object.entries(options.env ?? {}).map(([name, value]) => `${name}=${value}`),
    WorkingDir: options.workingDir,
    User: options.user,
    OpenStdin: options.input !== undefined,
    StdinOnce: options.input !== undefined,
    Labels: { ...options.labels },
    HostConfig: {
      AutoRemove: true,
      Binds: Object.entries(options.mounts ?? {}).map(([host, inside]) => `${host}:${inside}`),
      PortBindings: Object.fromEntries(ports),
      NetworkMode: options.network ?? 'bridge',
      Memory: options.memoryBytes,
      NanoCpus: options.cpus === undefined ? undefined : Math.round(options.cpus * 1e9),
    },
  };
}
