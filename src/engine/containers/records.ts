// Owns the stored containers: the table, the lookup by id, name and prefix, and name reservation. The only writer of both.

import { GantryError } from '../../lib/errors.ts';
import { findByRef } from '../../lib/find-by-ref.ts';
import { randomName } from '../../lib/ids.ts';
import { type Database, isDiskFailure, type Migrations } from '../../store/database.ts';
import { ambiguousId, nameTaken, noSuchContainer } from './errors.ts';
import { ENDPOINTS_JSON, SPEC_JSON, STATE_JSON } from './record-json.ts';
import { isAlive } from './state.ts';
import type { ContainerId, ContainerRecord, ContainerState } from './types.ts';

/**
 * `spec` is the record as JSON without the two parts that change during its life; those are rewritten alone, so that
 * a start or an exit costs one small row update.
 */
const CONTAINER_MIGRATIONS: Migrations = {
  name: 'containers',
  steps: [
    `CREATE TABLE containers (
       id TEXT PRIMARY KEY,
       name TEXT NOT NULL UNIQUE,
       created TEXT NOT NULL,
       spec TEXT NOT NULL,
       state TEXT NOT NULL,
       endpoints TEXT NOT NULL
     ) STRICT`,
    // JSON says its version from here on: a program that does not know that stops here.
    'SELECT 1',
  ],
};

const RETRY_MS = 5000;

/** Stored containers, all in memory too: reads never touch the disk. */
export class ContainerRecords implements Disposable {
  readonly #db: Database;
  readonly #byId = new Map<ContainerId, ContainerRecord>();
  readonly #idByName = new Map<string, ContainerId>();
  /** Changed in memory only. */
  readonly #unwritten = new Set<ContainerId>();
  #retry: NodeJS.Timeout | undefined;

  constructor(db: Database) {
    this.#db = db;
    db.migrate(CONTAINER_MIGRATIONS);
    for (const row of db.sql('SELECT id, name, spec, state, endpoints FROM containers ORDER BY created').all()) {
      const [id, name] = [String(row.id), String(row.name)];
      this.#remember({
        ...SPEC_JSON.read(String(row.spec), id),
        id,
        name,
        state: STATE_JSON.read(String(row.state), id),
        endpoints: ENDPOINTS_JSON.read(String(row.endpoints), id),
      });
    }
  }

  /** Oldest first. */
  all(): readonly ContainerRecord[] {
    return [...this.#byId.values()];
  }

  byId(id: ContainerId): ContainerRecord | undefined {
    return this.#byId.get(id);
  }

  /**
   * Looks up a full id, then a name (leading slash optional), then a unique id prefix.
   * @throws NO_SUCH_CONTAINER, AMBIGUOUS_ID
   */
  find(ref: string): ContainerRecord {
    const found = findByRef(ref, {
      exact: () => this.#byId.get(ref) ?? this.#byId.get(this.#idByName.get(ref.replace(/^\//, '')) ?? ''),
      startingWith: (prefix) => this.all().filter(({ id }) => id.startsWith(prefix)),
    });
    if (found.kind === 'one') return found.item;
    throw found.kind === 'many' ? ambiguousId(ref) : noSuchContainer(ref);
  }

  /** Those that have a process. */
  alive(): readonly ContainerRecord[] {
    return this.all().filter(({ state }) => isAlive(state.phase));
  }

  /** How many are in each of Docker's three states. */
  counts(): { readonly running: number; readonly paused: number; readonly stopped: number } {
    const all = this.all();
    const running = all.filter(({ state: { phase } }) => phase === 'running' || phase === 'restarting').length;
    const paused = all.filter(({ state: { phase } }) => phase === 'paused').length;
    return { running, paused, stopped: all.length - running - paused };
  }

  /** The containers that were made from an image. */
  ofImage(imageId: string): readonly { readonly containerId: ContainerId; readonly running: boolean }[] {
    return this.all()
      .filter((record) => record.imageId === imageId)
      .map(({ id, state: { phase } }) => ({ containerId: id, running: phase === 'running' || phase === 'paused' }));
  }

  /** The containers that mount a volume. */
  ofVolume(name: string): readonly ContainerId[] {
    return this.all()
      .filter(({ mounts }) => mounts.some((mount) => mount.name === name))
      .map(({ id }) => id);
  }

  /** @throws CONTAINER_NAME_TAKEN */
  checkNameFree(name: string): void {
    const holder = this.#idByName.get(name);
    if (holder) throw nameTaken(name, holder);
  }

  /** A generated name that nobody holds. */
  freeName(): string {
    for (let attempt = 0; attempt < 50; attempt++) {
      const name = randomName(attempt);
      if (!this.#idByName.has(name)) return name;
    }
    throw new GantryError('exhausted', 'NO_FREE_NAME', 'could not generate a free container name');
  }

  /** Writes what waits, once more; for the end of the engine. */
  [Symbol.dispose](): void {
    this.#write();
    clearTimeout(this.#retry);
  }

  insert(record: ContainerRecord): void {
    this.checkNameFree(record.name);
    const { id, name, state, endpoints, ...spec } = record;
    this.#db
      .sql('INSERT INTO containers (id, name, created, spec, state, endpoints) VALUES (?, ?, ?, ?, ?, ?)')
      .run(id, name, record.created, SPEC_JSON.write(spec), STATE_JSON.write(state), ENDPOINTS_JSON.write(endpoints));
    this.#remember(record);
  }

  /** Changes the parts that live with a run. @returns the new record, or undefined when it is gone */
  update(
    id: ContainerId,
    change: { readonly state?: Partial<ContainerState>; readonly endpoints?: ContainerRecord['endpoints'] },
  ): ContainerRecord | undefined {
    const old = this.#byId.get(id);
    if (!old) return undefined;
    const record = { ...old, state: { ...old.state, ...change.state }, endpoints: change.endpoints ?? old.endpoints };
    this.#byId.set(id, record);
    this.#unwritten.add(id);
    this.#write();
    return record;
  }

  /**
   * A run has ended, or stopped, whether the disk takes the news or not: what cannot be written is kept, tried again, and found out
   * by the next engine at worst.
   */
  #write(): void {
    clearTimeout(this.#retry);
    for (const id of this.#unwritten) {
      const record = this.#byId.get(id);
      try {
        if (record) {
          this.#db
            .sql('UPDATE containers SET state = ?, endpoints = ? WHERE id = ?')
            .run(STATE_JSON.write(record.state), ENDPOINTS_JSON.write(record.endpoints), id);
        }
      } catch (error) {
        if (!isDiskFailure(error)) throw error;
        this.#retry = setTimeout(() => this.#write(), RETRY_MS).unref();
        return;
      }
      this.#unwritten.delete(id);
    }
  }

  /** @throws CONTAINER_NAME_TAKEN */
  rename(id: ContainerId, name: string): void {
    const old = this.#byId.get(id);
    if (!old) throw noSuchContainer(id);
    this.checkNameFree(name);
    this.#db.sql('UPDATE containers SET name = ? WHERE id = ?').run(name, id);
    this.#idByName.delete(old.name);
    this.#remember({ ...old, name });
  }

  /** Removes the container in one transaction with `alongside`. */
  remove(id: ContainerId, alongside: () => void = () => undefined): void {
    const old = this.#byId.get(id);
    if (!old) return;
    this.#db.transaction(() => {
      this.#db.sql('DELETE FROM containers WHERE id = ?').run(id);
      alongside();
    });
    this.#byId.delete(id);
    this.#idByName.delete(old.name);
  }

  #remember(record: ContainerRecord): void {
    this.#byId.set(record.id, record);
    this.#idByName.set(record.name, record.id);
  }
}
