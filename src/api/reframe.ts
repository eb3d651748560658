// Owns turning output with Docker's frames into output without, and the reverse. Knows no connection.

import { Transform } from 'node:stream';
import { createFrameDecoder, encodeFrameHeader } from '../spec/stream/frames.ts';

/**
 * What stands between a process's output and a client that expects the other form: the process has a terminal or not by the exec's
 * creation, the client expects frames or not by its start. Undefined when both agree.
 * @source dockerd 28.5: exec created with Tty and started without, and the reverse
 */
export function reframing(
  process: { readonly tty: boolean },
  client: { readonly tty: boolean },
): Transform | undefined {
  if (process.tty === client.tty) return undefined;
  return client.tty ? unframed() : framed();
}

/** A terminal's output is all stdout. */
function framed(): Transform {
  return new Transform({
    transform(chunk: Buffer, _encoding, done) {
      this.push(encodeFrameHeader('stdout', chunk.length));
      done(null, chunk);
    },
  });
}

function unframed(): Transform {
  const decoder = createFrameDecoder();
  return new Transform({
    transform(chunk: Buffer, _encoding, done) {
      for (const { payload } of decoder.push(chunk)) this.push(payload);
      done();
    },
  });
}
