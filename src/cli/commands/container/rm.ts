// Owns `rm`.
import { isApiError } from '../../../client/index.ts';
import { failureText } from '../../explain.ts';
import { CommandFailure } from '../../failure.ts';
import { containerRm } from '../../grammar/container.table.ts';
import type { Command } from '../../session.ts';
import { eachTarget } from '../each-target.ts';

/** Removes containers; with --force a missing one is only reported. */
export const command: Command = {
  spec: containerRm,
  run: (session, { flags, args }) =>
    eachTarget(session, args, async (target) => {
      const id = target.replace(/^\/+|\/+$/g, '');
      if (id === '') throw new CommandFailure(1, 'container name cannot be empty');
      try {
        await session.client().containers.remove(id, {
          volumes: flags.bool('volumes'),
          link: flags.bool('link'),
          force: flags.bool('force'),
        });
      } catch (error) {
        if (!flags.bool('force') || !isApiError(error, 404)) throw error;
        session.warn(failureText(error));
        return undefined;
      }
      return target;
    }),
};
