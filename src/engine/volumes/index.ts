// Owns named and anonymous volumes of the local driver: records, their folders, first-use copy. Refuses other drivers.

import { mkdirSync, readdirSync } from 'node:fs';
import { mkdir, readdir, rename } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import * as v from 'valibot';
import { removeTree } from '../../host/remove-tree.ts';
import { formatNano, nowNano } from '../../lib/clock.ts';
import { GantryError, isGantryError } from '../../lib/errors.ts';
import { randomId } from '../../lib/ids.ts';
import { KeyedQueue } from '../../lib/keyed-queue.ts';
import { passesLabels } from '../../spec/docker/filters.ts';
import type { Database, Migrations } from '../../store/database.ts';
import { storedJson } from '../../store/stored-json.ts';
import type { Events } from '../events/types.ts';
import { folderBytes } from './size.ts';
import type { OwnedVolumes, VolumeCreateRequest, VolumeRecord } from './types.ts';

export { folderBytes } from './size.ts';
export type { OwnedVolumes, VolumeCreateRequest, VolumeRecord } from './types.ts';

const MIGRATIONS: Migrations = {
  name: 'volumes',
  steps: [
    `CREATE TABLE volumes (
       name TEXT PRIMARY KEY, created TEXT NOT NULL, labels TEXT NOT NULL, anonymous INTEGER NOT NULL
     ) STRICT`,
    // The container that an anonymous volume was made for, and which takes it along when it is removed; NULL = nobody does.
    'ALTER TABLE volumes ADD COLUMN owner TEXT',
    // JSON says its version from here on: a program that does not know that stops here.
    'SELECT 1',
  ],
};

const LABELS_JSON = storedJson('the labels of volume', v.record(v.string(), v.string()));

/** Marks volumes without a given name. @source dockerd 28.5 */
const ANONYMOUS_LABEL = 'com.docker.volume.anonymous';
/** Options that Docker's local driver knows. @source dockerd 28.5 */
const LOCAL_OPTIONS: ReadonlySet<string> = new Set(['type', 'o', 'device', 'size']);
const NAME = /^[a-zA-Z0-9][a-zA-Z0-9_.-]+$/;

export interface VolumesDeps {
  readonly db: Database;
  /** Folder that holds `<name>/_data`. */
  readonly dir: string;
  readonly publish: Events['publish'];
  /** Ids of containers that mount a volume. */
  readonly usersOf: (name: string) => readonly string[];
}

/** Folders of removed volumes are called so until they are empty; no volume's name begins with a dot. */
const RUBBISH = '.removed-';
/** Others than root pass a volume's folder and see its data. @source dockerd 28.5 */
const FOLDER_MODE = 0o701;
const DATA_MODE = 0o755;

/** Makes the volume capability; finishes removals that the last engine did not. */
export function createVolumes(deps: VolumesDeps): OwnedVolumes {
  deps.db.migrate(MIGRATIONS);
  for (const name of readdirSync(deps.dir)) {
    if (name.startsWith(RUBBISH)) void removeTree(join(deps.dir, name)).catch(() => undefined);
  }
  return new LocalVolumes(deps);
}

class LocalVolumes implements OwnedVolumes {
  readonly #deps: VolumesDeps;
  readonly #queue = new KeyedQueue();
  readonly #records = new Map<string, VolumeRecord>();
  /** Name of an owned volume → its container. */
  readonly #owners = new Map<string, string>();

  constructor(deps: VolumesDeps) {
    this.#deps = deps;
    for (const row of deps.db.sql('SELECT * FROM volumes ORDER BY name').all()) {
      const name = String(row.name);
      const labels = LABELS_JSON.read(String(row.labels), name);
      const record = this.#record(name, String(row.created), labels, row.anonymous === 1);
      // Noted, and then the engine was killed.
      mkdirSync(dirname(record.mountpoint), { recursive: true, mode: FOLDER_MODE });
      mkdirSync(record.mountpoint, { recursive: true, mode: DATA_MODE });
      this.#records.set(name, record);
      if (row.owner !== null) this.#owners.set(name, String(row.owner));
    }
  }

  create(request: VolumeCreateRequest): Promise<VolumeRecord> {
    checkVolumeRequest(request);
    const name = request.name ?? randomId();
    return this.#queue.run(name, async () => {
      const existing = this.#records.get(name);
      if (existing) return existing;
      const anonymous = request.name === undefined;
      const labels = anonymous ? { ...request.labels, [ANONYMOUS_LABEL]: '' } : { ...request.labels };
      const record = this.#record(name, formatNano(nowNano()), labels, anonymous);
      const owner = (anonymous && request.owner) || null;
      this.#insert(record, owner);
      await this.#makeFolder(record);
      this.#records.set(name, record);
      if (owner !== null) this.#owners.set(name, owner);
      this.#publish('create', name);
      return record;
    });
  }

  get(name: string): VolumeRecord {
    const record = this.#records.get(name);
    if (!record)
      throw new GantryError('notFound', 'NO_SUCH_VOLUME', `get ${name}: no such volume`, { params: { name } });
    return record;
  }

  list(filters: ReadonlyMap<string, readonly string[]>): readonly VolumeRecord[] {
    return [...this.#records.values()].filter((record) => this.#matches(record, filters));
  }

  remove(name: string, force: boolean): Promise<void> {
    return this.#queue.run(name, async () => {
      const record = this.#records.get(name);
      if (!record && force) return;
      this.get(name);
      const users = this.#deps.usersOf(name);
      if (users.length > 0) {
        throw new GantryError('conflict', 'VOLUME_IN_USE', `remove ${name}: volume is in use - [${users.join(', ')}]`);
      }
      // Renamed first: a new volume of this name must not find the old one's data, whatever comes in between.
      const [folder, rubbish] = [join(this.#deps.dir, name), join(this.#deps.dir, `${RUBBISH}${randomId()}`)];
      await rename(folder, rubbish).catch(ifMissing);
      try {
        this.#deps.db.sql('DELETE FROM volumes WHERE name = ?').run(name);
      } catch (error) {
        await rename(rubbish, folder).catch(ifMissing);
        throw error;
      }
      this.#records.delete(name);
      this.#owners.delete(name);
      await removeTree(rubbish);
      this.#publish('destroy', name);
    });
  }

  async prune(filters: ReadonlyMap<string, readonly string[]>) {
    const all = filters.get('all')?.some((value) => /^(1|true)$/i.test(value)) ?? false;
    const rest = new Map([...filters].filter(([key]) => key !== 'all'));
    const names: string[] = [];
    let reclaimedBytes = 0;
    for (const record of this.list(rest)) {
      if ((!all && !record.anonymous) || this.#deps.usersOf(record.name).length > 0) continue;
      const bytes = await folderBytes(record.mountpoint);
      // A container may have come to use it meanwhile.
      if (!(await this.#removeUnlessUsed(record.name))) continue;
      reclaimedBytes += bytes;
      names.push(record.name);
    }
    return { names, reclaimedBytes };
  }

  disown(owner: string): void {
    this.#deps.db.sql('UPDATE volumes SET owner = NULL WHERE owner = ?').run(owner);
    for (const [name, id] of this.#owners) if (id === owner) this.#owners.delete(name);
  }

  async adopt(): Promise<readonly string[]> {
    const entries = await readdir(this.#deps.dir, { withFileTypes: true });
    const unknown = entries.filter(
      (entry) => entry.isDirectory() && NAME.test(entry.name) && !this.#records.has(entry.name),
    );
    for (const { name } of unknown) await this.#adoptOne(name);
    return unknown.map(({ name }) => name);
  }

  async #adoptOne(name: string): Promise<void> {
    const anonymous = /^[0-9a-f]{64}$/.test(name);
    const labels: Record<string, string> = anonymous ? { [ANONYMOUS_LABEL]: '' } : {};
    const record = this.#record(name, formatNano(nowNano()), labels, anonymous);
    this.#insert(record, null);
    // The engine may have been killed before it made what is in the folder.
    await this.#makeFolder(record);
    this.#records.set(name, record);
  }

  async sweep(isThere: (owner: string) => boolean): Promise<void> {
    for (const [name, owner] of [...this.#owners]) if (!isThere(owner)) await this.#removeUnlessUsed(name);
  }

  async #removeUnlessUsed(name: string): Promise<boolean> {
    try {
      await this.remove(name, true);
      return true;
    } catch (error) {
      if (isGantryError(error, 'conflict')) return false;
      throw error;
    }
  }

  #insert({ name, created, labels, anonymous }: VolumeRecord, owner: string | null): void {
    this.#deps.db
      .sql('INSERT INTO volumes (name, created, labels, anonymous, owner) VALUES (?, ?, ?, ?, ?)')
      .run(name, created, LABELS_JSON.write(labels), anonymous ? 1 : 0, owner);
  }

  async #makeFolder(record: VolumeRecord): Promise<void> {
    try {
      await mkdir(dirname(record.mountpoint), { recursive: true, mode: FOLDER_MODE });
      await mkdir(record.mountpoint, { recursive: true, mode: DATA_MODE });
    } catch (error) {
      this.#deps.db.sql('DELETE FROM volumes WHERE name = ?').run(record.name);
      throw error;
    }
  }

  #record(name: string, created: string, labels: Record<string, string>, anonymous: boolean): VolumeRecord {
    const mountpoint = join(this.#deps.dir, name, '_data');
    return { name, driver: 'local', created, labels, options: {}, mountpoint, anonymous };
  }

  #matches(record: VolumeRecord, filters: ReadonlyMap<string, readonly string[]>): boolean {
    if (!passesLabels(record.labels, filters.get('label') ?? [], filters.get('label!') ?? [])) return false;
    for (const [key, values] of filters) {
      const used = (): boolean => this.#deps.usersOf(record.name).length > 0;
      const holds = (value: string): boolean => {
        if (key === 'dangling') return /^(1|true)$/i.test(value) !== used();
        if (key === 'driver') return value === record.driver;
        if (key === 'name') return record.name.includes(value);
        return true;
      };
      if (!values.some(holds)) return false;
    }
    return true;
  }

  #publish(action: string, name: string): void {
    this.#deps.publish({ type: 'volume', action, actorId: name, attributes: { driver: 'local' } });
  }
}

function ifMissing(error: NodeJS.ErrnoException): void {
  if (error.code !== 'ENOENT') throw error;
}

/** @throws GantryError for a volume that `create` refuses to make */
export function checkVolumeRequest({ name, driver, options }: VolumeCreateRequest): void {
  if (driver !== undefined && driver !== '' && driver !== 'local') {
    throw new GantryError(
      'notFound',
      'UNKNOWN_VOLUME_DRIVER',
      `create ${name ?? ''}: error looking up volume plugin ${driver}: plugin "${driver}" not found`,
    );
  }
  if (name !== undefined && name.length < 2) {
    throw new GantryError(
      'invalid',
      'INVALID_VOLUME_NAME',
      `create ${name}: volume name is too short, names should be at least two alphanumeric characters`,
    );
  }
  if (name !== undefined && !NAME.test(name)) {
    throw new GantryError(
      'invalid',
      'INVALID_VOLUME_NAME',
      `create ${name}: "${name}" includes invalid characters for a local volume name, only "[a-zA-Z0-9][a-zA-Z0-9_.-]" are allowed. If you intended to pass a host directory, use absolute path`,
    );
  }
  const names = Object.keys(options ?? {});
  const unknown = names.find((option) => !LOCAL_OPTIONS.has(option));
  if (unknown !== undefined)
    throw new GantryError('invalid', 'VOLUME_OPTIONS', `create ${name ?? ''}: invalid option: "${unknown}"`);
  if (names.length > 0) {
    throw new GantryError(
      'notImplemented',
      'VOLUME_OPTIONS',
      `create ${name ?? ''}: this engine's local driver takes no options yet: ${names.join(', ')}`,
    );
  }
}

/** True when the volume holds nothing yet, so that a container's first mount may copy its image's content there. */
export async function isEmptyVolume(record: VolumeRecord): Promise<boolean> {
  return (await readdir(record.mountpoint)).length === 0;
}
