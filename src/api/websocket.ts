// Owns attach over WebSocket: handshake and binary frames, as much of RFC 6455 as a terminal needs. Understands no bytes.

import { createHash } from 'node:crypto';
import type { Duplex } from 'node:stream';
import type { AttachedStream } from '../engine/containers/types.ts';
import { GantryError } from '../lib/errors.ts';
import { createFrameDecoder } from '../spec/stream/frames.ts';
import { DONE, type Exchange, type Reply } from './exchange.ts';

const GUID = '258EAFA5-E914-47DA-95CA-C5AB0DC85B11';
/** Longer client messages are refused: they are keystrokes. */
const MAX_MESSAGE_BYTES = 1 << 20;
/** @source RFC 6455, 5.5 */
const MAX_CONTROL_BYTES = 125;
const OPCODES = { continuation: 0, text: 1, binary: 2, close: 8, ping: 9, pong: 10 } as const;

/** Answers the handshake, then moves bytes both ways; output loses Docker's framing, as in dockerd. */
export async function acceptWebSocket(
  x: Exchange,
  attach: () => Promise<AttachedStream>,
  stdin: boolean,
): Promise<Reply> {
  const key = x.headers['sec-websocket-key'];
  if (!x.takeover.upgraded || x.headers.upgrade?.toLowerCase() !== 'websocket' || typeof key !== 'string') {
    throw new GantryError('invalid', 'NO_WEBSOCKET', 'not websocket protocol');
  }
  const { tty, stream } = await attach();
  const connection = x.take();
  const accept = createHash('sha1')
    .update(key + GUID)
    .digest('base64');
  connection.write(
    `HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Accept: ${accept}\r\n\r\n`,
  );
  join(connection, stream, tty, stdin);
  return DONE;
}

function join(connection: Duplex, container: Duplex, tty: boolean, stdin: boolean): void {
  const decoder = tty ? undefined : createFrameDecoder();
  const send = (payload: Uint8Array): boolean => connection.write(encodeMessage(OPCODES.binary, payload));
  container.on('data', (chunk: Buffer) => {
    const pieces = decoder ? decoder.push(chunk).map((piece) => piece.payload) : [chunk];
    const roomLeft = pieces.map(send).every(Boolean);
    if (!roomLeft) container.pause();
  });
  connection.on('drain', () => container.resume());
  const finish = (): void => {
    if (connection.writableEnded) return;
    connection.end(encodeMessage(OPCODES.close, Uint8Array.of(0x03, 0xe8)));
    connection.resume();
    setTimeout(() => connection.destroy(), 1000).unref();
  };
  container.once('end', finish);
  container.on('error', finish);
  connection.on('error', () => container.destroy());
  connection.once('close', () => container.destroy());

  const reader = createMessageReader({
    data(payload) {
      if (stdin && !container.write(payload)) {
        connection.pause();
        container.once('drain', () => connection.resume());
      }
    },
    // A client that pings and does not read gets no answers to pile up.
    ping: (payload) => void (connection.writableNeedDrain || connection.write(encodeMessage(OPCODES.pong, payload))),
    close: () => connection.end(encodeMessage(OPCODES.close, Uint8Array.of(0x03, 0xe8)), () => connection.destroy()),
  });
  connection.on('data', (chunk: Buffer) => {
    if (!reader(chunk)) connection.destroy();
  });
}

/** One unmasked, unfragmented message, as servers send them. */
function encodeMessage(opcode: number, payload: Uint8Array): Buffer {
  const { length } = payload;
  const extra = length < 126 ? 0 : length < 65_536 ? 2 : 8;
  const message = Buffer.alloc(2 + extra + length);
  message[0] = 0x80 | opcode;
  message[1] = extra === 0 ? length : extra === 2 ? 126 : 127;
  if (extra === 2) message.writeUInt16BE(length, 2);
  if (extra === 8) message.writeBigUInt64BE(BigInt(length), 2);
  message.set(payload, 2 + extra);
  return message;
}

interface MessageHandlers {
  data(payload: Buffer): void;
  ping(payload: Buffer): void;
  close(): void;
}

/** Reads masked client frames; answers false when the client breaks the protocol. */
function createMessageReader(handlers: MessageHandlers): (chunk: Buffer) => boolean {
  let rest: Buffer = Buffer.alloc(0);
  return (chunk) => {
    rest = rest.length === 0 ? chunk : Buffer.concat([rest, chunk]);
    for (;;) {
      const frame = readFrame(rest);
      if (frame === 'broken') return false;
      if (frame === undefined) return rest.length <= MAX_MESSAGE_BYTES + 14;
      rest = rest.subarray(frame.bytes);
      if (frame.opcode === OPCODES.ping) handlers.ping(frame.payload);
      else if (frame.opcode === OPCODES.close) handlers.close();
      else if (frame.opcode !== OPCODES.pong) handlers.data(frame.payload);
    }
  };
}

interface ClientFrame {
  readonly opcode: number;
  readonly payload: Buffer;
  /** Length of the whole frame. */
  readonly bytes: number;
}

function readFrame(buffer: Buffer): ClientFrame | 'broken' | undefined {
  if (buffer.length < 2) return undefined;
  const [first = 0, second = 0] = buffer;
  if ((second & 0x80) === 0 || (first & 0x70) !== 0) return 'broken';
  const short = second & 0x7f;
  const extra = short === 126 ? 2 : short === 127 ? 8 : 0;
  const headerBytes = 2 + extra + 4;
  if (buffer.length < headerBytes) return undefined;
  const length = extra === 0 ? short : extra === 2 ? buffer.readUInt16BE(2) : Number(buffer.readBigUInt64BE(2));
  if (length > MAX_MESSAGE_BYTES || ((first & 0x08) !== 0 && length > MAX_CONTROL_BYTES)) return 'broken';
  if (buffer.length < headerBytes + length) return undefined;
  const mask = buffer.subarray(headerBytes - 4, headerBytes);
  const payload = Buffer.from(buffer.subarray(headerBytes, headerBytes + length));
  for (let i = 0; i < payload.length; i++) payload[i] = (payload[i] ?? 0) ^ (mask[i % 4] ?? 0);
  return { opcode: first & 0x0f, payload, bytes: headerBytes + length };
}
