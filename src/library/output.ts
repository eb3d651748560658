// Owns collecting a container's framed output. Bounded: a program that wants more reads the stream itself.

import type { Readable } from 'node:stream';
import { GantryError } from '../lib/errors.ts';
import { createFrameDecoder } from '../spec/stream/frames.ts';

const MOST_BYTES = 256 * 1024 * 1024;

/** Everything written to each stream until the end. @throws OUTPUT_TOO_LARGE beyond 256 MiB */
export async function demultiplex(stream: Readable): Promise<{ readonly stdout: Buffer; readonly stderr: Buffer }> {
  const decoder = createFrameDecoder();
  const parts: Record<'stdout' | 'stderr', Uint8Array[]> = { stdout: [], stderr: [] };
  let bytes = 0;
  for await (const chunk of stream) {
    for (const { stream: name, payload } of decoder.push(chunk as Buffer)) {
      bytes += payload.length;
      if (bytes > MOST_BYTES)
        throw new GantryError('exhausted', 'OUTPUT_TOO_LARGE', 'the container wrote over 256 MiB');
      parts[name === 'stderr' ? 'stderr' : 'stdout'].push(payload);
    }
  }
  return { stdout: Buffer.concat(parts.stdout), stderr: Buffer.concat(parts.stderr) };
}
