// Owns joining a container's stdio: now when it runs, at its start when it does not, with stored output first when asked.

import { Duplex } from 'node:stream';
import { DeferredDuplex, type InputFilter } from '../../lib/deferred-duplex.ts';
import { GantryError } from '../../lib/errors.ts';
import { attachShim, isShimGone } from '../../runtime/link/index.ts';
import { DEFAULT_DETACH_KEYS, detachMatcher } from '../../spec/stream/detach-keys.ts';
import { type ReadOptions, readLog } from '../logs/index.ts';
import { type Context, publishContainer } from './context.ts';
import type { PendingAttach, Run } from './live.ts';
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
    const socket = await joinShim(run, request);
    signal.addEventListener('abort', () => socket.destroy(), { once: true });
    return { tty, stream: socket };
  }
  const stream = new DeferredDuplex(tty && request.stdin ? detachFilter(context, record, request) : undefined);
  signal.addEventListener('abort', () => stream.destroy(), { once: true });
  await join(context, record, request, stream, signal);
  return { tty, stream };
}

/** Output of a run that has just ended is in the log: its attacher sees the end, not a failure. */
async function joinShim(run: Run, request: AttachRequest): Promise<Duplex> {
  try {
    return await attachShim(run.dir, request);
  } catch (error) {
    if (!isShimGone(error)) throw error;
    return ended();
  }
}

/** The stream of a run that is over: nothing to read, and what is written is lost. */
function ended(): Duplex {
  return new Duplex({
    read() {
      this.push(null);
    },
    write: (_chunk, _encoding, done) => done(),
  });
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
  const socket = live.run && request.stream ? await joinShim(live.run, request) : undefined;
  const replayed = request.logs ? stream.replay(storedOutput(context, record, request, signal)) : Promise.resolve();
  const follow = (target: Duplex): void => {
    replayed.then(
      () => stream.connect(target),
      (error: Error) => {
        target.destroy();
        stream.destroy(error);
      },
    );
  };
  if (socket) follow(socket);
  else if (request.stream) {
    const pending: PendingAttach = {
      join: async (run) => follow(await attachShim(run.dir, request)),
      end: () => follow(ended()),
    };
    live.pendingAttaches.add(pending);
    stream.once('close', () => live.pendingAttaches.delete(pending));
  } else follow(ended());
}

function storedOutput(
  context: Context,
  record: ContainerRecord,
  request: AttachRequest,
  signal: AbortSignal,
): AsyncIterable<Uint8Array> {
  const options: ReadOptions = {
    stdout: request.stdout,
    stderr: request.stderr,
    timestamps: false,
    details: false,
    follow: false,
    tty: record.config.Tty === true,
  };
  const { outputEnded } = context.lives.of(record.id);
  return readLog({ path: context.paths(record.id).log, ended: outputEnded.signal }, options, signal);
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
