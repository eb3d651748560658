// Owns attach over WebSocket: bytes both ways between a container and a browser. Frames are the library's.

import type { Duplex } from 'node:stream';
import type { WebSocket } from 'ws';
import type { AttachedStream } from '../engine/containers/types.ts';
import { GantryError } from '../lib/errors.ts';
import { createFrameDecoder } from '../spec/stream/frames.ts';
import { DONE, type Exchange, type Reply } from './exchange.ts';

/** Longer client messages are refused: they are keystrokes. */
const MAX_MESSAGE_BYTES = 1 << 20;
/** Output that waits for a client beyond this holds the container back; answers to its pings are dropped. */
const WAITING_MOST_BYTES = 64 * 1024;
const KEY = /^[+/0-9A-Za-z]{22}==$/;

/** Answers the handshake, then moves bytes both ways; output loses Docker's framing, as in dockerd. */
export async function acceptWebSocket(
  x: Exchange,
  attach: () => Promise<AttachedStream>,
  stdin: boolean,
): Promise<Reply> {
  const key = x.headers['sec-websocket-key'];
  const isHandshake = x.takeover.upgraded && x.headers.upgrade?.toLowerCase() === 'websocket' && KEY.test(key ?? '');
  if (!isHandshake) throw new GantryError('invalid', 'NO_WEBSOCKET', 'not websocket protocol');
  // Few clients ask for it: the start of a daemon need not wait for its code.
  const { WebSocketServer } = await import('ws');
  const { tty, stream } = await attach();
  const server = new WebSocketServer({
    noServer: true,
    autoPong: false,
    clientTracking: false,
    maxPayload: MAX_MESSAGE_BYTES,
    perMessageDeflate: false,
  });
  const connection = x.take();
  connection.once('close', () => stream.destroy());
  server.handleUpgrade(x.request, connection, Buffer.alloc(0), (socket) => join(socket, stream, tty, stdin));
  return DONE;
}

function join(socket: WebSocket, container: Duplex, tty: boolean, stdin: boolean): void {
  const decoder = tty ? undefined : createFrameDecoder();
  const sent = (): void => {
    if (socket.bufferedAmount < WAITING_MOST_BYTES) container.resume();
  };
  container.on('data', (chunk: Buffer) => {
    const pieces = decoder ? decoder.push(chunk).map((piece) => piece.payload) : [chunk];
    for (const piece of pieces) socket.send(piece, { binary: true }, sent);
    if (socket.bufferedAmount >= WAITING_MOST_BYTES) container.pause();
  });
  container.once('end', () => socket.close(1000));
  container.on('error', () => socket.close(1000));
  socket.on('message', (message: Buffer) => {
    if (!stdin || container.write(message)) return;
    socket.pause();
    container.once('drain', () => socket.resume());
  });
  socket.on('ping', (payload: Buffer) => {
    // A client that pings and does not read gets no answers to pile up.
    if (socket.bufferedAmount < WAITING_MOST_BYTES / 4) socket.pong(payload);
  });
  socket.on('error', () => socket.terminate());
  socket.once('close', () => container.destroy());
}
