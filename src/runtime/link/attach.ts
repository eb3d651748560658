// Owns joining a shim's stdio: the opening exchange, then the raw socket. Looks into no byte of the streams.

import type { Socket } from 'node:net';
import { isGantryError } from '../../lib/errors.ts';
import { ANSWER_LIMIT_MS } from './calls.ts';
import { failureOf, shimFailed, shimGone, shimSilent } from './errors.ts';
import { decodePayload, encodeFrame, payloadLength } from './frame.ts';
import { connectSocket } from './socket.ts';

/** Which streams to join. */
export interface AttachStreams {
  readonly stdin: boolean;
  readonly stdout: boolean;
  readonly stderr: boolean;
}

const DOING = 'attach';

/**
 * The raw stream of a container or exec: output as the shim frames it (bytes with a terminal, Docker's frames without),
 * stdin the other way. `end()` is end of stdin for this attacher only. The socket is paused until it is read.
 * @throws SHIM_GONE; SHIM_FAILED; SHIM_SILENT after `limitMs`
 */
export async function attachShim(
  dir: string,
  streams: AttachStreams,
  limitMs: number = ANSWER_LIMIT_MS,
): Promise<Socket> {
  const socket = await connectSocket(dir, DOING);
  const bit = (on: boolean): string => (on ? '1' : '0');
  socket.write(
    encodeFrame([
      ['op', 'attach'],
      ['stdin', bit(streams.stdin)],
      ['stdout', bit(streams.stdout)],
      ['stderr', bit(streams.stderr)],
    ]),
  );
  const timer = setTimeout(() => socket.destroy(shimSilent(DOING, limitMs)), limitMs);
  try {
    const header = await readExactly(socket, 4);
    const payload = await readExactly(socket, payloadLength(header));
    const failure = failureOf(decodePayload(payload));
    if (failure !== undefined) throw shimFailed(DOING, failure);
  } catch (error) {
    socket.destroy();
    throw error;
  } finally {
    clearTimeout(timer);
  }
  return socket;
}

/** Takes just these bytes; what follows stays in the socket for its later reader. */
function readExactly(socket: Socket, bytes: number): Promise<Buffer> {
  return new Promise((resolve, reject) => {
    const settle = (act: () => void): void => {
      socket.off('readable', tryRead);
      socket.off('error', fail);
      socket.off('end', gone);
      socket.off('close', gone);
      act();
    };
    const fail = (cause: Error): void => settle(() => reject(isGantryError(cause) ? cause : shimGone(DOING, cause)));
    const gone = (): void => fail(new Error('closed before it answered'));
    const tryRead = (): void => {
      const chunk: Buffer | null = socket.read(bytes);
      if (chunk === null) return;
      settle(() => (chunk.length === bytes ? resolve(chunk) : gone()));
    };
    socket.on('readable', tryRead);
    socket.once('error', fail);
    socket.once('end', gone);
    socket.once('close', gone);
    tryRead();
  });
}
