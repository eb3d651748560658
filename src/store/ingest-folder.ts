// Owns the folder of files that are being written before they become blobs. Verifies nothing.

import { type FileHandle, open, readdir, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { ioError } from '../lib/errno.ts';
import { randomId } from '../lib/ids.ts';

/** The most pieces that one call writes. @source IOV_MAX */
const PARTS_MAX = 1024;

/** A file to write to. Disposing it removes it, unless it was renamed. */
export interface ScratchFile extends AsyncDisposable {
  readonly path: string;
  readonly handle: FileHandle;
  /** Writes all of `parts` at `position`, or after the last write. @throws NO_SPACE and other failures, with the path */
  write(parts: readonly Uint8Array[], position?: number): Promise<void>;
}

/** Unfinished files. Those of this process are known; all others are remains of an earlier one. */
export class IngestFolder {
  readonly #dir: string;
  readonly #writing = new Set<string>();

  constructor(dir: string) {
    this.#dir = dir;
  }

  /** @throws NO_SPACE and other failures, with the path */
  async scratch(): Promise<ScratchFile> {
    const name = randomId().slice(0, 24);
    this.#writing.add(name);
    const path = join(this.#dir, name);
    const handle = await open(path, 'wx+', 0o600).catch((error) => {
      this.#writing.delete(name);
      throw ioError(error, 'open', path);
    });
    return {
      path,
      handle,
      async write(parts, position) {
        await writeParts(handle, parts, position).catch((error) => {
          throw ioError(error, 'write', path);
        });
      },
      [Symbol.asyncDispose]: async () => {
        await handle.close();
        await rm(path, { force: true });
        this.#writing.delete(name);
      },
    };
  }

  /** Removes what an earlier process left. */
  async sweep(): Promise<void> {
    for (const name of await readdir(this.#dir)) {
      if (!this.#writing.has(name)) await rm(join(this.#dir, name), { force: true, recursive: true });
    }
  }
}

async function writeParts(handle: FileHandle, parts: readonly Uint8Array[], position?: number): Promise<void> {
  let at = position;
  let left = parts;
  while (left.length > 0) {
    const batch = left.slice(0, PARTS_MAX);
    left = left.slice(PARTS_MAX);
    const total = batch.reduce((sum, { length }) => sum + length, 0);
    const { bytesWritten } = await handle.writev(batch, at);
    if (at !== undefined) at += bytesWritten;
    // The kernel may write less than all. The rest is then written as one piece.
    if (bytesWritten < total) left = [Buffer.concat(batch).subarray(bytesWritten), ...left];
  }
}
