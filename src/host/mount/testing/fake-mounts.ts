// Owns a mount door for tests: it mounts nothing, remembers what it was asked for, and fails when told to. What it hands out as an
// overlay is a descriptor of the topmost folder alone, so that what is written lands where the kernel would put it.

import { closeSync, constants, existsSync, openSync } from 'node:fs';
import { resolve } from 'node:path';
import { errno, SystemError } from '../../libc.ts';
import { overlayOptions } from '../overlay.ts';
import type { DetachedMount, Mounts, OverlayRequest } from '../types.ts';

type Verb = 'overlay' | 'memory' | 'detach';

/** The fake. `calls` has a line for each call, in order; failed ones too. */
export class FakeMounts implements Mounts {
  readonly calls: string[] = [];
  /** Overlays that are open now, by descriptor. */
  readonly open = new Map<number, OverlayRequest>();
  /** Path → sizes in bytes of the memory file systems that lie there, the lowest first. */
  readonly memories = new Map<string, number[]>();
  readonly #failures = new Map<Verb, Error>();

  /** The next call of `verb` fails with `error`. */
  failNext(verb: Verb, error: Error): void {
    this.#failures.set(verb, error);
  }

  async overlay(request: OverlayRequest): Promise<DetachedMount> {
    const folders = request.lower.map((path) => resolve(request.from, path));
    this.#begin('overlay', request.writable ? 'for writing' : 'for reading');
    overlayOptions(request);
    const { writable } = request;
    const all = writable ? [writable.upper, writable.work, ...folders] : folders;
    const missing = all.find((path) => !existsSync(path));
    if (missing !== undefined) throw new SystemError(errno.ENOENT, 'mount', 'overlay');
    const fd = openSync(all[0] ?? '/', constants.O_RDONLY | constants.O_DIRECTORY);
    this.open.set(fd, request);
    let isOpen = true;
    return {
      fd,
      [Symbol.asyncDispose]: async () => {
        // A closed descriptor's number may be another mount's by now.
        if (!isOpen) return;
        isOpen = false;
        this.open.delete(fd);
        closeSync(fd);
      },
    };
  }

  memory(path: string, sizeBytes: number): void {
    this.#begin('memory', `${path} ${sizeBytes}`);
    if (!existsSync(path)) throw new SystemError(errno.ENOENT, 'mount', path);
    this.memories.set(path, [...(this.memories.get(path) ?? []), sizeBytes]);
  }

  detach(path: string): void {
    this.#begin('detach', path);
    const left = this.memories.get(path)?.slice(0, -1) ?? [];
    if (left.length > 0) this.memories.set(path, left);
    else this.memories.delete(path);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.calls.push('end');
  }

  #begin(verb: Verb, what: string): void {
    this.calls.push(`${verb} ${what}`);
    const failure = this.#failures.get(verb);
    this.#failures.delete(verb);
    if (failure) throw failure;
  }
}
