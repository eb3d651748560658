// Owns the list of commands: the grammar of each, and where its code is. Loads none of the code.
import {
  containerAttach,
  containerCp,
  containerExec,
  containerInspect,
  containerKill,
  containerLogs,
  containerLs,
  containerPause,
  containerPort,
  containerPrune,
  containerRename,
  containerRestart,
  containerRm,
  containerStart,
  containerStop,
  containerTop,
  containerUnpause,
  containerWait,
} from './grammar/container.table.ts';
import {
  contextCreate,
  contextExport,
  contextImport,
  contextInspect,
  contextLs,
  contextRm,
  contextShow,
  contextUpdate,
  contextUse,
} from './grammar/context.table.ts';
import {
  imageHistory,
  imageImport,
  imageInspect,
  imageLoad,
  imageLs,
  imagePrune,
  imagePull,
  imageRm,
  imageSave,
  imageTag,
  search,
} from './grammar/image.table.ts';
import { networkInspect, networkLs, networkPrune } from './grammar/network.table.ts';
import {
  registryCheck,
  registryGc,
  registryHistory,
  registryInspect,
  registryLs,
  registryRetention,
  registryRm,
  registryRobots,
  registrySearch,
  registryTags,
  registryUsers,
  registryWebhooks,
} from './grammar/registry.table.ts';
import { containerCreate, containerRun } from './grammar/run.table.ts';
import {
  inspect,
  login,
  logout,
  systemDf,
  systemEvents,
  systemInfo,
  systemPrune,
  version,
} from './grammar/system.table.ts';
import type { CommandSpec } from './grammar/types.ts';
import { volumeCreate, volumeInspect, volumeLs, volumePrune, volumeRm } from './grammar/volume.table.ts';
import type { Command } from './session.ts';

/** A command that can be called. */
export interface CommandEntry {
  /** The full path, e.g. `container run`. */
  readonly path: string;
  /** Other full paths, also those that help does not show. */
  readonly aliases: readonly string[];
  /** One line. */
  readonly about: string;
  readonly spec: CommandSpec;
  load(): Promise<Command>;
}

/** A noun under which commands are grouped, e.g. `container`. */
export interface CommandGroup {
  readonly path: string;
  readonly about: string;
  /** The usage line of its errors; those of docker differ. */
  readonly usage: string;
}

/** Groups, in the order of help. */
export const GROUPS: readonly CommandGroup[] = [
  { path: 'container', about: 'Manage containers', usage: 'container' },
  { path: 'context', about: 'Manage contexts', usage: 'context' },
  { path: 'image', about: 'Manage images', usage: 'image' },
  { path: 'network', about: 'Manage networks', usage: 'network' },
  { path: 'registry', about: 'Manage a registry', usage: 'registry' },
  { path: 'system', about: 'Manage the daemon', usage: 'system' },
  { path: 'volume', about: 'Manage volumes', usage: 'volume COMMAND' },
];

/** Shown first in help, in this order. */
export const COMMON_COMMANDS: readonly string[] = [
  'run',
  'exec',
  'ps',
  'pull',
  'images',
  'login',
  'logout',
  'search',
  'version',
  'info',
];

/**
 * Finds a command by the words of a command line. The first `used` words are its path. Messages print `path`: an alias within a
 * group becomes the full path, an alias at the top level stays.
 */
export function findCommand(
  words: readonly string[],
): { readonly entry: CommandEntry; readonly used: number; readonly path: string } | undefined {
  for (const used of [2, 1]) {
    const path = words.slice(0, used).join(' ');
    if (words.length < used) continue;
    const entry = COMMANDS.find((candidate) => candidate.path === path || candidate.aliases.includes(path));
    if (entry !== undefined) return { entry, used, path: used === 2 ? entry.path : path };
  }
  return undefined;
}

/** Derives path, aliases and about from `spec`; the module that `load` imports holds the code. */
function entry(spec: CommandSpec, load: () => Promise<{ readonly command: Command }>): CommandEntry {
  const [about = ''] = spec.about.split('\n', 1);
  return {
    path: spec.path,
    aliases: [...(spec.aliases ?? []), ...(spec.quietAliases ?? [])],
    about,
    spec,
    load: async () => (await load()).command,
  };
}

/** Every command; within a noun in the order of help. */
export const COMMANDS: readonly CommandEntry[] = [
  entry(containerAttach, () => import('./commands/container/attach.ts')),
  entry(containerCp, () => import('./commands/container/cp.ts')),
  entry(containerCreate, () => import('./commands/container/create.ts')),
  entry(containerExec, () => import('./commands/container/exec.ts')),
  entry(containerInspect, () => import('./commands/container/inspect.ts')),
  entry(containerKill, () => import('./commands/container/kill.ts')),
  entry(containerLogs, () => import('./commands/container/logs.ts')),
  entry(containerLs, () => import('./commands/container/ls.ts')),
  entry(containerPause, () => import('./commands/container/pause.ts')),
  entry(containerPort, () => import('./commands/container/port.ts')),
  entry(containerPrune, () => import('./commands/container/prune.ts')),
  entry(containerRename, () => import('./commands/container/rename.ts')),
  entry(containerRestart, () => import('./commands/container/restart.ts')),
  entry(containerRm, () => import('./commands/container/rm.ts')),
  entry(containerRun, () => import('./commands/container/run.ts')),
  entry(containerStart, () => import('./commands/container/start.ts')),
  entry(containerStop, () => import('./commands/container/stop.ts')),
  entry(containerTop, () => import('./commands/container/top.ts')),
  entry(containerUnpause, () => import('./commands/container/unpause.ts')),
  entry(containerWait, () => import('./commands/container/wait.ts')),
  entry(contextCreate, () => import('./commands/context/create.ts')),
  entry(contextExport, () => import('./commands/context/export.ts')),
  entry(contextImport, () => import('./commands/context/import.ts')),
  entry(contextInspect, () => import('./commands/context/inspect.ts')),
  entry(contextLs, () => import('./commands/context/ls.ts')),
  entry(contextRm, () => import('./commands/context/rm.ts')),
  entry(contextShow, () => import('./commands/context/show.ts')),
  entry(contextUpdate, () => import('./commands/context/update.ts')),
  entry(contextUse, () => import('./commands/context/use.ts')),
  entry(imageHistory, () => import('./commands/image/history.ts')),
  entry(imageImport, () => import('./commands/image/import.ts')),
  entry(imageInspect, () => import('./commands/image/inspect.ts')),
  entry(imageLoad, () => import('./commands/image/load.ts')),
  entry(imageLs, () => import('./commands/image/ls.ts')),
  entry(imagePrune, () => import('./commands/image/prune.ts')),
  entry(imagePull, () => import('./commands/image/pull.ts')),
  entry(imageRm, () => import('./commands/image/rm.ts')),
  entry(imageSave, () => import('./commands/image/save.ts')),
  entry(imageTag, () => import('./commands/image/tag.ts')),
  entry(inspect, () => import('./commands/general/inspect.ts')),
  entry(login, () => import('./commands/general/login.ts')),
  entry(logout, () => import('./commands/general/logout.ts')),
  entry(networkInspect, () => import('./commands/network/inspect.ts')),
  entry(networkLs, () => import('./commands/network/ls.ts')),
  entry(networkPrune, () => import('./commands/network/prune.ts')),
  entry(registryCheck, () => import('./commands/registry/check.ts')),
  entry(registryGc, () => import('./commands/registry/gc.ts')),
  entry(registryHistory, () => import('./commands/registry/history.ts')),
  entry(registryInspect, () => import('./commands/registry/inspect.ts')),
  entry(registryLs, () => import('./commands/registry/ls.ts')),
  entry(registryRetention, () => import('./commands/registry/retention.ts')),
  entry(registryRm, () => import('./commands/registry/rm.ts')),
  entry(registryRobots, () => import('./commands/registry/robots.ts')),
  entry(registrySearch, () => import('./commands/registry/search.ts')),
  entry(registryTags, () => import('./commands/registry/tags.ts')),
  entry(registryUsers, () => import('./commands/registry/users.ts')),
  entry(registryWebhooks, () => import('./commands/registry/webhooks.ts')),
  entry(search, () => import('./commands/image/search.ts')),
  entry(systemDf, () => import('./commands/system/df.ts')),
  entry(systemEvents, () => import('./commands/system/events.ts')),
  entry(systemInfo, () => import('./commands/system/info.ts')),
  entry(systemPrune, () => import('./commands/system/prune.ts')),
  entry(version, () => import('./commands/general/version.ts')),
  entry(volumeCreate, () => import('./commands/volume/create.ts')),
  entry(volumeInspect, () => import('./commands/volume/inspect.ts')),
  entry(volumeLs, () => import('./commands/volume/ls.ts')),
  entry(volumePrune, () => import('./commands/volume/prune.ts')),
  entry(volumeRm, () => import('./commands/volume/rm.ts')),
];
