// Owns `kill`.
import { containerKill } from '../../grammar/container.table.ts';
import type { Command } from '../../session.ts';
import { eachNamed } from '../each-target.ts';

/** Sends a signal (KILL by default) to containers. */
export const command: Command = {
  spec: containerKill,
  run: (session, { flags, args }) =>
    eachNamed(session, args, (id) => session.client().containers.kill(id, flags.text('signal'))),
};
