// Owns joining a container's stdio: now when it runs, at its start when it does not, with stored output first when asked.

import { DeferredDuplex, type InputFilter } from '../../lib/deferred-duplex.ts';
import { GantryError } from '../../lib/errors.ts';
import { attachShim } from '../../runtime/link/index.ts';
import { DEFAULT_DETACH_KEYS, detachMatcher } from '../../spec/stream/detach-keys.ts';
import { type ReadOptions, readLog } from '../logs/index.ts';
import { type Context, publishContainer } from './context.ts';
import type { Run } from './live.ts';
import type { AttachedStream, AttachRequest, ContainerRecord } from './types.ts';

/** See Containers.attach. */
export async function attach(
  context: Context,
  ref: string,
  request: AttachRequest,
  signal: AbortSignal,
): Promise<AttachedStream> {
  const record = context.records.find(ref);
  checkMayAttach(record, ref);
  publishContainer(context, record, 'attach');
  const tty = record.config.Tty === true;
  const { run } = context.lives.of(record.id);
  const plain = run !== undefined && request.stream && !request.logs && !(tty && request.stdin);
  if (plain) {
    const socket = await attachShim(run.dir, request);
    signal.addEventListener('abort', () => socket.destroy(), { once: true });
    return { tty, stream: socket };
  }
  const stream = new DeferredDuplex(tty && request.stdin ? detachFilter(context, record, request) : undefined);
  signal.addEventListener('abort', () => stream.destroy(), { once: true });
  await join(context, record, request, stream, signal);
  return { tty, stream };
}

function checkMayAttach({ state }: ContainerRecord, ref: string): void {
  if (state.phase === 'paused') {
    throw new GantryError(
      'conflict',
      'CONTAINER_PAUSED',
      `container ${ref} is paused, unpause the container before attach`,
    );
  }
  if (state.phase === 'restarting') {
    throw new GantryError(
      'conflict',
      'CONTAINER_RESTARTING',
      `container ${ref} is restarting, wait until the container is running`,
    );
  }
}

/** Replays stored output, then joins the run, or waits for one. */
async function join(
  context: Context,
  record: ContainerRecord,
  request: AttachRequest,
  stream: DeferredDuplex,
  signal: AbortSignal,
): Promise<void> {
  const live = context.lives.of(record.id);
  // Joined before the replay: a line written in between is shown twice rather than lost.
  const socket = live.run && request.stream ? await attachShim(live.run.dir, request) : undefined;
  if (request.logs) await replay(context, record, request, stream, signal);
  if (socket) {
    stream.connect(socket);
  } else if (request.stream) {
    const pending = async (run: Run): Promise<void> => stream.connect(await attachShim(run.dir, request));
    live.pendingAttaches.add(pending);
    stream.once('close', () => live.pendingAttaches.delete(pending));
  } else {
    stream.push(null);
  }
}

async function replay(
  context: Context,
  record: ContainerRecord,
  request: AttachRequest,
  stream: DeferredDuplex,
  signal: AbortSignal,
): Promise<void> {
  const options: ReadOptions = {
    stdout: request.stdout,
    stderr: request.stderr,
    timestamps: false,
    details: false,
    follow: false,
    tty: record.config.Tty === true,
  };
  const ended = context.lives.of(record.id).outputEnded.signal;
  for await (const chunk of readLog({ path: context.paths(record.id).log, ended }, options, signal)) stream.push(chunk);
}

function detachFilter(context: Context, record: ContainerRecord, request: AttachRequest): InputFilter {
  const match = detachMatcher(request.detachKeys ?? DEFAULT_DETACH_KEYS);
  return (chunk) => {
    const { pass, found } = match(chunk);
    if (!found) return pass;
    publishContainer(context, record, 'detach');
    return undefined;
  };
}
