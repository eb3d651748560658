// Owns carrying bytes between the terminal and a taken-over connection: raw mode, detach keys, half-close, demultiplexing.
import type { Hijacked } from '../../client/index.ts';
import { DEFAULT_DETACH_KEYS, detachMatcher } from '../../spec/stream/detach-keys.ts';
import { createFrameDecoder } from '../../spec/stream/frames.ts';
import type { InputStream, OutputStream, Stdio } from '../session.ts';
import { parseDetachKeys } from './detach.ts';
import { enterRawMode } from './raw-mode.ts';

/** What is carried. Absent streams are not. */
export interface CarryOptions {
  readonly stdin: boolean;
  readonly stdout: boolean;
  readonly stderr: boolean;
  /** The process has a terminal: one raw stream, and detach keys count. */
  readonly tty: boolean;
  readonly detachKeys: string;
}

/** How carrying ended. */
type CarryEnd = 'output ended' | 'input ended' | 'detached';

/** A running copy. */
export interface Carrying {
  /** Settles when the output is over (or the input, when no output is wanted), or at the detach keys. */
  readonly end: Promise<CarryEnd>;
  /** Gives the terminal back and lets the connection go. */
  stop(): void;
}

/** Starts carrying between `stdio` and `hijacked`; without stdin the connection is half-closed at once. */
export function carryStreams(hijacked: Hijacked, stdio: Stdio, options: CarryOptions): Carrying {
  const { socket, head } = hijacked;
  const input = options.stdin ? startInput(hijacked, stdio.stdin, options) : undefined;
  if (input === undefined) socket.end();
  if (head.length > 0) socket.unshift(head);
  const output = options.stdout || options.stderr ? copyOutput(hijacked, stdio, options) : undefined;
  if (output === undefined) socket.resume();
  socket.on('error', () => {});
  const ends: Promise<CarryEnd>[] = [];
  if (output !== undefined) ends.push(output.then(() => 'output ended' as const));
  if (input !== undefined) ends.push(input.end.then((end) => (end === 'input ended' && output ? never() : end)));
  if (ends.length === 0) ends.push(Promise.resolve('input ended'));
  const stop = (): void => {
    input?.stop();
    socket.destroy();
  };
  return { end: Promise.race(ends).finally(() => input?.stop()), stop };
}

function never(): Promise<never> {
  return new Promise(() => {});
}

function startInput(
  hijacked: Hijacked,
  stdin: InputStream,
  options: CarryOptions,
): { readonly end: Promise<'input ended' | 'detached'>; stop(): void } {
  const { socket } = hijacked;
  const match = options.tty ? detachMatcher(parseDetachKeys(options.detachKeys) ?? DEFAULT_DETACH_KEYS) : undefined;
  const raw = options.tty ? enterRawMode(stdin) : undefined;
  let stopped = false;
  let onData: (chunk: Buffer) => void = () => {};
  const drained = (): void => {
    if (!stopped) stdin.resume();
  };
  const stop = (): void => {
    if (stopped) return;
    stopped = true;
    stdin.off('data', onData);
    socket.off('drain', drained);
    raw?.[Symbol.dispose]();
    stdin.pause();
    if (stdin.unref !== undefined) stdin.unref();
    else stdin.destroy();
  };
  const end = new Promise<'input ended' | 'detached'>((resolve) => {
    onData = (chunk) => {
      const { pass, found } = match?.(chunk) ?? { pass: chunk, found: false };
      if (pass.length > 0 && socket.writable && !socket.write(pass)) stdin.pause();
      if (found) resolve('detached');
    };
    socket.on('drain', drained);
    const finish = (): void => {
      if (socket.writable) socket.end();
      resolve('input ended');
    };
    stdin.on('data', onData);
    stdin.once('end', finish);
    stdin.once('error', finish);
    if (stdin.readableEnded) finish();
  });
  return { end, stop };
}

async function copyOutput(hijacked: Hijacked, stdio: Stdio, options: CarryOptions): Promise<void> {
  const decoder = options.tty ? undefined : createFrameDecoder();
  try {
    for await (const chunk of hijacked.socket as AsyncIterable<Buffer>) {
      if (decoder === undefined) {
        await write(stdio.stdout, chunk);
        continue;
      }
      for (const piece of decoder.push(chunk)) {
        if (piece.stream === 'systemError')
          throw new Error(`error from daemon in stream: ${Buffer.from(piece.payload)}`);
        const wanted = piece.stream === 'stderr' ? options.stderr : options.stdout;
        if (wanted) await write(piece.stream === 'stderr' ? stdio.stderr : stdio.stdout, piece.payload);
      }
    }
  } catch (error) {
    if (!isDisconnect(error)) throw error;
  }
}

/** The daemon, or a container's end, may cut the connection hard; what came before counts. */
function isDisconnect(error: unknown): boolean {
  return (
    error instanceof Error &&
    'code' in error &&
    ['ECONNRESET', 'EPIPE', 'ERR_STREAM_PREMATURE_CLOSE', 'ABORT_ERR'].includes(String(error.code))
  );
}

/** Writes and waits while the reader is slow. */
export function write(stream: OutputStream, chunk: Uint8Array | string): Promise<void> | undefined {
  if (stream.write(chunk)) return undefined;
  return new Promise((resolve) => stream.once('drain', resolve));
}
