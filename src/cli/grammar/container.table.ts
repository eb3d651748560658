// Owns the grammar of the container commands, as data. @source docker 28.2.2
import type { CommandSpec } from './types.ts';

/** `container attach`. */
export const containerAttach: CommandSpec = {
  path: 'container attach',
  aliases: ['attach'],
  usage: '[OPTIONS] CONTAINER',
  about: 'Attach this terminal to a running container',
  minArgs: 1,
  maxArgs: 1,
  flags: [
    { name: 'detach-keys', type: 'string', about: 'Key sequence that detaches from the container' },
    { name: 'no-stdin', type: 'bool', about: 'Leave STDIN alone' },
    { name: 'sig-proxy', type: 'bool', initial: true, about: 'Pass signals on to the process' },
  ],
};

/** `container cp`. */
export const containerCp: CommandSpec = {
  path: 'container cp',
  aliases: ['cp'],
  usage: '[OPTIONS] CONTAINER:SRC_PATH DEST_PATH|-',
  secondUsage: 'cp [OPTIONS] SRC_PATH|- CONTAINER:DEST_PATH',
  about: `Copy files between a container and the local file system

Use '-' as the source to read a tar archive from stdin and extract it in a folder
of the container, and as the destination to write a tar archive to stdout.`,
  minArgs: 2,
  maxArgs: 2,
  flags: [
    { name: 'archive', short: 'a', type: 'bool', about: "Give copies in the container to its user's uid and gid" },
    { name: 'follow-link', short: 'L', type: 'bool', about: 'Copy what a link at the end of SRC_PATH leads to' },
    { name: 'quiet', short: 'q', type: 'bool', about: 'Show no progress, as without a terminal' },
  ],
};

/** `container exec`. */
export const containerExec: CommandSpec = {
  path: 'container exec',
  aliases: ['exec'],
  usage: '[OPTIONS] CONTAINER COMMAND [ARG...]',
  about: 'Run a command in a running container',
  minArgs: 2,
  interspersed: false,
  flags: [
    { name: 'detach', short: 'd', type: 'bool', about: 'Run the command in the background' },
    { name: 'detach-keys', type: 'string', about: 'Key sequence that detaches from the container' },
    { name: 'env', short: 'e', type: 'list', about: 'Set an environment variable' },
    { name: 'env-file', type: 'list', about: 'Read environment variables from a file' },
    { name: 'interactive', short: 'i', type: 'bool', about: 'Keep STDIN open' },
    { name: 'privileged', type: 'bool', about: 'Give every privilege' },
    { name: 'tty', short: 't', type: 'bool', about: 'Allocate a terminal' },
    { name: 'user', short: 'u', type: 'string', about: 'User (name|uid[:group|gid])' },
    { name: 'workdir', short: 'w', type: 'string', about: 'Working directory inside the container' },
  ],
};

/** `container inspect`. */
export const containerInspect: CommandSpec = {
  path: 'container inspect',
  usage: '[OPTIONS] CONTAINER [CONTAINER...]',
  about: 'Show everything about containers',
  minArgs: 1,
  flags: [
    {
      name: 'format',
      short: 'f',
      type: 'string',
      about: 'Print with a Go template, or "json", "table", "table TEMPLATE"',
    },
    { name: 'size', short: 's', type: 'bool', about: 'Show sizes' },
  ],
};

/** `container kill`. */
export const containerKill: CommandSpec = {
  path: 'container kill',
  aliases: ['kill'],
  usage: '[OPTIONS] CONTAINER [CONTAINER...]',
  about: 'Kill running containers',
  minArgs: 1,
  flags: [{ name: 'signal', short: 's', type: 'string', about: 'Signal to send' }],
};

/** `container logs`. */
export const containerLogs: CommandSpec = {
  path: 'container logs',
  aliases: ['logs'],
  usage: '[OPTIONS] CONTAINER',
  about: 'Print the logs of a container',
  minArgs: 1,
  maxArgs: 1,
  flags: [
    { name: 'details', type: 'bool', about: 'Show the extra attributes of each line' },
    { name: 'follow', short: 'f', type: 'bool', about: 'Keep printing as output comes' },
    { name: 'since', type: 'string', about: 'Begin at this time (e.g., "2013-01-02T13:23:37Z", "42m")' },
    { name: 'tail', short: 'n', type: 'string', initial: 'all', about: 'Lines to show from the end' },
    { name: 'timestamps', short: 't', type: 'bool', about: 'Show timestamps' },
    { name: 'until', type: 'string', about: 'End before this time (e.g., "2013-01-02T13:23:37Z", "42m")' },
  ],
};

/** `container ls`. */
export const containerLs: CommandSpec = {
  path: 'container ls',
  aliases: ['container list', 'container ps', 'ps'],
  usage: '[OPTIONS]',
  about: 'List containers',
  minArgs: 0,
  maxArgs: 0,
  flags: [
    { name: 'all', short: 'a', type: 'bool', about: 'Show containers in every state' },
    { name: 'filter', short: 'f', type: 'filter', about: 'Show only what matches (e.g., "status=exited")' },
    { name: 'format', type: 'string', about: 'Print with a Go template, or "json", "table", "table TEMPLATE"' },
    { name: 'last', short: 'n', type: 'int', initial: -1, about: 'Show the n newest in any state' },
    { name: 'latest', short: 'l', type: 'bool', about: 'Show the newest in any state' },
    { name: 'no-trunc', type: 'bool', about: 'Print values in full' },
    { name: 'quiet', short: 'q', type: 'bool', about: 'Print container IDs only' },
    { name: 'size', short: 's', type: 'bool', about: 'Show sizes' },
  ],
};

/** `container pause`. */
export const containerPause: CommandSpec = {
  path: 'container pause',
  aliases: ['pause'],
  usage: 'CONTAINER [CONTAINER...]',
  about: 'Pause every process of containers',
  minArgs: 1,
  flags: [],
};

/** `container port`. */
export const containerPort: CommandSpec = {
  path: 'container port',
  aliases: ['port'],
  usage: 'CONTAINER [PRIVATE_PORT[/PROTO]]',
  about: 'List the published ports of a container',
  minArgs: 1,
  maxArgs: 2,
  flags: [],
};

/** `container prune`. */
export const containerPrune: CommandSpec = {
  path: 'container prune',
  usage: '[OPTIONS]',
  about: 'Remove every stopped container',
  minArgs: 0,
  maxArgs: 0,
  flags: [
    { name: 'filter', type: 'filter', about: 'Remove only what matches (e.g., "until=24h")' },
    { name: 'force', short: 'f', type: 'bool', about: 'Do not ask' },
  ],
};

/** `container rename`. */
export const containerRename: CommandSpec = {
  path: 'container rename',
  aliases: ['rename'],
  usage: 'CONTAINER NEW_NAME',
  about: 'Rename a container',
  minArgs: 2,
  maxArgs: 2,
  flags: [],
};

/** `container restart`. */
export const containerRestart: CommandSpec = {
  path: 'container restart',
  aliases: ['restart'],
  usage: '[OPTIONS] CONTAINER [CONTAINER...]',
  about: 'Restart containers',
  minArgs: 1,
  flags: [
    { name: 'signal', short: 's', type: 'string', about: 'Signal to send' },
    {
      name: 'time',
      type: 'int',
      hidden: true,
      deprecated: 'use --timeout instead',
      about: 'Seconds to wait before killing',
    },
    { name: 'timeout', short: 't', type: 'int', about: 'Seconds to wait before killing' },
  ],
};

/** `container rm`. */
export const containerRm: CommandSpec = {
  path: 'container rm',
  aliases: ['container remove', 'rm'],
  quietAliases: ['remove'],
  usage: '[OPTIONS] CONTAINER [CONTAINER...]',
  about: 'Remove containers',
  minArgs: 1,
  flags: [
    { name: 'force', short: 'f', type: 'bool', about: 'Kill the container first when it runs' },
    { name: 'link', short: 'l', type: 'bool', about: 'Remove a link' },
    { name: 'volumes', short: 'v', type: 'bool', about: 'Remove its anonymous volumes' },
  ],
};

/** `container start`. */
export const containerStart: CommandSpec = {
  path: 'container start',
  aliases: ['start'],
  usage: '[OPTIONS] CONTAINER [CONTAINER...]',
  about: 'Start stopped containers',
  minArgs: 1,
  flags: [
    { name: 'attach', short: 'a', type: 'bool', about: 'Attach STDOUT and STDERR, and pass signals on' },
    { name: 'checkpoint', type: 'string', hidden: true, about: 'Restore from this checkpoint' },
    { name: 'checkpoint-dir', type: 'string', hidden: true, about: 'Folder of the checkpoint' },
    { name: 'detach-keys', type: 'string', about: 'Key sequence that detaches from the container' },
    { name: 'interactive', short: 'i', type: 'bool', about: 'Attach STDIN' },
  ],
};

/** `container stop`. */
export const containerStop: CommandSpec = {
  path: 'container stop',
  aliases: ['stop'],
  usage: '[OPTIONS] CONTAINER [CONTAINER...]',
  about: 'Stop running containers',
  minArgs: 1,
  flags: [
    { name: 'signal', short: 's', type: 'string', about: 'Signal to send' },
    {
      name: 'time',
      type: 'int',
      hidden: true,
      deprecated: 'use --timeout instead',
      about: 'Seconds to wait before killing',
    },
    { name: 'timeout', short: 't', type: 'int', about: 'Seconds to wait before killing' },
  ],
};

/** `container top`. */
export const containerTop: CommandSpec = {
  path: 'container top',
  aliases: ['top'],
  usage: 'CONTAINER [ps OPTIONS]',
  about: 'List the processes of a container',
  minArgs: 1,
  interspersed: false,
  flags: [],
};

/** `container unpause`. */
export const containerUnpause: CommandSpec = {
  path: 'container unpause',
  aliases: ['unpause'],
  usage: 'CONTAINER [CONTAINER...]',
  about: 'Let paused containers go on',
  minArgs: 1,
  flags: [],
};

/** `container wait`. */
export const containerWait: CommandSpec = {
  path: 'container wait',
  aliases: ['wait'],
  usage: 'CONTAINER [CONTAINER...]',
  about: 'Wait for containers to stop and print their exit codes',
  minArgs: 1,
  flags: [],
};
