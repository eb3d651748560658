// Owns what an engine does about lost records: it refuses to start on content that they should name, and with `recover` puts together
// what can be. Containers that stay unknown are set aside; layers that do can be pulled again, and go.

import { readdir, rename } from 'node:fs/promises';
import { join } from 'node:path';
import { GantryError } from '../lib/errors.ts';
import { makeFolders } from '../lib/make-folders.ts';
import type { Database } from '../store/database.ts';
import { copyPathOf, type Rescue } from '../store/rescue.ts';
import type { ContainerRecords } from './containers/index.ts';
import type { Folders } from './folders.ts';
import type { ImagesService } from './images/index.ts';
import type { OwnedVolumes } from './volumes/index.ts';

/**
 * Refuses records that name nothing beside content that is there: an engine would take all of it for rubbish.
 * @throws RECORDS_MISSING
 */
export async function refuseForgotten(db: Database, dataRoot: string, folders: Folders): Promise<void> {
  if (db.hasRecords()) return;
  const places = [folders.containers, folders.volumes, folders.layers, join(folders.content, 'blobs/sha256')];
  const found = await Promise.all(places.map((place) => readdir(place).catch(() => [])));
  if (found.every((names) => names.length === 0)) return;
  throw new GantryError(
    'conflict',
    'RECORDS_MISSING',
    `the data root ${dataRoot} holds content, but its records (gantry.db) are gone or empty`,
    { hint: 'put gantry.db back, or start once with --recover, or choose another --data-root' },
  );
}

/** What the steps after the rescue of the records work on. */
export interface Rescued {
  readonly dataRoot: string;
  readonly folders: Folders;
  readonly records: ContainerRecords;
  readonly images: ImagesService;
  readonly volumes: OwnedVolumes;
  readonly log: (level: 'info' | 'warn', message: string) => void;
}

/** Takes up images and volumes that no record names, sets containers aside of which only the folder or only the record is left. */
export async function takeUpTheRest(engine: Rescued): Promise<void> {
  const { dataRoot, folders, records, images, volumes, log } = engine;
  const found = await images.adopt();
  const names = await volumes.adopt();
  log('info', `recovered without records: ${found.layers} layers, ${found.images} images, ${names.length} volumes`);
  const present = new Set(await readdir(folders.containers));
  for (const { id, name } of records.all()) {
    if (present.has(id)) continue;
    log('warn', `container ${name} (${id}): its folder is gone, so its record goes too`);
    records.remove(id);
  }
  const place = join(dataRoot, 'lost+found');
  for (const id of present) {
    if (records.byId(id)) continue;
    await makeFolders(place, 0o700);
    await rename(join(folders.containers, id), join(place, `container-${id}`));
    log('warn', `container ${id}: its record is lost; its log and its files lie in ${place}`);
  }
}

/** One line each about what a rescue brought back. */
export function describeRescue({ healthy, setAside, rows }: Rescue): readonly string[] {
  if (healthy) return ['the records are whole'];
  const counts = [...rows].filter(([, count]) => count > 0).map(([table, count]) => `${table} ${count}`);
  return [
    ...(setAside ? [`the damaged records lie in ${setAside}`] : []),
    counts.length > 0 ? `rows recovered: ${counts.join(', ')}` : 'no record could be recovered',
  ];
}

/** First copy after the start, then this often where something changed; a start itself must cost nothing. */
const FIRST_COPY_MS = 60_000;
const COPY_MS = 600_000;

/** Keeps a copy of the records beside them, for a later rescue. Disposing makes a last one. */
export function keepCopy(db: Database, path: string, log: (message: string) => void): AsyncDisposable {
  let copied = 0;
  let running: Promise<void> = Promise.resolve();
  const copy = async (): Promise<void> => {
    const changes = db.changes();
    if (changes === copied) return;
    try {
      await db.copyTo(copyPathOf(path));
      copied = changes;
    } catch (error) {
      log(`the records could not be copied: ${String(error)}`);
    }
  };
  let timer = setTimeout(function again() {
    running = copy();
    timer = setTimeout(again, COPY_MS).unref();
  }, FIRST_COPY_MS).unref();
  return {
    async [Symbol.asyncDispose]() {
      clearTimeout(timer);
      await running;
      await copy();
    },
  };
}
