// Owns opening a file that a command reads as a stream.

import { once } from 'node:events';
import { createReadStream, type ReadStream } from 'node:fs';
import { CommandFailure } from '../../failure.ts';

/** The file at `path`, open. @throws CommandFailure (1) in Go's words */
export async function openInput(path: string): Promise<ReadStream> {
  const stream = createReadStream(path);
  try {
    await once(stream, 'ready');
    return stream;
  } catch (error) {
    const missing = error instanceof Error && 'code' in error && error.code === 'ENOENT';
    throw new CommandFailure(1, `open ${path}: ${missing ? 'no such file or directory' : 'permission denied'}`);
  }
}
