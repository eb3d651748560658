// Owns opening a file that a command reads as a stream.

import { once } from 'node:events';
import { createReadStream, type ReadStream, statSync } from 'node:fs';
import { CommandFailure } from '../../failure.ts';
import { systemReason } from '../../system-reason.ts';

/** The file at `path`, open. @throws CommandFailure (1) in Go's words */
export async function openInput(path: string): Promise<ReadStream> {
  const stream = createReadStream(path);
  try {
    await once(stream, 'ready');
  } catch (error) {
    throw new CommandFailure(1, `open ${path}: ${systemReason(error)}`);
  }
  if (!statSync(path).isDirectory()) return stream;
  stream.destroy();
  throw new CommandFailure(1, `read ${path}: is a directory`);
}
