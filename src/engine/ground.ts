// Owns the first phase of opening an engine: folders, locks, records, the spawner, cgroups and runtimes. Knows no capability's verbs.

import { createHash } from 'node:crypto';
import { basename, join } from 'node:path';
import { type Cgroups, createCgroups, detectCgroupLayout } from '../host/cgroup/index.ts';
import { readHostFacts } from '../host/process/index.ts';
import { lockBridge, lockRoot } from '../host/root-lock.ts';
import { messageOf } from '../lib/errors.ts';
import { compileFilter, createSeccompCache, probeRuntimes, type SeccompCache } from '../runtime/drivers/index.ts';
import { type Spawner, startSpawner } from '../runtime/link/index.ts';
import type { Database } from '../store/database.ts';
import { rescueRecords } from '../store/rescue.ts';
import { type ContainerRecords, checkDefaultLogOptions, openContainerRecords } from './containers/index.ts';
import { type Folders, makeFolders } from './folders.ts';
import type { EngineOptions } from './options.ts';
import { describeRescue, keepCopy, openRecords, refuseForgotten } from './rescue.ts';
import { type EngineHost, gatherHost } from './runs/index.ts';
import { Settings, withSettings } from './settings.ts';

/** What every capability of one engine stands on. */
export interface Ground {
  readonly folders: Folders;
  readonly db: Database;
  readonly records: ContainerRecords;
  /** Names what is ours in the kernel, so that several engines live side by side. */
  readonly instance: string;
  readonly spawner: Spawner;
  /** Descriptor, in every shim, of the sealed shim program. */
  readonly sessionProgram: number;
  readonly cgroups: Cgroups;
  readonly host: EngineHost;
  readonly seccomp: SeccompCache;
  readonly settings: Settings;
  /** What was found out about the runtimes that their users should know. */
  readonly runtimeNotes: readonly string[];
  /** False while containers live that need what we put into the kernel. */
  readonly isUnused: () => boolean;
}

/** Pushes onto `stack` what is to be closed. @throws as openEngine */
export async function openGround(options: EngineOptions, stack: AsyncDisposableStack): Promise<Ground> {
  const folders = await makeFolders(options.dataRoot, options.execRoot);
  stack.use(lockRoot(options.dataRoot, 'data root'));
  stack.use(lockRoot(options.execRoot, 'exec root'));
  if (options.bridge !== 'none') stack.use(lockBridge(options.bridge));
  checkDefaultLogOptions(options.logDriver, options.logOpts);
  const db = await openDatabase(options, folders, stack);
  const spawner = stack.use(await startSpawner({ binary: options.shimBinary }));
  const records = stack.use(openContainerRecords(db));
  const instance = createHash('sha256').update(options.dataRoot).digest('hex').slice(0, 8);
  const cgroups = createCgroups(await detectCgroupLayout());
  const isUnused = (): boolean => records.alive().length === 0;
  const cgroupParent = `/gantry-${instance}`;
  stack.defer(async () => {
    if (isUnused()) await cgroups.remove(cgroupParent).catch((error) => options.log('warn', messageOf(error)));
  });
  const plainHost = await gatherHost({ layout: cgroups.layout, cgroupParent, shimBinary: options.shimBinary });
  const runtimes = await findRuntimes(options, { spawner, cgroups, host: plainHost });
  return {
    folders,
    db,
    records,
    instance,
    spawner,
    sessionProgram: Number(basename(await spawner.seal(options.shimBinary))),
    cgroups,
    host: withSettings(plainHost, options),
    ...runtimes,
    isUnused,
  };
}

async function openDatabase(options: EngineOptions, folders: Folders, stack: AsyncDisposableStack): Promise<Database> {
  const path = join(options.dataRoot, 'gantry.db');
  if (options.recover) for (const line of describeRescue(rescueRecords(path))) options.log('info', line);
  const db = stack.use(openRecords(path));
  if (!options.recover) await refuseForgotten(db, options.dataRoot, folders);
  stack.use(keepCopy(db, path, (message) => options.log('warn', message)));
  return db;
}

async function findRuntimes(
  options: EngineOptions,
  { spawner, cgroups: { layout }, host }: Pick<Ground, 'spawner' | 'cgroups' | 'host'>,
): Promise<Pick<Ground, 'seccomp' | 'settings' | 'runtimeNotes'>> {
  const { bootId } = await readHostFacts();
  const trial = { dir: join(options.execRoot, 'trials'), bootId, layout, host };
  const seccomp = createSeccompCache(join(options.dataRoot, 'seccomp'), (driver, profile) =>
    compileFilter(trial, spawner, driver, profile),
  );
  const probe = { spawner, layout, execRoot: options.execRoot, trial };
  const wanted = options.defaultRuntime || undefined;
  const runtimes = await probeRuntimes({ ...probe, added: options.runtimes, wanted, seccomp });
  return { seccomp, settings: new Settings(options, runtimes, probe), runtimeNotes: runtimes.notes };
}
