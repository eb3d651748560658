// Owns `context show`.
import { contextShow } from '../../grammar/context.table.ts';
import type { Command } from '../../session.ts';
import { currentContext } from './current.ts';

/** Prints the name of the context in force. */
export const command: Command = {
  spec: contextShow,
  run: async (session) => {
    session.line(currentContext(session));
    return 0;
  },
};
