// Owns telling a peer that closed a connection from one that only ended its side of it. Reads and writes nothing.

import { libc } from './libc.ts';

/** Reported whether asked for or not. @source poll(2) */
const POLLERR = 8;
const POLLHUP = 16;
const pollfd = Buffer.alloc(8);

/**
 * True when the far end of a UNIX stream socket is closed in both directions. False for a half-close, for what is no socket of this
 * process, and for TCP, whose keep-alive finds out by itself.
 */
export function peerIsGone(socket: object): boolean {
  const fd = descriptorOf(socket);
  if (fd === undefined) return false;
  pollfd.writeInt32LE(fd, 0);
  pollfd.writeInt32LE(0, 4);
  return libc.poll(pollfd, 1, 0) > 0 && (pollfd.readInt16LE(6) & (POLLERR | POLLHUP)) !== 0;
}

/** Node keeps it in the socket's handle, of which there is no public face. */
function descriptorOf(socket: object): number | undefined {
  const { fd } = (socket as { readonly _handle?: { readonly fd?: unknown } | null })._handle ?? {};
  return typeof fd === 'number' && fd >= 0 ? fd : undefined;
}
