// Owns the frames of shim/PROTOCOL.md: length, then NUL-terminated `key=value` fields. Pure; knows no sockets and no keys.

import { GantryError } from '../../lib/errors.ts';

/** Longest payload either side may send. */
export const MAX_PAYLOAD_BYTES = 1024 * 1024;
/** Separates the parts of a value, as in steps. */
export const PART_SEPARATOR = '\x1f';
const HEADER_BYTES = 4;

/** One field; keys may repeat and their order counts. */
export type Field = readonly [key: string, value: string];

/**
 * A whole frame, header included.
 * @throws SHIM_FRAME_INVALID when a value holds NUL, a key `=`, or the payload is too long
 */
export function encodeFrame(fields: readonly Field[]): Buffer {
  let text = '';
  for (const [key, value] of fields) {
    if (key === '' || key.includes('=') || key.includes('\0') || value.includes('\0')) {
      throw new GantryError('invalid', 'SHIM_FRAME_INVALID', `the value of "${key}" must not hold a NUL byte`);
    }
    text += `${key}=${value}\0`;
  }
  const payloadBytes = Buffer.byteLength(text);
  if (payloadBytes > MAX_PAYLOAD_BYTES) throw tooLong(payloadBytes);
  const frame = Buffer.allocUnsafe(HEADER_BYTES + payloadBytes);
  frame.writeUInt32BE(payloadBytes, 0);
  frame.write(text, HEADER_BYTES);
  return frame;
}

function tooLong(bytes: number): GantryError {
  return new GantryError(
    'invalid',
    'SHIM_FRAME_INVALID',
    `a shim message of ${bytes} bytes is over the limit of ${MAX_PAYLOAD_BYTES}`,
  );
}

/**
 * The fields of one payload.
 * @throws SHIM_FRAME_INVALID when it is cut or a field has no `=`
 */
export function decodePayload(payload: Buffer): Field[] {
  const fields: Field[] = [];
  for (let start = 0; start < payload.length; ) {
    const end = payload.indexOf(0, start);
    const equals = payload.indexOf(0x3d, start);
    if (end < 0 || equals < 0 || equals > end) {
      throw new GantryError('system', 'SHIM_FRAME_INVALID', 'a message of the shim is not a list of fields');
    }
    fields.push([payload.toString('utf8', start, equals), payload.toString('utf8', equals + 1, end)]);
    start = end + 1;
  }
  return fields;
}

/** The last value of `key`, undefined when absent. */
export function fieldOf(fields: readonly Field[], key: string): string | undefined {
  return fields.findLast(([name]) => name === key)?.[1];
}

/** Cuts a byte stream into frames. */
export interface FrameDecoder {
  /**
   * The frames that `chunk` completes, in order.
   * @throws SHIM_FRAME_INVALID
   */
  push(chunk: Buffer): Field[][];
}

/** A decoder at the start of a stream; holds at most one unfinished frame. */
export function createFrameDecoder(): FrameDecoder {
  let held: Buffer = Buffer.alloc(0);
  return {
    push(chunk) {
      held = held.length === 0 ? chunk : Buffer.concat([held, chunk]);
      const frames: Field[][] = [];
      while (held.length >= HEADER_BYTES) {
        const payloadBytes = payloadLength(held);
        if (held.length < HEADER_BYTES + payloadBytes) break;
        frames.push(decodePayload(held.subarray(HEADER_BYTES, HEADER_BYTES + payloadBytes)));
        held = held.subarray(HEADER_BYTES + payloadBytes);
      }
      return frames;
    },
  };
}

/**
 * The payload length that a header announces.
 * @throws SHIM_FRAME_INVALID when over MAX_PAYLOAD_BYTES
 */
export function payloadLength(header: Buffer): number {
  const bytes = header.readUInt32BE(0);
  if (bytes > MAX_PAYLOAD_BYTES) throw tooLong(bytes);
  return bytes;
}
