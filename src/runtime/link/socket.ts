// Owns reaching a shim's socket, however long its path. Sends nothing.

import { constants } from 'node:fs';
import { type FileHandle, open } from 'node:fs/promises';
import { connect, type Socket } from 'node:net';
import { isGantryError } from '../../lib/errors.ts';
import { ANSWER_LIMIT_MS } from './calls.ts';
import { shimGone, shimSilent } from './errors.ts';

/** sun_path holds 108 bytes with the final NUL. @source unix(7) */
const LONGEST_PATH_BYTES = 107;

/**
 * A connection to `dir/sock`, half-open allowed.
 * @throws SHIM_GONE when no process listens there; SHIM_SILENT when its queue of unanswered connections is full
 */
export async function connectSocket(dir: string, doing: string): Promise<Socket> {
  const direct = `${dir}/sock`;
  if (Buffer.byteLength(direct) <= LONGEST_PATH_BYTES) return connectPath(direct, doing);
  let handle: FileHandle | undefined;
  try {
    handle = await open(dir, constants.O_RDONLY | constants.O_DIRECTORY);
    return await connectPath(`/proc/self/fd/${handle.fd}/sock`, doing);
  } catch (cause) {
    throw isGantryError(cause) ? cause : shimGone(doing, cause);
  } finally {
    await handle?.close();
  }
}

function connectPath(path: string, doing: string): Promise<Socket> {
  return new Promise((resolve, reject) => {
    const socket = connect({ path, allowHalfOpen: true });
    const fail = (cause: NodeJS.ErrnoException): void =>
      reject(cause.code === 'EAGAIN' ? shimSilent(doing, ANSWER_LIMIT_MS) : shimGone(doing, cause));
    socket.once('error', fail);
    socket.once('connect', () => {
      socket.off('error', fail);
      resolve(socket);
    });
  });
}
