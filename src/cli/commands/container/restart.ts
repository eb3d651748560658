// Owns `restart`.
import { containerRestart } from '../../grammar/container.table.ts';
import type { Command } from '../../session.ts';
import { eachNamed } from '../each-target.ts';
import { stopOptionsOf } from './stop-options.ts';

/** Stops containers and starts them again. */
export const command: Command = {
  spec: containerRestart,
  run: (session, { flags, args }) => {
    const options = stopOptionsOf(flags);
    return eachNamed(session, args, (id) => session.client().containers.restart(id, options));
  },
};
