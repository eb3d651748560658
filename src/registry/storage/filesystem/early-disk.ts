// Owns having the disk begin with an upload while it still arrives: else the kernel keeps it all in memory until the end, and the
// client waits there for every byte once more. Writes and reads nothing itself.

import type { FileHandle } from 'node:fs/promises';
import { libc } from '../../../host/libc.ts';

/** Less is not worth a trip to the thread pool. */
const STEP_BYTES = 8 << 20;
const SYNC_FILE_RANGE_WRITE = 2;

/** The call waits where the disk's queue is full: one at a time, so that the thread pool stays with the uploads. */
let isBusy = false;

/** One file that grows at its end. */
export class EarlyDisk {
  readonly #handle: FileHandle;
  #begunBytes: number;
  #running: Promise<unknown> | undefined;

  constructor(handle: FileHandle, sizeBytes: number) {
    this.#handle = handle;
    this.#begunBytes = sizeBytes;
  }

  /** The file is `sizeBytes` long now. */
  wrote(sizeBytes: number): void {
    const length = sizeBytes - this.#begunBytes;
    if (length < STEP_BYTES || isBusy) return;
    isBusy = true;
    this.#running = libc
      .syncFileRangeOffThread(this.#handle.fd, this.#begunBytes, length, SYNC_FILE_RANGE_WRITE)
      .finally(() => {
        isBusy = false;
      });
    this.#begunBytes = sizeBytes;
  }

  /** Waits for the call that is under way: the file may be closed then. */
  async settled(): Promise<void> {
    await this.#running;
  }
}
