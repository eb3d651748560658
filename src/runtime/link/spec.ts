// Owns what a shim is started with (specification and steps) and its form on the wire. Pure; sends nothing.

import { GantryError } from '../../lib/errors.ts';
import { type Field, PART_SEPARATOR } from './frame.ts';

/** One act of preparation, run in order inside the shim before it is ready. */
export type Step =
  | { readonly verb: 'unshare'; readonly what: 'mount' | 'net' | 'ipc' | 'uts' }
  | { readonly verb: 'chdir'; readonly path: string }
  /** Lazy; a path that is no mount point is fine. */
  | { readonly verb: 'umount'; readonly path: string }
  /** mount(2) with its flag bits. */
  | {
      readonly verb: 'mount';
      readonly type: string;
      readonly source: string;
      readonly target: string;
      readonly flags: number;
      readonly data: string;
    }
  /** Binds what is at `path` below `root`, links resolved there, at `target`, which is made. */
  | { readonly verb: 'bind'; readonly root: string; readonly path: string; readonly target: string }
  /** Copies the mounts at `path`, which stay in touch with them over any `unshare`; the next `put` mounts them. */
  | { readonly verb: 'hold'; readonly path: string }
  /** Mounts what the earliest `hold` holds at `path`, which is made. */
  | { readonly verb: 'put'; readonly path: string }
  /** Fails where nothing is at `path`; links are followed. */
  | { readonly verb: 'stat'; readonly path: string }
  /** Makes `path` and what lacks above it, with mode 0755; what is there, of whatever kind, is left as it is. */
  | { readonly verb: 'mkdirs'; readonly path: string }
  | { readonly verb: 'mkdir'; readonly path: string; readonly mode: number }
  | { readonly verb: 'write'; readonly path: string; readonly text: string };

/** JSON log file written by the shim. Sizes in bytes; 0 = never rotate. */
export interface ShimLog {
  readonly path: string;
  readonly maxSizeBytes: number;
  /** At least 1; counts the current file. */
  readonly maxFiles: number;
  /** argv to which the rotated file's name is appended; expects `.gz` names. */
  readonly compressArgs?: readonly string[] | undefined;
  /** Raw JSON object put in every line as `attrs`. */
  readonly attrsJson?: string | undefined;
}

/** The terminal of a process: size in characters, socket name under the run directory. */
export interface ShimTerminal {
  readonly rows: number;
  readonly columns: number;
  readonly consoleSocket: string;
}

/** All that one shim needs to know; see shim/PROTOCOL.md for each key. Paths are absolute, or relative to `dir` where said. */
export interface ShimSpec {
  readonly dir: string;
  readonly steps: readonly Step[];
  /** argv of the OCI runtime; []: the shim only holds what its steps made. */
  readonly args: readonly string[];
  /** The runtime's log; its end is the text of a failed start. */
  readonly failFile?: string | undefined;
  readonly pidFile?: string | undefined;
  readonly cleanupArgs?: readonly string[] | undefined;
  readonly stdin: 'open' | 'none';
  readonly stdinOnce?: boolean | undefined;
  readonly terminal?: ShimTerminal | undefined;
  readonly log?: ShimLog | undefined;
  /** Cgroup file with a line `oom_kill N`. */
  readonly oomFile?: string | undefined;
  readonly oomScoreAdj?: number | undefined;
  readonly drainMs?: number | undefined;
  readonly lingerMs?: number | undefined;
  /** Run without waiting for start. */
  readonly autoStart?: boolean | undefined;
  /** Descriptor of the sealed shim program that begins the process in a session of its own. */
  readonly session?: number | undefined;
}

/**
 * A step as it travels.
 * @throws SHIM_STEP_INVALID when a part holds the separator byte
 */
export function stepText(step: Step): string {
  const parts = stepParts(step);
  if (parts.some((part) => part.includes(PART_SEPARATOR))) {
    throw new GantryError('invalid', 'SHIM_STEP_INVALID', `a path of a ${step.verb} step holds the byte 0x1f`);
  }
  return [step.verb, ...parts].join(PART_SEPARATOR);
}

function stepParts(step: Step): readonly string[] {
  switch (step.verb) {
    case 'unshare':
      return [step.what];
    case 'chdir':
    case 'umount':
    case 'hold':
    case 'put':
    case 'stat':
    case 'mkdirs':
      return [step.path];
    case 'bind':
      return [step.root, step.path, step.target];
    case 'mount':
      return [step.type, step.source, step.target, String(step.flags), step.data];
    case 'mkdir':
      return [step.path, step.mode.toString(8)];
    case 'write':
      return [step.path, step.text];
  }
}

/** The specification's fields, in the order of shim/PROTOCOL.md. */
export function specFields(spec: ShimSpec): Field[] {
  const fields: Field[] = [['dir', spec.dir]];
  const add = (key: string, value: string | number | undefined): void => {
    if (value !== undefined) fields.push([key, String(value)]);
  };
  for (const step of spec.steps) add('step', stepText(step));
  for (const arg of spec.args) add('arg', arg);
  add('fail-file', spec.failFile);
  add('pid-file', spec.pidFile);
  for (const arg of spec.cleanupArgs ?? []) add('cleanup-arg', arg);
  add('stdin', spec.stdin);
  add('stdin-once', spec.stdinOnce === true ? 1 : undefined);
  if (spec.terminal !== undefined) fields.push(...terminalFields(spec.terminal));
  if (spec.log !== undefined) fields.push(...logFields(spec.log));
  add('oom-file', spec.oomFile);
  add('oom-score-adj', spec.oomScoreAdj);
  add('drain-ms', spec.drainMs);
  add('linger-ms', spec.lingerMs);
  add('auto-start', spec.autoStart === true ? 1 : undefined);
  add('session', spec.session);
  return fields;
}

function terminalFields(terminal: ShimTerminal): Field[] {
  return [
    ['tty', '1'],
    ['rows', String(terminal.rows)],
    ['cols', String(terminal.columns)],
    ['console-socket', terminal.consoleSocket],
  ];
}

function logFields(log: ShimLog): Field[] {
  return [
    ['log-path', log.path],
    ['log-max-size', String(log.maxSizeBytes)],
    ['log-max-files', String(log.maxFiles)],
    ...(log.compressArgs ?? []).map((arg): Field => ['log-compress-arg', arg]),
    ...(log.attrsJson === undefined ? [] : [['log-attrs', log.attrsJson] satisfies Field]),
  ];
}
