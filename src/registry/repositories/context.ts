// Owns what the verbs of repositories share: records, store, one queue per digest and upload, listeners and guards. No verb.

import { randomUUID } from 'node:crypto';
import { KeyedQueue } from '../../lib/keyed-queue.ts';
import type { Database } from '../../store/database.ts';
import type { Storage } from '../storage/types.ts';
import type { EventListener, Log, RegistryEvent } from '../types.ts';
import { Changes } from './changes.ts';
import { Queries } from './queries.ts';
import type { Guard, Initiator } from './types.ts';

export interface RepositoriesOptions {
  readonly database: Database;
  readonly storage: Storage;
  readonly log: Log;
  /** Blobs that no manifest needs are spared so long after their upload, mount or a pusher's HEAD. */
  readonly garbageGraceMs: number;
  /** Uploads without a new byte for so long are forgotten. */
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
  readonly log: Log;
  readonly now: () => number;
  /** One change at a time to the bytes of a digest or an upload. */
  readonly queue = new KeyedQueue();
  readonly guards: Guard[] = [];
  readonly #listeners: EventListener[] = [];

  constructor(options: RepositoriesOptions) {
    this.options = options;
    this.database = options.database;
    this.storage = options.storage;
    this.log = options.log;
    this.now = options.now ?? Date.now;
    this.queries = new Queries(options.database);
    this.changes = new Changes(options.database);
  }

  listen(listener: EventListener): void {
    this.#listeners.push(listener);
  }

  /** Tells every listener. A change is told of inside its transaction; a pull changes nothing, and has none to pay for. */
  publish(event: RegistryEvent): void {
    for (const listener of this.#listeners) listener(event);
  }

  /** Tells of something that `doer` did just now. */
  happened(happening: EventDraft, doer: Initiator): void {
    const { actor, request } = doer;
    this.publish({ id: randomUUID(), at: new Date(this.now()).toISOString(), ...happening, actor, request });
  }
}
