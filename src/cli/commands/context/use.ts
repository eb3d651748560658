// Owns `context use`.
import { DEFAULT_CONTEXT, readContext } from '../../config/contexts.ts';
import { CommandFailure } from '../../failure.ts';
import { contextUse } from '../../grammar/context.table.ts';
import type { Command } from '../../session.ts';
import { overridingVariable } from './current.ts';

/** Makes a context the current one. */
export const command: Command = {
  spec: contextUse,
  run: async (session, { args }) => {
    const name = args[0] ?? '';
    const config = session.config();
    if (name === '') throw new CommandFailure(1, 'context name cannot be empty');
    if (name !== DEFAULT_CONTEXT) readContext(config.folder, name);
    const wanted = name === DEFAULT_CONTEXT ? undefined : name;
    if (config.data.currentContext !== wanted) config.update({ currentContext: wanted });
    session.line(name);
    session.warn(`Current context is now "${name}"`);
    const variable = overridingVariable(session);
    if (variable !== undefined && name !== DEFAULT_CONTEXT) {
      session.warn(
        `Warning: ${variable} environment variable overrides the active context. To use "${name}", either set the global --context flag, or unset ${variable} environment variable.`,
      );
    }
    return 0;
  },
};
