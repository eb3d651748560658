// Owns how much of a large body one read takes: Node's HTTP server reads 64 KiB at a time, and each piece costs a turn through
// parser, stream and iterator. Here all sockets with large bodies read into one larger buffer; the parser copies out what it wants.
//
// It leans on what net.Socket has inside for its public option `onread`; where that is not found, reads stay as they are.

import type { IncomingMessage } from 'node:http';
import { Socket } from 'node:net';

/** A body that announces less is not worth it. */
const LARGE_BYTES = 1 << 20;
const READ_BYTES = 512 * 1024;

interface Insides {
  readonly buffer: symbol;
  readonly callback: symbol;
}

interface Handle {
  useUserBuffer?(buffer: Uint8Array): void;
}

let shared: Buffer | undefined;
let insides: Insides | undefined;

function findInsides(socket: Socket): Insides | undefined {
  const symbols = Object.getOwnPropertySymbols(socket);
  const named = (name: string): symbol | undefined => symbols.find(({ description }) => description === name);
  const [buffer, callback] = [named('kBuffer'), named('kBufferCb')];
  return buffer && callback ? { buffer, callback } : undefined;
}

const nothing = (): void => {};

/** Lets the socket of `request` read in larger pieces from now on, where its body is large; true when it does. */
export function widenReads(request: IncomingMessage): boolean {
  const { socket, headers } = request;
  const isLarge = headers['content-length'] === undefined || Number(headers['content-length']) >= LARGE_BYTES;
  if (!isLarge || !(socket instanceof Socket) || 'encrypted' in socket) return false;
  const handle = (socket as Socket & { _handle?: Handle })._handle;
  insides ??= findInsides(socket);
  if (!insides || !handle?.useUserBuffer) return false;
  const fields = socket as unknown as Record<symbol, unknown>;
  if (fields[insides.buffer]) return true;
  // The parser reads the socket itself until somebody else wants its data; then it is fed from the event.
  socket.on('data', nothing);
  socket.off('data', nothing);
  shared ??= Buffer.allocUnsafeSlow(READ_BYTES);
  handle.useUserBuffer(shared);
  fields[insides.buffer] = shared;
  fields[insides.callback] = (count: number, from: Buffer): void => void socket.emit('data', from.subarray(0, count));
  return true;
}
