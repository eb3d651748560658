// Owns the grammar of run and create, as data. @source docker 28.2.2
import { containerOptions } from './container-options.table.ts';
import type { CommandSpec } from './types.ts';

/** `container create`. */
export const containerCreate: CommandSpec = {
  path: 'container create',
  aliases: ['create'],
  usage: '[OPTIONS] IMAGE [COMMAND] [ARG...]',
  about: 'Create a container without starting it',
  minArgs: 1,
  interspersed: false,
  flags: [...containerOptions],
};

/** `container run`. */
export const containerRun: CommandSpec = {
  path: 'container run',
  aliases: ['run'],
  usage: '[OPTIONS] IMAGE [COMMAND] [ARG...]',
  about: 'Create and start a container from an image',
  minArgs: 1,
  interspersed: false,
  flags: [
    ...containerOptions,
    { name: 'detach', short: 'd', type: 'bool', about: 'Run in the background and print the container ID' },
    { name: 'detach-keys', type: 'string', about: 'Key sequence that detaches from the container' },
    { name: 'sig-proxy', type: 'bool', initial: true, about: 'Pass signals on to the process' },
  ],
};
