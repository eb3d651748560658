// Owns `unpause`.
import { containerUnpause } from '../../grammar/container.table.ts';
import type { Command } from '../../session.ts';
import { eachNamed } from '../each-target.ts';

/** Lets paused containers go on. */
export const command: Command = {
  spec: containerUnpause,
  run: (session, { args }) => eachNamed(session, args, (id) => session.client().containers.unpause(id)),
};
