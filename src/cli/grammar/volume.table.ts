// Owns the grammar of the volume commands, as data. @source docker 28.2.2
import type { CommandSpec } from './types.ts';

/** `volume create`. */
export const volumeCreate: CommandSpec = {
  path: 'volume create',
  usage: '[OPTIONS] [VOLUME]',
  about: 'Create a volume',
  minArgs: 0,
  maxArgs: 1,
  flags: [
    { name: 'driver', short: 'd', type: 'string', initial: 'local', about: 'Driver to use' },
    { name: 'label', type: 'list', about: 'Set a label' },
    { name: 'name', type: 'string', hidden: true, about: 'Name of the volume' },
    { name: 'opt', short: 'o', type: 'map', about: 'Driver option' },
  ],
};

/** `volume inspect`. */
export const volumeInspect: CommandSpec = {
  path: 'volume inspect',
  usage: '[OPTIONS] VOLUME [VOLUME...]',
  about: 'Show everything about volumes',
  minArgs: 1,
  flags: [
    {
      name: 'format',
      short: 'f',
      type: 'string',
      about: 'Print with a Go template, or "json", "table", "table TEMPLATE"',
    },
  ],
};

/** `volume ls`. */
export const volumeLs: CommandSpec = {
  path: 'volume ls',
  aliases: ['volume list'],
  usage: '[OPTIONS]',
  about: 'List volumes',
  minArgs: 0,
  maxArgs: 0,
  flags: [
    { name: 'filter', short: 'f', type: 'filter', about: 'Show only what matches (e.g., "name=web")' },
    { name: 'format', type: 'string', about: 'Print with a Go template, or "json", "table", "table TEMPLATE"' },
    { name: 'quiet', short: 'q', type: 'bool', about: 'Print volume names only' },
  ],
};

/** `volume rm`. */
export const volumeRm: CommandSpec = {
  path: 'volume rm',
  aliases: ['volume remove'],
  usage: '[OPTIONS] VOLUME [VOLUME...]',
  about: 'Remove volumes',
  minArgs: 1,
  flags: [{ name: 'force', short: 'f', type: 'bool', about: 'Do not fail when the volume is missing' }],
};

/** `volume prune`. */
export const volumePrune: CommandSpec = {
  path: 'volume prune',
  usage: '[OPTIONS]',
  about: 'Remove unused volumes',
  minArgs: 0,
  maxArgs: 0,
  flags: [
    { name: 'all', short: 'a', type: 'bool', about: 'Remove named volumes too, not just anonymous ones' },
    { name: 'filter', type: 'filter', about: 'Remove only what matches (e.g., "label=x")' },
    { name: 'force', short: 'f', type: 'bool', about: 'Do not ask' },
  ],
};
