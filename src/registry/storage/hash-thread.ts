// Owns the main thread's side of the hashing thread: started at the first large upload, given bytes to keep, asked for digests.

import { Worker } from 'node:worker_threads';
import { hasOwnMemory } from '../../lib/give-back.ts';

/** To the thread. `digest` may be asked for again: it takes nothing away. */
export type ToHasher =
  | { readonly kind: 'pieces'; readonly id: number; readonly pieces: readonly Uint8Array[] }
  | { readonly kind: 'digest'; readonly id: number }
  | { readonly kind: 'forget'; readonly id: number };

/** From the thread. */
export type FromHasher =
  | { readonly kind: 'hashed'; readonly bytes: number }
  | { readonly kind: 'digest'; readonly id: number; readonly hex: string | undefined };

/** Bytes that were given and not yet hashed: with more, who brings some waits. */
const WAITING_MAX_BYTES = 16 << 20;

/** One sha256 that is made on the thread. */
export interface ThreadHash {
  /** Takes bytes, and their memory where `isHandedOver`. Resolves when there is room for more. */
  update(pieces: readonly Uint8Array[], isHandedOver: boolean): Promise<void>;
  /** The hash so far in hex, or undefined when the thread was lost. */
  digest(): Promise<string | undefined>;
  forget(): void;
}

/** Makes hashes on one thread. */
export class HashThread implements AsyncDisposable {
  #hasher: Hasher | undefined;
  #lastId = 0;

  begin(): ThreadHash {
    if (!this.#hasher || this.#hasher.isLost) this.#hasher = new Hasher();
    const hasher = this.#hasher;
    const id = ++this.#lastId;
    return {
      update: (pieces, isHandedOver) => hasher.update(id, pieces, isHandedOver),
      digest: () => hasher.digest(id),
      forget: () => hasher.forget(id),
    };
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#hasher?.end();
    this.#hasher = undefined;
  }
}

/** One life of the thread. Whatever ends it, all callers that wait are answered. */
class Hasher {
  isLost = false;
  readonly #worker = new Worker(workerUrl());
  readonly #asked = new Map<number, PromiseWithResolvers<string | undefined>>();
  #waitingBytes = 0;
  #room: PromiseWithResolvers<void> | undefined;

  constructor() {
    this.#worker.on('message', (message: FromHasher) => this.#hear(message));
    this.#worker.on('error', () => this.#lose());
    this.#worker.on('exit', () => this.#lose());
  }

  async update(id: number, pieces: readonly Uint8Array[], isHandedOver: boolean): Promise<void> {
    if (this.isLost) return;
    const own = pieces.map((piece) => (isHandedOver && hasOwnMemory(piece) ? piece : Uint8Array.from(piece)));
    this.#waitingBytes += own.reduce((total, piece) => total + piece.length, 0);
    this.#post(
      { kind: 'pieces', id, pieces: own },
      own.map((piece) => piece.buffer as ArrayBuffer),
    );
    if (this.#waitingBytes <= WAITING_MAX_BYTES) return;
    this.#room ??= Promise.withResolvers();
    await this.#room.promise;
  }

  digest(id: number): Promise<string | undefined> {
    if (this.isLost) return Promise.resolve(undefined);
    const asked = this.#asked.get(id) ?? Promise.withResolvers<string | undefined>();
    this.#asked.set(id, asked);
    this.#post({ kind: 'digest', id });
    return asked.promise;
  }

  forget(id: number): void {
    if (!this.isLost) this.#post({ kind: 'forget', id });
  }

  async end(): Promise<void> {
    this.#lose();
    await this.#worker.terminate();
  }

  #post(message: ToHasher, transfer: readonly ArrayBuffer[] = []): void {
    this.#worker.postMessage(message, transfer);
  }

  #hear(message: FromHasher): void {
    if (message.kind === 'digest') {
      this.#asked.get(message.id)?.resolve(message.hex);
      this.#asked.delete(message.id);
      return;
    }
    this.#waitingBytes -= message.bytes;
    if (this.#waitingBytes <= WAITING_MAX_BYTES / 2) this.#makeRoom();
  }

  #makeRoom(): void {
    this.#room?.resolve();
    this.#room = undefined;
  }

  #lose(): void {
    this.isLost = true;
    for (const asked of this.#asked.values()) asked.resolve(undefined);
    this.#asked.clear();
    this.#makeRoom();
  }
}

/** The worker's own file: beside this one as source, beside the bundle when bundled. */
function workerUrl(): URL {
  return new URL(import.meta.url.endsWith('.ts') ? './hash.worker.ts' : './hash.worker.js', import.meta.url);
}
