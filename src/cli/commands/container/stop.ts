// Owns `stop`.
import { containerStop } from '../../grammar/container.table.ts';
import type { Command } from '../../session.ts';
import { eachNamed } from '../each-target.ts';
import { stopOptionsOf } from './stop-options.ts';

/** Stops containers: their stop signal, then after a while the kill. */
export const command: Command = {
  spec: containerStop,
  run: (session, { flags, args }) => {
    const options = stopOptionsOf(flags);
    return eachNamed(session, args, (id) => session.client().containers.stop(id, options));
  },
};
