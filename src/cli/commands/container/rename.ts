// Owns `rename`.
import { failureText, hintOf } from '../../explain.ts';
import { CommandFailure } from '../../failure.ts';
import { containerRename } from '../../grammar/container.table.ts';
import type { Command } from '../../session.ts';

/** Gives a container another name. */
export const command: Command = {
  spec: containerRename,
  run: async (session, { args }) => {
    const [oldName = '', newName = ''] = args.map((arg) => arg.trim());
    if (oldName === '' || newName === '') {
      throw new CommandFailure(1, 'Error: Neither old nor new names may be empty');
    }
    try {
      await session.client().containers.rename(oldName, newName);
    } catch (error) {
      throw new CommandFailure(
        1,
        `${failureText(error)}\nError: failed to rename container named ${oldName}`,
        hintOf(error),
      );
    }
    return 0;
  },
};
