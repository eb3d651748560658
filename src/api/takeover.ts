// Owns leaving HTTP on a connection: after `Upgrade`, and for clients that send raw bytes without asking. Writes nothing.

import type { ServerResponse } from 'node:http';
import type { Socket } from 'node:net';
import type { Duplex } from 'node:stream';
import type { Takeover } from './exchange.ts';

/** A connection that Node has handed over after `Upgrade`; `head` is what came with the request. */
export function upgradeTakeover(response: ServerResponse, socket: Duplex, head: Buffer): Takeover {
  return {
    upgraded: true,
    take() {
      response.detachSocket(socket as Socket);
      if (head.length > 0) socket.unshift(head);
      return socket;
    },
  };
}

const EARLY_LIMIT_BYTES = 1 << 20;

/**
 * Takes connections from Node's HTTP parser in mid-life, for the `200 OK` form of attach and exec. Bytes that a client sends before
 * we answer look like a broken second request to the parser; they come back through the server's `clientError`.
 */
export interface RawConnections {
  /** Says that this request will be taken over, before the parser reads on. */
  expect(socket: Socket): void;
  /** Offers the parser's complaint; true when the bytes were early input of an expected connection. */
  claim(socket: Socket, error: ParserComplaint): boolean;
  takeover(response: ServerResponse, socket: Socket): Takeover;
}

/** What Node tells with `clientError`. */
export interface ParserComplaint {
  readonly rawPacket?: Buffer;
  readonly bytesParsed?: number;
}

export function createRawConnections(): RawConnections {
  const early = new WeakMap<Socket, Buffer[]>();
  return {
    expect: (socket) => void early.set(socket, []),
    claim(socket, { rawPacket, bytesParsed = 0 }) {
      const chunks = early.get(socket);
      if (!chunks || !rawPacket) return false;
      chunks.push(chunks.length === 0 ? afterRequest(rawPacket, bytesParsed) : rawPacket);
      if (Buffer.concat(chunks).length > EARLY_LIMIT_BYTES) socket.destroy();
      return true;
    },
    takeover: (response, socket) => ({
      upgraded: false,
      take() {
        const chunks = early.get(socket) ?? [];
        early.delete(socket);
        response.detachSocket(socket);
        leaveParser(socket);
        if (chunks.length > 0) socket.unshift(Buffer.concat(chunks));
        return socket;
      },
    }),
  };
}

/** What follows the request in the packet that held its end. */
function afterRequest(packet: Buffer, bytesParsed: number): Buffer {
  const headEnd = packet.indexOf('\r\n\r\n');
  if (headEnd < 0) return packet.subarray(bytesParsed);
  const head = packet.subarray(0, headEnd).toString('latin1');
  const bodyBytes = Number(/^content-length:\s*(\d+)/im.exec(head)?.[1] ?? 0);
  return packet.subarray(headEnd + 4 + bodyBytes);
}

/**
 * Node reads the handle directly while it parses; a `readable` listener makes it give the handle back to the stream, and without
 * its own listeners it no longer parses. Its `close` listener stays: it frees the parser.
 */
export function leaveParser(socket: Socket): void {
  const noop = (): void => undefined;
  socket.on('readable', noop);
  socket.off('readable', noop);
  for (const event of ['data', 'end', 'drain', 'timeout', 'error', 'resume', 'pause']) socket.removeAllListeners(event);
  socket.setTimeout(0);
}
