// Owns the grammar of the context commands, as data. @source docker 28.2.2
import type { CommandSpec } from './types.ts';

/** `context inspect`. */
export const contextInspect: CommandSpec = {
  path: 'context inspect',
  usage: '[OPTIONS] [CONTEXT] [CONTEXT...]',
  about: 'Show everything about contexts',
  minArgs: 0,
  flags: [
    {
      name: 'format',
      short: 'f',
      type: 'string',
      about: 'Print with a Go template, or "json", "table", "table TEMPLATE"',
    },
  ],
};

/** `context ls`. */
export const contextLs: CommandSpec = {
  path: 'context ls',
  aliases: ['context list'],
  usage: '[OPTIONS]',
  about: 'List contexts',
  minArgs: 0,
  maxArgs: 0,
  flags: [
    { name: 'format', type: 'string', about: 'Print with a Go template, or "json", "table", "table TEMPLATE"' },
    { name: 'quiet', short: 'q', type: 'bool', about: 'Print context names only' },
  ],
};

/** `context show`. */
export const contextShow: CommandSpec = {
  path: 'context show',
  usage: '',
  about: 'Print the name of the current context',
  minArgs: 0,
  maxArgs: 0,
  flags: [],
};

/** `context use`. */
export const contextUse: CommandSpec = {
  path: 'context use',
  usage: 'CONTEXT',
  about: 'Set the current context',
  minArgs: 1,
  maxArgs: 1,
  plainCount: true,
  flags: [],
};
