// Owns sending a local file on an HTTP answer's socket by sendfile(2), the bytes never passing through this process's heap.
// Works on plain sockets alone; who calls falls back to streams elsewhere.
//
// The kernel call is non-blocking towards the socket. When the socket is full, one small piece goes by Node's own write, whose
// callback tells when the socket has room again: so backpressure, half-closed peers and errors stay Node's business.

import type { FileHandle } from 'node:fs/promises';
import type { ServerResponse } from 'node:http';
import { Socket } from 'node:net';
import { libc } from '../../host/libc.ts';

/** One kernel call: short enough for the event loop, large enough to be worth it. */
const CHUNK_BYTES = 1 << 20;
/** What goes through the heap when the socket is full. */
const PIECE_BYTES = 8 * 1024;
/** Read ahead of the kernel call, so that it finds its bytes in memory. */
const AHEAD_BYTES = 4 << 20;
const WILLNEED = 3;

/** The descriptor of an answer's plain socket, or undefined where there is none to be had. */
export function socketFd(response: ServerResponse): number | undefined {
  const socket: unknown = response.socket;
  // A TLS socket is a Socket too; only a plain one has the kernel's own stream under its handle.
  if (!(socket instanceof Socket) || 'encrypted' in socket) return undefined;
  const fd = (socket as Socket & { _handle?: { fd?: unknown } })._handle?.fd;
  return typeof fd === 'number' && fd >= 0 ? fd : undefined;
}

/**
 * Sends `length` bytes of `file` from `start` as the body of `response`, whose head was written with that Content-Length.
 * Resolves to the bytes sent: fewer when the peer went away, or took nothing until the server's own time-out let it go.
 */
export async function sendFile(
  response: ServerResponse,
  file: FileHandle,
  start: number,
  length: number,
): Promise<number> {
  const socket = response.socket;
  const fd = socketFd(response);
  if (!socket || fd === undefined) throw new TypeError('the answer has no plain socket');
  response.flushHeaders();
  const offset = Buffer.alloc(8);
  const piece = Buffer.allocUnsafeSlow(Math.min(PIECE_BYTES, length));
  let at = start;
  const end = start + length;
  libc.posixFadvise(file.fd, at, Math.min(AHEAD_BYTES, length), WILLNEED);
  while (at < end && !socket.destroyed) {
    if (socket.writableLength === 0) {
      offset.writeBigInt64LE(BigInt(at));
      const sent = libc.sendfile(fd, file.fd, offset, Math.min(CHUNK_BYTES, end - at));
      if (sent > 0) {
        at += sent;
        libc.posixFadvise(file.fd, at, Math.min(AHEAD_BYTES, end - at), WILLNEED);
        if (sent === CHUNK_BYTES) await nextTurn();
        continue;
      }
      if (sent === 0) break;
    }
    at += await writePiece(socket, file, at, piece.subarray(0, Math.min(PIECE_BYTES, end - at)));
  }
  if (at < end) socket.destroy();
  return at - start;
}

/** Other requests get their turn between two chunks. */
function nextTurn(): Promise<void> {
  return new Promise((resolve) => setImmediate(resolve));
}

/** Sends one piece by Node's write; resolves when the kernel has taken it, and `piece` may be used again. */
async function writePiece(socket: Socket, file: FileHandle, at: number, piece: Buffer): Promise<number> {
  const { bytesRead } = await file.read(piece, 0, piece.length, at);
  if (bytesRead === 0 || socket.destroyed) {
    socket.destroy();
    return 0;
  }
  await new Promise<void>((resolve) => {
    const settle = (): void => {
      socket.off('close', settle);
      resolve();
    };
    socket.once('close', settle);
    socket.write(piece.subarray(0, bytesRead), settle);
  });
  return bytesRead;
}
