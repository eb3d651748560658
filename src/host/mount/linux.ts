// Owns the real mount door: overlay file systems made by a thread that starts at the first one, memory file systems by this one.

import { Worker } from 'node:worker_threads';
import { GantryError } from '../../lib/errors.ts';
import { makeFolders } from '../../lib/make-folders.ts';
import { errno, libc, MNT_DETACH, MS_NODEV, MS_NOEXEC, MS_NOSUID, must, SystemError } from '../libc.ts';
import type { FromMounter, ToMounter } from './mount.worker.ts';
import { overlayOptions } from './overlay.ts';
import type { DetachedMount, Mounts, OverlayRequest } from './types.ts';

/** A mount of local folders takes a millisecond; folders of a dead network file system can hold it. */
const LIMIT_MS = 60_000;

/** The door of this host. `folder` is one of our own; mounts are made over folders in it. */
export function linuxMounts(folder: string): Mounts {
  return new LinuxMounts(folder);
}

class LinuxMounts implements Mounts {
  readonly #folder: string;
  #mounter: Promise<Mounter> | undefined;

  constructor(folder: string) {
    this.#folder = folder;
  }

  async overlay(request: OverlayRequest): Promise<DetachedMount> {
    const readOnly = request.writable === undefined;
    const mounter = await this.#start();
    // The kernel wants two lower folders where there is no upper one.
    const lower = readOnly ? [...request.lower, mounter.empty] : request.lower;
    const options = overlayOptions({ lower, writable: request.writable });
    const fd = await mounter.mount({ from: request.from, options, readOnly });
    let open = true;
    return {
      fd,
      async [Symbol.asyncDispose]() {
        if (!open) return;
        open = false;
        // With the last descriptor the kernel unmounts, which waits for a grace period.
        await libc.closeOffThread(fd);
      },
    };
  }

  memory(path: string, sizeBytes: number): void {
    const data = `mode=1777,size=${sizeBytes}`;
    must(libc.mount('shm', path, 'tmpfs', MS_NOSUID | MS_NODEV | MS_NOEXEC, data), 'mount', path);
  }

  detach(path: string): void {
    const result = libc.umount2(path, MNT_DETACH);
    if (result < 0 && result !== -errno.EINVAL && result !== -errno.ENOENT) must(result, 'umount', path);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    const mounter = await this.#mounter?.catch(() => undefined);
    await mounter?.end();
  }

  #start(): Promise<Mounter> {
    this.#mounter ??= startMounter(this.#folder, () => {
      this.#mounter = undefined;
    });
    return this.#mounter;
  }
}

/** The thread that mounts. */
interface Mounter {
  /** A folder with nothing in it. */
  readonly empty: string;
  mount(request: Omit<ToMounter, 'id'>): Promise<number>;
  end(): Promise<void>;
}

async function startMounter(folder: string, onLost: () => void): Promise<Mounter> {
  const place = `${folder}/place`;
  const empty = `${folder}/empty`;
  await makeFolders(place, 0o700);
  await makeFolders(empty, 0o755);
  const worker = new Worker(workerUrl(), { workerData: { place } });
  worker.unref();
  const asked = new Map<number, PromiseWithResolvers<number>>();
  let lastId = 0;
  const lose = (reason: Error): void => {
    onLost();
    for (const { reject } of asked.values()) reject(reason);
    asked.clear();
  };
  worker.on('message', (answer: FromMounter) => {
    const asker = asked.get(answer.id);
    asked.delete(answer.id);
    if ('fd' in answer) {
      // Nobody waits any more for one that took too long.
      if (asker) asker.resolve(answer.fd);
      else libc.close(answer.fd);
    } else asker?.reject(new SystemError(answer.errno, answer.syscall, 'overlay'));
  });
  worker.on('error', lose);
  worker.on('exit', () => lose(new Error('the mounting thread ended')));
  return {
    empty,
    async mount(request) {
      const id = ++lastId;
      const answer = Promise.withResolvers<number>();
      asked.set(id, answer);
      const timer = setTimeout(() => {
        asked.delete(id);
        answer.reject(timedOut());
      }, LIMIT_MS);
      worker.postMessage({ ...request, id } satisfies ToMounter);
      try {
        return await answer.promise;
      } finally {
        clearTimeout(timer);
      }
    },
    end: async () => void (await worker.terminate()),
  };
}

function timedOut(): GantryError {
  return new GantryError('unavailable', 'MOUNT_TIMEOUT', `mounting the layers took over ${LIMIT_MS / 1000} s`, {
    hint: 'the disk under the data root does not answer',
  });
}

/** The worker's own file: beside this one as source, beside the bundle when bundled. */
function workerUrl(): URL {
  return new URL(import.meta.url.endsWith('.ts') ? './mount.worker.ts' : './mount.worker.js', import.meta.url);
}
