// Owns what a container's verbs ask of the runtime: a shim made ready, configured, paused, adopted. Consumer-defined port.

import type { Run } from './live.ts';
import type { ContainerPaths, ContainerRecord } from './types.ts';

/** A shim with its namespaces and root file system, waiting for `configure` and then for its connection's start. */
export interface Prepared {
  readonly run: Run;
  /** Holds the container's namespaces until its process runs. */
  readonly shimPid: number;
  /** The container's root file system as this process reaches it; hostile: open below it only with RESOLVE_IN_ROOT. */
  readonly rootfs: string;
}

export interface LaunchRequest {
  readonly record: ContainerRecord;
  readonly paths: ContainerPaths;
  /** Overlay lower directories, topmost first, relative to `layersDir`. */
  readonly lowerDirs: readonly string[];
  readonly layersDir: string;
  /** False when the container joins another's network namespace or the host's. */
  readonly ownNetwork: boolean;
}

export interface ConfigureRequest {
  readonly record: ContainerRecord;
  readonly paths: ContainerPaths;
  /** Init processes of the containers named in `container:X` modes. */
  readonly peers: {
    readonly network?: number | undefined;
    readonly pid?: number | undefined;
    readonly ipc?: number | undefined;
  };
  /** Host folder that becomes /dev/shm; undefined = the container's own. */
  readonly shmPath?: string | undefined;
}

/** A bind source, and whether it is made (a folder) where it lacks. */
export interface SourceRequest {
  readonly path: string;
  readonly create: boolean;
}

/** Begins processes. */
interface Starter {
  /** The errno of looking at a bind source or making it, 0 for none; ETIMEDOUT when its file system does not answer in 10 s. */
  probeSource(request: SourceRequest): Promise<number>;
  /** Refuses at create what can never run: unknown capabilities, bad profiles. @throws GantryError invalid */
  checkConfig(record: Omit<ContainerRecord, 'name' | 'mounts'>): void;
  /** Forks a shim, runs its steps. Abandon its connection to undo. @throws GantryError */
  prepare(request: LaunchRequest): Promise<Prepared>;
  /** Resolves the user, writes the OCI configuration. @throws GantryError in Docker's words */
  configure(prepared: Prepared, request: ConfigureRequest): Promise<void>;
  /** Starts the process. @throws GantryError whose text decides the client's 126 and 127 */
  start(prepared: Prepared, record: ContainerRecord): Promise<{ readonly pid: number; readonly atUnixNs: bigint }>;
  /** The exit code that a container gets when its start failed so. */
  exitCodeOf(error: unknown): number;
}

/** Acts on the processes of a container that runs. */
interface Controls {
  pause(record: ContainerRecord): Promise<void>;
  unpause(record: ContainerRecord): Promise<void>;
  /** To the container's first process, past its shim. One that is gone is fine. */
  signal(record: ContainerRecord, signal: number): Promise<void>;
  /** Pids of all processes in the container, as the host sees them. */
  pids(record: ContainerRecord): Promise<readonly number[]>;
}

/** Finds again what runs, and frees what does not. */
interface RunKeeper {
  /** The run directory that a container's present or last run has. */
  runDir(id: string): string;
  /** The root file system of a container that runs, as this process reaches it and hostile; undefined when its shim is gone. */
  rootOf(id: string): Promise<string | undefined>;
  /** Joins a shim that outlived the last daemon; undefined when it is gone. */
  adopt(id: string): Promise<Run | undefined>;
  /** Frees what belongs to none of the `known` containers; waits in the background for execs that outlived the last daemon. */
  sweepOrphans(known: ReadonlySet<string>, background: (work: Promise<unknown>) => void): Promise<void>;
  /** Frees what a dead shim left: runtime state, cgroup, run directory. */
  sweep(record: Pick<ContainerRecord, 'id' | 'runtime' | 'hostConfig'>): Promise<void>;
}

export interface Launcher extends Starter, Controls, RunKeeper {}
