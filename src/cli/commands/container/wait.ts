// Owns `wait`.
import { CommandFailure } from '../../failure.ts';
import { containerWait } from '../../grammar/container.table.ts';
import type { Command } from '../../session.ts';
import { eachTarget } from '../each-target.ts';

/** Waits until containers stand still and prints their exit codes. */
export const command: Command = {
  spec: containerWait,
  run: (session, { args }) =>
    eachTarget(session, args, async (id) => {
      const answer = await (await session.client().containers.wait(id)).exit;
      if (answer.Error?.Message) throw new CommandFailure(1, answer.Error.Message);
      return String(answer.StatusCode ?? 0);
    }),
};
