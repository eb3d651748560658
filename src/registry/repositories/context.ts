// Owns what the verbs of repositories share: records, store, one queue for each digest and upload, listeners and guards. No verb.

import { randomUUID } from 'node:crypto';
import { KeyedQueue } from '../../lib/keyed-queue.ts';
import type { Database } from '../../store/database.ts';
import type { Storage } from '../storage/types.ts';
import type { EventListener, Log, RegistryEvent } from '../types.ts';
import { Changes } from './changes.ts';
import { ManifestBytes } from './manifest-bytes.ts';
import { Queries } from './queries.ts';
import type { Guard, Hooks, Initiator, Publisher } from './types.ts';

export interface RepositoriesOptions {
  readonly database: Database;
  readonly storage: Storage;
  readonly log: Log;
  /** How long a claim protects a blob that no manifest needs, after its upload, mount or a pusher's HEAD. */
  readonly garbageGraceMs: number;
  /** Uploads without a new byte for this time are removed. */
  readonly uploadExpiryMs: number;
  readonly maxManifestBytes: number;
  readonly maxBlobBytes: number;
  /** Unix milliseconds. */
  readonly now?: (() => number) | undefined;
}

/** An event without what every event has. */
export type EventDraft = Omit<RegistryEvent, 'id' | 'at' | 'actor' | 'request'>;

/** Shared by the verbs. */
export class Context {
  readonly options: RepositoriesOptions;
  readonly database: Database;
  readonly storage: Storage;
  readonly queries: Queries;
  readonly changes: Changes;
  readonly manifestBytes: ManifestBytes;
  readonly log: Log;
  readonly now: () => number;
  /** Changes to the bytes of one digest or one upload run one at a time. */
  readonly queue = new KeyedQueue();
  readonly guards: Guard[] = [];
  readonly #listeners: EventListener[] = [];
  readonly #garbageListeners: (() => void)[] = [];

  constructor(options: RepositoriesOptions) {
    this.options = options;
    this.database = options.database;
    this.storage = options.storage;
    this.log = options.log;
    this.now = options.now ?? Date.now;
    this.queries = new Queries(options.database);
    this.changes = new Changes(options.database);
    this.manifestBytes = new ManifestBytes(options.storage, options.maxManifestBytes);
  }

  listen(listener: EventListener): void {
    this.#listeners.push(listener);
  }

  onGarbage(listener: () => void): void {
    this.#garbageListeners.push(listener);
  }

  /** Calls the listeners of garbage. */
  announceGarbage(): void {
    for (const listener of this.#garbageListeners) listener();
  }

  /** Calls every listener. The event of a change is published inside its transaction; a pull has no transaction. */
  publish(event: RegistryEvent): void {
    for (const listener of this.#listeners) listener(event);
  }

  /** Publishes the event of what `doer` did just now. */
  happened(happening: EventDraft, doer: Initiator): void {
    const { actor, request } = doer;
    this.publish({ id: randomUUID(), at: new Date(this.now()).toISOString(), ...happening, actor, request });
  }
}

/** Where other parts hook into the verbs. */
export function hooks(context: Context): Hooks & Publisher {
  return {
    listen: (listener) => context.listen(listener),
    guard: (guard) => void context.guards.push(guard),
    onGarbage: (listener) => context.onGarbage(listener),
    publish: (event) => context.publish(event),
  };
}
