// Owns what all image verbs share: records, layers, blobs, events, and giving space back.

import { formatNano } from '../../lib/clock.ts';
import { findByRef } from '../../lib/find-by-ref.ts';
import type { Digest } from '../../spec/digest.ts';
import type { ImageFacts } from '../../spec/oci/image-config.ts';
import {
  canonicalReference,
  familiarReference,
  parseReference,
  type Reference,
  requireTaggable,
  withDefaultTag,
} from '../../spec/reference.ts';
import type { Blobs } from '../../store/blobs.ts';
import type { Events } from '../events/types.ts';
import type { Documents } from './documents.ts';
import { noSuchImage } from './errors.ts';
import type { Layers } from './layers.ts';
import type { ImageRecords } from './records.ts';
import type { ImageRecord, ImageUsers } from './types.ts';

export interface ImageContextParts {
  readonly records: ImageRecords;
  readonly layers: Layers;
  readonly blobs: Blobs;
  readonly documents: Documents;
  readonly users: ImageUsers;
  readonly publish: Events['publish'];
  /** Unix nanoseconds. */
  readonly now: () => bigint;
}

/** The shared ground of the image verbs. */
export class ImageContext {
  readonly records: ImageRecords;
  readonly layers: Layers;
  readonly blobs: Blobs;
  readonly documents: Documents;
  readonly users: ImageUsers;
  readonly #publish: Events['publish'];
  readonly #now: () => bigint;
  /** Running verbs that bring blobs which no record names yet. */
  #bringing = 0;
  #sweepAgain = false;
  #sweeping: Promise<void> | undefined;
  readonly #leases = new Map<Digest, number>();

  constructor(parts: ImageContextParts) {
    this.records = parts.records;
    this.layers = parts.layers;
    this.blobs = parts.blobs;
    this.documents = parts.documents;
    this.users = parts.users;
    this.#publish = parts.publish;
    this.#now = parts.now;
  }

  /** RFC 3339 now. */
  nowText(): string {
    return formatNano(this.#now());
  }

  /** Publishes an image event with Docker's attributes: the image's labels and `name`. */
  event(action: string, actorId: string, name: string, labels?: Readonly<Record<string, string>> | null): void {
    this.#publish({ type: 'image', action, actorId, attributes: name === '' ? (labels ?? {}) : { ...labels, name } });
  }

  /** An event that is not about one image. */
  plainEvent(action: string, attributes: Readonly<Record<string, string>>): void {
    this.#publish({ type: 'image', action, actorId: '', attributes });
  }

  /** @throws NO_SUCH_IMAGE, INVALID_REFERENCE */
  find(text: string): ImageRecord {
    const id = this.#lookup(text);
    const record = id && this.records.get(id);
    if (!record) throw noSuchImage(missingName(text));
    return record;
  }

  /** A full id, then a name, then a unique id prefix. */
  #lookup(text: string): Digest | undefined {
    const full = /^(?:sha256:)?([0-9a-f]{64})$/.exec(text);
    if (full) return `sha256:${full[1]}` as Digest;
    const named = (): Digest | undefined =>
      this.records.resolve(canonicalReference(withoutTagOfDigest(withDefaultTag(parseReference(text)))));
    const found = findByRef(text.replace(/^sha256:/, ''), {
      exact: named,
      startingWith: (prefix) => this.records.startingWith(prefix),
    });
    return found.kind === 'one' ? found.item : undefined;
  }

  /** Notes an image whose layers are all there. Bytes of the configuration must be in the blob store already. */
  register(id: Digest, facts: ImageFacts, blobs: readonly Digest[]): ImageRecord {
    const sizeBytes = facts.diffIds.reduce((sum, diffId) => sum + (this.layers.get(diffId)?.sizeBytes ?? 0), 0);
    this.records.add({ id, facts, sizeBytes, blobs: [id, ...blobs] });
    const record = this.records.get(id);
    if (!record) throw new Error(`image ${id} vanished while being noted`);
    return record;
  }

  /** Points a tag at an image. @throws INVALID_REFERENCE for a name that reads as a digest */
  setTag(reference: Reference, id: Digest): void {
    requireTaggable(reference);
    this.records.setRef(canonicalReference(reference), id, this.nowText());
  }

  /** Counts a verb that brings content, so that no sweep takes away what is not yet named. */
  async bringing(): Promise<AsyncDisposable> {
    while (this.#sweeping) await this.#sweeping;
    this.#bringing++;
    return {
      [Symbol.asyncDispose]: async () => {
        this.#bringing--;
        if (this.#bringing === 0 && this.#sweepAgain) await this.trySweep();
      },
    };
  }

  /** Keeps an image's layers, even when it is removed, until disposed. */
  leased(id: Digest): AsyncDisposable {
    this.#leases.set(id, (this.#leases.get(id) ?? 0) + 1);
    let released = false;
    return {
      [Symbol.asyncDispose]: async () => {
        if (released) return;
        released = true;
        const left = (this.#leases.get(id) ?? 0) - 1;
        if (left > 0) this.#leases.set(id, left);
        else {
          this.#leases.delete(id);
          if (this.records.stored(id)?.removed) await this.trySweep();
        }
      },
    };
  }

  isUsed(id: Digest): boolean {
    return this.#leases.has(id) || this.users.usersOf(id).length > 0;
  }

  /** Gives back the space of everything that no image needs. Resolves to the bytes of the layers that went. */
  async sweep(): Promise<number> {
    for (const { id, removed } of this.records.allStored()) {
      if (removed && !this.isUsed(id)) this.records.remove(id, false);
    }
    const images = this.records.allStored();
    const layersOf = (some: typeof images): Set<Digest> => new Set(some.flatMap(({ facts }) => facts.diffIds));
    const mounted = (): Set<Digest> => layersOf(images.filter(({ id }) => this.#isMounted(id)));
    const bytes = await this.layers.sweep(layersOf(images), mounted);
    this.#sweepAgain = this.#bringing > 0;
    if (this.#sweepAgain) return bytes;
    this.#sweeping ??= this.#sweepBlobs().finally(() => {
      this.#sweeping = undefined;
    });
    await this.#sweeping;
    return bytes;
  }

  /** As sweep, but what cannot be removed now stays for the next one: for a verb that has something else to tell. */
  async trySweep(): Promise<void> {
    await this.sweep().catch(() => {});
  }

  #isMounted(id: Digest): boolean {
    return this.#leases.has(id) || this.users.usersOf(id).some(({ running }) => running);
  }

  /** Runs only while no verb brings content: bringing() waits for it. */
  async #sweepBlobs(): Promise<void> {
    const wanted = new Set(this.records.allStored().flatMap(({ blobs }) => blobs));
    for (const digest of await this.blobs.list()) if (!wanted.has(digest)) await this.blobs.remove(digest);
    await this.blobs.sweepIngest();
  }
}

/** A digest decides alone: `name:tag@digest` is kept as `name@digest`. */
export function withoutTagOfDigest(reference: Reference): Reference {
  return reference.digest === undefined ? reference : { ...reference, tag: undefined };
}

/** The name in `No such image`. */
function missingName(text: string): string {
  if (/^[0-9a-f]{64}$/.test(text)) return `sha256:${text}`;
  if (text.startsWith('sha256:')) return text;
  return familiarReference(withDefaultTag(parseReference(text)));
}
