// Owns starting an exec for a client: detached, or attached to its streams.

import { DeferredDuplex, type InputFilter } from '../../lib/deferred-duplex.ts';
import { GantryError, messageOf } from '../../lib/errors.ts';
import { attachShim } from '../../runtime/link/index.ts';
import { DEFAULT_DETACH_KEYS, detachMatcher } from '../../spec/stream/detach-keys.ts';
import { encodeOutput } from '../../spec/stream/frames.ts';
import type { Run } from '../containers/index.ts';
import type { AttachedStream } from '../containers/types.ts';
import type { Entry } from './entries.ts';
import { checkMayExecAs, type ExecProcess, type ExecsDeps, launch, prepare, publishExec } from './process.ts';
import type { ExecStartRequest } from './types.ts';

/** See Execs.start. */
export async function startExec(
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
  const process = { deps, container, entry, request };
  const run = await prepare(process);
  if (!options.detach) return attached(process, run, signal);
  await launch(process, run, { join: () => Promise.resolve() });
  return undefined;
}

/** The stream exists before the process; a failed start is written into it. @source docker-behaviours §2 */
function attached(process: ExecProcess, run: Run, signal: AbortSignal): AttachedStream {
  const { request, entry } = process;
  const stream = new DeferredDuplex(request.tty && request.stdin ? detachFilter(process) : undefined);
  signal.addEventListener('abort', () => stream.destroy(), { once: true });
  let joined = false;
  const join = async (): Promise<void> => {
    const socket = await attachShim(run.dir, request);
    joined = true;
    stream.connect(socket, entry.settled);
  };
  const failed = (error: unknown): void => void stream.push(encodeOutput(`${messageOf(error)}\r\n`, request.tty));
  launch(process, run, { join, failed }).catch(() => {
    if (!joined) stream.push(null);
  });
  return { tty: request.tty, stream };
}

function detachFilter(process: ExecProcess): InputFilter {
  const { deps, request } = process;
  const match = detachMatcher(deps.parseDetachKeys(request.detachKeys) ?? DEFAULT_DETACH_KEYS);
  return (chunk) => {
    const { pass, found } = match(chunk);
    if (!found) return pass;
    publishExec(process, 'exec_detach');
    return undefined;
  };
}
