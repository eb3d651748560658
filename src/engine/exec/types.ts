// Owns the shapes of the exec capability: running a further process in a container. No behaviour.

import type { AttachedStream } from '../containers/types.ts';

export interface ExecRequest {
  readonly command: readonly string[];
  readonly tty: boolean;
  readonly stdin: boolean;
  readonly stdout: boolean;
  readonly stderr: boolean;
  /** `K=V`. */
  readonly env: readonly string[];
  /** '' = the container's. */
  readonly user: string;
  readonly workingDir: string;
  readonly privileged: boolean;
  readonly detachKeys: string;
  /** rows, columns. */
  readonly consoleSize?: readonly [number, number] | undefined;
}

/** One exec, kept in memory until its container stops. */
export interface ExecRecord {
  readonly id: string;
  readonly containerId: string;
  readonly request: ExecRequest;
  readonly running: boolean;
  /** null until it has ended. */
  readonly exitCode: number | null;
  readonly pid: number;
}

export interface ExecStartRequest {
  readonly detach: boolean;
  readonly tty: boolean;
  readonly consoleSize?: readonly [number, number] | undefined;
}

export interface Execs {
  /** @throws NO_SUCH_CONTAINER; CONTAINER_NOT_RUNNING (conflict); NO_EXEC_COMMAND (invalid). Resolves to the exec id. */
  create(containerRef: string, request: ExecRequest): Promise<string>;
  /**
   * Runs it. Attached: resolves as soon as the stream may be used, before the process runs (a failed start is written into the
   * stream as Docker does, and the exit code becomes 126/127). Detached: resolves when it runs, throws when it cannot.
   */
  start(execId: string, request: ExecStartRequest, signal: AbortSignal): Promise<AttachedStream | undefined>;
  /** @throws NO_SUCH_EXEC (notFound). */
  inspect(execId: string): ExecRecord;
  resize(execId: string, rows: number, columns: number): Promise<void>;
}
