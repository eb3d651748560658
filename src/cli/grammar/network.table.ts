// Owns the grammar of the network commands, as data. @source docker 28.2.2
import type { CommandSpec } from './types.ts';

/** `network inspect`. */
export const networkInspect: CommandSpec = {
  path: 'network inspect',
  usage: '[OPTIONS] NETWORK [NETWORK...]',
  about: 'Show everything about networks',
  minArgs: 1,
  flags: [
    {
      name: 'format',
      short: 'f',
      type: 'string',
      about: 'Print with a Go template, or "json", "table", "table TEMPLATE"',
    },
    { name: 'verbose', short: 'v', type: 'bool', about: 'Print more' },
  ],
};

/** `network ls`. */
export const networkLs: CommandSpec = {
  path: 'network ls',
  aliases: ['network list'],
  usage: '[OPTIONS]',
  about: 'List networks',
  minArgs: 0,
  maxArgs: 0,
  flags: [
    { name: 'filter', short: 'f', type: 'filter', about: 'Show only what matches (e.g., "name=web")' },
    { name: 'format', type: 'string', about: 'Print with a Go template, or "json", "table", "table TEMPLATE"' },
    { name: 'no-trunc', type: 'bool', about: 'Print values in full' },
    { name: 'quiet', short: 'q', type: 'bool', about: 'Print network IDs only' },
  ],
};

/** `network prune`. */
export const networkPrune: CommandSpec = {
  path: 'network prune',
  usage: '[OPTIONS]',
  about: 'Remove unused networks',
  minArgs: 0,
  maxArgs: 0,
  flags: [
    { name: 'filter', type: 'filter', about: 'Remove only what matches (e.g., "until=24h")' },
    { name: 'force', short: 'f', type: 'bool', about: 'Do not ask' },
  ],
};
