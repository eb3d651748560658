// Owns the grammar of the commands about the daemon and the registry, as data. @source docker 28.2.2
import type { CommandSpec } from './types.ts';

/** `system events`. */
export const systemEvents: CommandSpec = {
  path: 'system events',
  aliases: ['events'],
  usage: '[OPTIONS]',
  about: 'Print what happens in the daemon, as it happens',
  minArgs: 0,
  maxArgs: 0,
  flags: [
    { name: 'filter', short: 'f', type: 'filter', about: 'Show only what matches (e.g., "name=web")' },
    { name: 'format', type: 'string', about: 'Print with a Go template, or "json", "table", "table TEMPLATE"' },
    { name: 'since', type: 'string', about: 'Begin at this time (e.g., "2013-01-02T13:23:37Z", "42m")' },
    { name: 'until', type: 'string', about: 'End at this time (e.g., "2013-01-02T13:23:37Z", "42m")' },
  ],
};

/** `system info`. */
export const systemInfo: CommandSpec = {
  path: 'system info',
  aliases: ['info'],
  usage: '[OPTIONS]',
  about: "Show the daemon's state and settings",
  minArgs: 0,
  maxArgs: 0,
  flags: [
    {
      name: 'format',
      short: 'f',
      type: 'string',
      about: 'Print with a Go template, or "json", "table", "table TEMPLATE"',
    },
  ],
};

/** `inspect`. */
export const inspect: CommandSpec = {
  path: 'inspect',
  usage: '[OPTIONS] NAME|ID [NAME|ID...]',
  about: 'Show everything about containers, images, networks and volumes',
  minArgs: 1,
  flags: [
    {
      name: 'format',
      short: 'f',
      type: 'string',
      about: 'Print with a Go template, or "json", "table", "table TEMPLATE"',
    },
    { name: 'size', short: 's', type: 'bool', about: 'Show sizes' },
    { name: 'type', type: 'string', about: 'Only objects of this type' },
  ],
};

/** `version`. */
export const version: CommandSpec = {
  path: 'version',
  usage: '[OPTIONS]',
  about: 'Show the versions of client and daemon',
  minArgs: 0,
  maxArgs: 0,
  flags: [
    {
      name: 'format',
      short: 'f',
      type: 'string',
      about: 'Print with a Go template, or "json", "table", "table TEMPLATE"',
    },
  ],
};

/** `login`. */
export const login: CommandSpec = {
  path: 'login',
  usage: '[OPTIONS] [SERVER]',
  about: 'Log in to a registry',
  minArgs: 0,
  maxArgs: 1,
  flags: [
    { name: 'password', short: 'p', type: 'string', about: 'Password or token' },
    { name: 'password-stdin', type: 'bool', about: 'Read the password from STDIN' },
    { name: 'username', short: 'u', type: 'string', about: 'User name' },
  ],
};

/** `logout`. */
export const logout: CommandSpec = {
  path: 'logout',
  usage: '[SERVER]',
  about: 'Log out from a registry',
  minArgs: 0,
  maxArgs: 1,
  flags: [],
};

/** `system df`. */
export const systemDf: CommandSpec = {
  path: 'system df',
  usage: '[OPTIONS]',
  about: 'Show what takes how much space',
  minArgs: 0,
  maxArgs: 0,
  flags: [
    { name: 'format', type: 'string', about: 'Print with a Go template, or "json", "table", "table TEMPLATE"' },
    { name: 'verbose', short: 'v', type: 'bool', about: 'Show every object' },
  ],
};

/** `system prune`. */
export const systemPrune: CommandSpec = {
  path: 'system prune',
  usage: '[OPTIONS]',
  about: 'Remove what is not used',
  minArgs: 0,
  maxArgs: 0,
  flags: [
    { name: 'all', short: 'a', type: 'bool', about: 'Remove every unused image, not just dangling ones' },
    { name: 'filter', type: 'filter', about: 'Remove only what matches (e.g., "label=x")' },
    { name: 'force', short: 'f', type: 'bool', about: 'Do not ask' },
    { name: 'volumes', type: 'bool', about: 'Remove anonymous volumes too' },
  ],
};
