// Owns Docker's eight-byte stream frames (attach, exec and logs without a terminal). Knows nothing of sockets.
import { GantryError } from '../../lib/errors.ts';

/** Which output a frame belongs to; `systemError` carries a message of the daemon itself. */
export type FrameStream = 'stdin' | 'stdout' | 'stderr' | 'systemError';

/** A piece of one stream. A large frame may arrive as several pieces, in order. */
export interface FramePiece {
  readonly stream: FrameStream;
  readonly payload: Uint8Array;
}

const HEADER_BYTES = 8;
const STREAMS: readonly FrameStream[] = ['stdin', 'stdout', 'stderr', 'systemError'];

/**
 * The header before a payload of `payloadBytes`: stream number, three zeros, big-endian length.
 * @source Engine API, "Attach to a container", stream format
 */
export function encodeFrameHeader(stream: FrameStream, payloadBytes: number): Uint8Array {
  const header = new Uint8Array(HEADER_BYTES);
  header[0] = STREAMS.indexOf(stream);
  new DataView(header.buffer).setUint32(4, payloadBytes);
  return header;
}

/** `text` as output: plain bytes of a terminal, else one frame of stdout. */
export function encodeOutput(text: string, tty: boolean): Buffer {
  const bytes = Buffer.from(text);
  return tty ? bytes : Buffer.concat([encodeFrameHeader('stdout', bytes.length), bytes]);
}

/** Splits a byte stream into frame pieces. Holds at most one header, never a payload. */
export interface FrameDecoder {
  /**
   * The pieces that `chunk` completes; payloads are views into `chunk`.
   * @throws FRAME_UNKNOWN_STREAM when a header's first byte is none of 0 to 3
   */
  push(chunk: Uint8Array): FramePiece[];
  /** @throws FRAME_TRUNCATED when the stream ended inside a frame */
  end(): void;
}

/** A decoder at the start of a stream. */
export function createFrameDecoder(): FrameDecoder {
  const header = new Uint8Array(HEADER_BYTES);
  let headerFilled = 0;
  let stream: FrameStream = 'stdout';
  let payloadLeft = 0;

  const readHeader = (chunk: Uint8Array, at: number): number => {
    const take = Math.min(HEADER_BYTES - headerFilled, chunk.length - at);
    header.set(chunk.subarray(at, at + take), headerFilled);
    headerFilled += take;
    if (headerFilled === HEADER_BYTES) {
      stream = streamOf(header[0] ?? 0);
      payloadLeft = new DataView(header.buffer).getUint32(4);
      if (payloadLeft === 0) headerFilled = 0;
    }
    return at + take;
  };

  return {
    push(chunk) {
      const pieces: FramePiece[] = [];
      let at = 0;
      while (at < chunk.length) {
        if (headerFilled < HEADER_BYTES) {
          at = readHeader(chunk, at);
          continue;
        }
        const payload = chunk.subarray(at, at + payloadLeft);
        at += payload.length;
        payloadLeft -= payload.length;
        if (payloadLeft === 0) headerFilled = 0;
        pieces.push({ stream, payload });
      }
      return pieces;
    },
    end() {
      if (headerFilled > 0) {
        throw new GantryError('system', 'FRAME_TRUNCATED', 'the stream ended in the middle of a frame', {
          params: { payloadBytesMissing: payloadLeft },
        });
      }
    },
  };
}

function streamOf(number: number): FrameStream {
  const stream = STREAMS[number];
  if (stream === undefined) {
    throw new GantryError('invalid', 'FRAME_UNKNOWN_STREAM', `Unrecognized input header: ${number}`, {
      params: { number },
    });
  }
  return stream;
}
