// Owns the list of commands: path, other names, one line about each, and where its code is. Loads none of it.
import type { Command } from './session.ts';

/** A command that can be called. */
export interface CommandEntry {
  /** The full path, e.g. `container run`. */
  readonly path: string;
  /** Other full paths. */
  readonly aliases: readonly string[];
  readonly about: string;
  load(): Promise<Command>;
}

/** A noun that holds commands. */
export interface CommandGroup {
  readonly path: string;
  readonly about: string;
  /** The usage line of its errors; docker's differ. */
  readonly usage: string;
}

/** Nouns, in the order of help. */
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
 * Finds a command by the words of a command line; `used` words belong to its path. `path` is what messages call it: another name
 * within a group counts as the first one.
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

/** Every command. */
export const COMMANDS: readonly CommandEntry[] = [
  {
    path: 'container attach',
    aliases: ['attach'],
    about: 'Attach this terminal to a running container',
    load: async () => (await import('./commands/container/attach.ts')).command,
  },
  {
    path: 'container cp',
    aliases: ['cp'],
    about: 'Copy files between a container and the local file system',
    load: async () => (await import('./commands/container/cp.ts')).command,
  },
  {
    path: 'container create',
    aliases: ['create'],
    about: 'Create a container without starting it',
    load: async () => (await import('./commands/container/create.ts')).command,
  },
  {
    path: 'container exec',
    aliases: ['exec'],
    about: 'Run a command in a running container',
    load: async () => (await import('./commands/container/exec.ts')).command,
  },
  {
    path: 'container inspect',
    aliases: [],
    about: 'Show everything about containers',
    load: async () => (await import('./commands/container/inspect.ts')).command,
  },
  {
    path: 'container kill',
    aliases: ['kill'],
    about: 'Kill running containers',
    load: async () => (await import('./commands/container/kill.ts')).command,
  },
  {
    path: 'container logs',
    aliases: ['logs'],
    about: 'Print the logs of a container',
    load: async () => (await import('./commands/container/logs.ts')).command,
  },
  {
    path: 'container ls',
    aliases: ['container list', 'container ps', 'ps'],
    about: 'List containers',
    load: async () => (await import('./commands/container/ls.ts')).command,
  },
  {
    path: 'container pause',
    aliases: ['pause'],
    about: 'Pause every process of containers',
    load: async () => (await import('./commands/container/pause.ts')).command,
  },
  {
    path: 'container port',
    aliases: ['port'],
    about: 'List the published ports of a container',
    load: async () => (await import('./commands/container/port.ts')).command,
  },
  {
    path: 'container prune',
    aliases: [],
    about: 'Remove every stopped container',
    load: async () => (await import('./commands/container/prune.ts')).command,
  },
  {
    path: 'container rename',
    aliases: ['rename'],
    about: 'Rename a container',
    load: async () => (await import('./commands/container/rename.ts')).command,
  },
  {
    path: 'container restart',
    aliases: ['restart'],
    about: 'Restart containers',
    load: async () => (await import('./commands/container/restart.ts')).command,
  },
  {
    path: 'container rm',
    aliases: ['container remove', 'rm', 'remove'],
    about: 'Remove containers',
    load: async () => (await import('./commands/container/rm.ts')).command,
  },
  {
    path: 'container run',
    aliases: ['run'],
    about: 'Create and start a container from an image',
    load: async () => (await import('./commands/container/run.ts')).command,
  },
  {
    path: 'container start',
    aliases: ['start'],
    about: 'Start stopped containers',
    load: async () => (await import('./commands/container/start.ts')).command,
  },
  {
    path: 'container stop',
    aliases: ['stop'],
    about: 'Stop running containers',
    load: async () => (await import('./commands/container/stop.ts')).command,
  },
  {
    path: 'container top',
    aliases: ['top'],
    about: 'List the processes of a container',
    load: async () => (await import('./commands/container/top.ts')).command,
  },
  {
    path: 'container unpause',
    aliases: ['unpause'],
    about: 'Let paused containers go on',
    load: async () => (await import('./commands/container/unpause.ts')).command,
  },
  {
    path: 'container wait',
    aliases: ['wait'],
    about: 'Wait for containers to stop and print their exit codes',
    load: async () => (await import('./commands/container/wait.ts')).command,
  },
  {
    path: 'context create',
    aliases: [],
    about: 'Create a context',
    load: async () => (await import('./commands/context/create.ts')).command,
  },
  {
    path: 'context export',
    aliases: [],
    about: 'Write a context as a tar, into a file or to STDOUT',
    load: async () => (await import('./commands/context/export.ts')).command,
  },
  {
    path: 'context import',
    aliases: [],
    about: 'Import a context from a tar',
    load: async () => (await import('./commands/context/import.ts')).command,
  },
  {
    path: 'context inspect',
    aliases: [],
    about: 'Show everything about contexts',
    load: async () => (await import('./commands/context/inspect.ts')).command,
  },
  {
    path: 'context ls',
    aliases: ['context list'],
    about: 'List contexts',
    load: async () => (await import('./commands/context/ls.ts')).command,
  },
  {
    path: 'context rm',
    aliases: ['context remove'],
    about: 'Remove contexts',
    load: async () => (await import('./commands/context/rm.ts')).command,
  },
  {
    path: 'context show',
    aliases: [],
    about: 'Print the name of the current context',
    load: async () => (await import('./commands/context/show.ts')).command,
  },
  {
    path: 'context update',
    aliases: [],
    about: 'Change a context',
    load: async () => (await import('./commands/context/update.ts')).command,
  },
  {
    path: 'context use',
    aliases: [],
    about: 'Set the current context',
    load: async () => (await import('./commands/context/use.ts')).command,
  },
  {
    path: 'image history',
    aliases: ['history'],
    about: 'Show the history of an image',
    load: async () => (await import('./commands/image/history.ts')).command,
  },
  {
    path: 'image import',
    aliases: ['import'],
    about: 'Make an image of a file system tar',
    load: async () => (await import('./commands/image/import.ts')).command,
  },
  {
    path: 'image inspect',
    aliases: [],
    about: 'Show everything about images',
    load: async () => (await import('./commands/image/inspect.ts')).command,
  },
  {
    path: 'image load',
    aliases: ['load'],
    about: 'Load images from a tar',
    load: async () => (await import('./commands/image/load.ts')).command,
  },
  {
    path: 'image ls',
    aliases: ['image list', 'images'],
    about: 'List images',
    load: async () => (await import('./commands/image/ls.ts')).command,
  },
  {
    path: 'image prune',
    aliases: [],
    about: 'Remove unused images',
    load: async () => (await import('./commands/image/prune.ts')).command,
  },
  {
    path: 'image pull',
    aliases: ['pull'],
    about: 'Fetch an image from a registry',
    load: async () => (await import('./commands/image/pull.ts')).command,
  },
  {
    path: 'image rm',
    aliases: ['image remove', 'rmi', 'image rmi'],
    about: 'Remove images',
    load: async () => (await import('./commands/image/rm.ts')).command,
  },
  {
    path: 'image save',
    aliases: ['save'],
    about: 'Save images as a tar',
    load: async () => (await import('./commands/image/save.ts')).command,
  },
  {
    path: 'image tag',
    aliases: ['tag'],
    about: 'Give an image another name',
    load: async () => (await import('./commands/image/tag.ts')).command,
  },
  {
    path: 'inspect',
    aliases: [],
    about: 'Show everything about containers, images, networks and volumes',
    load: async () => (await import('./commands/general/inspect.ts')).command,
  },
  {
    path: 'login',
    aliases: [],
    about: 'Log in to a registry',
    load: async () => (await import('./commands/general/login.ts')).command,
  },
  {
    path: 'logout',
    aliases: [],
    about: 'Log out from a registry',
    load: async () => (await import('./commands/general/logout.ts')).command,
  },
  {
    path: 'network inspect',
    aliases: [],
    about: 'Show everything about networks',
    load: async () => (await import('./commands/network/inspect.ts')).command,
  },
  {
    path: 'network ls',
    aliases: ['network list'],
    about: 'List networks',
    load: async () => (await import('./commands/network/ls.ts')).command,
  },
  {
    path: 'registry check',
    aliases: [],
    about: 'Compare content and records; pushes and pulls go on',
    load: async () => (await import('./commands/registry/check.ts')).command,
  },
  {
    path: 'network prune',
    aliases: [],
    about: 'Remove unused networks',
    load: async () => (await import('./commands/network/prune.ts')).command,
  },
  {
    path: 'registry gc',
    aliases: [],
    about: 'Collect garbage now; pushes and pulls go on',
    load: async () => (await import('./commands/registry/gc.ts')).command,
  },
  {
    path: 'registry history',
    aliases: [],
    about: 'Show what a tag pointed to, since when, pushed by whom',
    load: async () => (await import('./commands/registry/history.ts')).command,
  },
  {
    path: 'registry inspect',
    aliases: [],
    about: 'Show everything about a manifest',
    load: async () => (await import('./commands/registry/inspect.ts')).command,
  },
  {
    path: 'registry ls',
    aliases: ['registry repositories', 'registry list'],
    about: 'List repositories',
    load: async () => (await import('./commands/registry/ls.ts')).command,
  },
  {
    path: 'registry retention',
    aliases: [],
    about: 'Show what the retention rules would remove, or remove it',
    load: async () => (await import('./commands/registry/retention.ts')).command,
  },
  {
    path: 'registry rm',
    aliases: ['registry remove'],
    about: 'Remove tags, manifests, or whole repositories',
    load: async () => (await import('./commands/registry/rm.ts')).command,
  },
  {
    path: 'registry robots',
    aliases: [],
    about: 'List robot accounts, add one (its secret is printed once) or remove one',
    load: async () => (await import('./commands/registry/robots.ts')).command,
  },
  {
    path: 'registry search',
    aliases: [],
    about: 'Find tags (words, repo:, tag:, label:, platform:, digest:, size:, age:)',
    load: async () => (await import('./commands/registry/search.ts')).command,
  },
  {
    path: 'registry tags',
    aliases: [],
    about: "List a repository's tags",
    load: async () => (await import('./commands/registry/tags.ts')).command,
  },
  {
    path: 'registry users',
    aliases: [],
    about: 'List users, add one (its password is read from standard input) or remove one',
    load: async () => (await import('./commands/registry/users.ts')).command,
  },
  {
    path: 'registry webhooks',
    aliases: [],
    about: "List webhooks, or one's dead letters",
    load: async () => (await import('./commands/registry/webhooks.ts')).command,
  },
  {
    path: 'search',
    aliases: [],
    about: 'Search a registry for images',
    load: async () => (await import('./commands/image/search.ts')).command,
  },
  {
    path: 'system df',
    aliases: [],
    about: 'Show what takes how much space',
    load: async () => (await import('./commands/system/df.ts')).command,
  },
  {
    path: 'system events',
    aliases: ['events'],
    about: 'Print what happens in the daemon, as it happens',
    load: async () => (await import('./commands/system/events.ts')).command,
  },
  {
    path: 'system info',
    aliases: ['info'],
    about: "Show the daemon's state and settings",
    load: async () => (await import('./commands/system/info.ts')).command,
  },
  {
    path: 'system prune',
    aliases: [],
    about: 'Remove what is not used',
    load: async () => (await import('./commands/system/prune.ts')).command,
  },
  {
    path: 'version',
    aliases: [],
    about: 'Show the versions of client and daemon',
    load: async () => (await import('./commands/general/version.ts')).command,
  },
  {
    path: 'volume create',
    aliases: [],
    about: 'Create a volume',
    load: async () => (await import('./commands/volume/create.ts')).command,
  },
  {
    path: 'volume inspect',
    aliases: [],
    about: 'Show everything about volumes',
    load: async () => (await import('./commands/volume/inspect.ts')).command,
  },
  {
    path: 'volume ls',
    aliases: ['volume list'],
    about: 'List volumes',
    load: async () => (await import('./commands/volume/ls.ts')).command,
  },
  {
    path: 'volume prune',
    aliases: [],
    about: 'Remove unused volumes',
    load: async () => (await import('./commands/volume/prune.ts')).command,
  },
  {
    path: 'volume rm',
    aliases: ['volume remove'],
    about: 'Remove volumes',
    load: async () => (await import('./commands/volume/rm.ts')).command,
  },
];
