// Owns what the image tests share: a throwaway image capability, and images made in memory.

import { mkdtempSync, readdirSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { EngineEvent } from '../../src/engine/events/types.ts';
import {
  createImages,
  type ImageProgress,
  type ImagesService,
  type ImageUsers,
} from '../../src/engine/images/index.ts';
import { archiveOf, type BuiltLayer, imageOf, NEVER, streamOf } from '../../src/engine/images/testing/made-images.ts';
import { openDatabase } from '../../src/store/database.ts';

export * from '../../src/engine/images/testing/made-images.ts';

export interface Workbench extends AsyncDisposable {
  readonly images: ImagesService;
  readonly root: string;
  readonly events: Omit<EngineEvent, 'timeNano'>[];
  readonly progress: ImageProgress[];
  readonly report: (event: ImageProgress) => void;
  /** What lies in the stores, leaving out the fixed files. */
  leftovers(): string[];
  /** Ends the capability and starts it again on the same root. */
  restart(): Promise<ImagesService>;
}

export interface WorkbenchOptions {
  readonly root?: string;
  readonly mirrors?: readonly string[];
  readonly users?: ImageUsers;
  readonly stallMs?: number;
}

/** A throwaway image capability. Its folders go when disposed. */
export function openWorkbench({
  root,
  mirrors = [],
  users = { usersOf: () => [] },
  stallMs = 20_000,
}: WorkbenchOptions = {}): Workbench {
  const base = root ?? mkdtempSync(join(tmpdir(), 'gantry-images-'));
  const events: Omit<EngineEvent, 'timeNano'>[] = [];
  const progress: ImageProgress[] = [];
  const open = () => {
    const db = openDatabase(join(base, 'gantry.db'));
    const service = createImages({
      db,
      contentDir: join(base, 'content'),
      layersDir: join(base, 'layers'),
      registries: { mirrors, insecure: [], maxConcurrentDownloads: 3 },
      users,
      publish: (event) => events.push(event),
      timeouts: { answerMs: stallMs, stallMs },
      retryPauseMs: 20,
    });
    return { db, service };
  };
  let current = open();
  const close = async (): Promise<void> => {
    await current.service[Symbol.asyncDispose]();
    current.db[Symbol.dispose]();
  };
  return {
    get images() {
      return current.service;
    },
    root: base,
    events,
    progress,
    report: (event) => progress.push(event),
    leftovers: () =>
      ['content/blobs/sha256', 'content/ingest', 'layers'].flatMap((folder) =>
        readdirSync(join(base, folder)).map((name) => `${folder}/${name}`),
      ),
    async restart() {
      await close();
      current = open();
      return current.service;
    },
    async [Symbol.asyncDispose]() {
      await close();
      rmSync(base, { recursive: true, force: true });
    },
  };
}

/** Loads an image of these layers as `x:1`; resolves to its layer folders, topmost first. */
export async function loadLayers(bench: Workbench, ...layers: readonly BuiltLayer[]): Promise<readonly string[]> {
  const image = imageOf(layers);
  await bench.images.load(streamOf(archiveOf([{ image, tags: ['x:1'] }])), bench.report, NEVER);
  return bench.images.layerPaths(image.id);
}
