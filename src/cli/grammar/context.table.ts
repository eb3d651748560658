// Owns the grammar of the context commands, as data. @source docker 28.2.2
import type { CommandSpec, FlagSpec } from './types.ts';

const DESCRIPTION: FlagSpec = { name: 'description', type: 'string', about: 'Describe the context' };
const ENDPOINT: FlagSpec = {
  name: 'docker',
  type: 'stringToString',
  about: 'Where the daemon is: host=, ca=, cert=, key=, skip-tls-verify=, or from=CONTEXT',
};

/** `context create`. */
export const contextCreate: CommandSpec = {
  path: 'context create',
  usage: '[OPTIONS] CONTEXT',
  about: 'Create a context',
  minArgs: 1,
  maxArgs: 1,
  flags: [DESCRIPTION, ENDPOINT, { name: 'from', type: 'string', about: 'Copy this context' }],
};

/** `context export`. */
export const contextExport: CommandSpec = {
  path: 'context export',
  usage: '[OPTIONS] CONTEXT [FILE|-]',
  about: 'Write a context as a tar, into a file or to STDOUT',
  minArgs: 1,
  maxArgs: 2,
  flags: [],
};

/** `context import`. */
export const contextImport: CommandSpec = {
  path: 'context import',
  usage: 'CONTEXT FILE|-',
  about: 'Import a context from a tar',
  minArgs: 2,
  maxArgs: 2,
  flags: [],
};

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

/** `context rm`. */
export const contextRm: CommandSpec = {
  path: 'context rm',
  aliases: ['context remove'],
  usage: 'CONTEXT [CONTEXT...]',
  about: 'Remove contexts',
  minArgs: 1,
  flags: [{ name: 'force', short: 'f', type: 'bool', about: 'Remove the context that is in use too' }],
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

/** `context update`. */
export const contextUpdate: CommandSpec = {
  path: 'context update',
  usage: '[OPTIONS] CONTEXT',
  about: 'Change a context',
  minArgs: 1,
  maxArgs: 1,
  flags: [DESCRIPTION, ENDPOINT],
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
