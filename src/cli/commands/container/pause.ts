// Owns `pause`.
import { containerPause } from '../../grammar/container.table.ts';
import type { Command } from '../../session.ts';
import { eachNamed } from '../each-target.ts';

/** Freezes every process of containers. */
export const command: Command = {
  spec: containerPause,
  run: (session, { args }) => eachNamed(session, args, (id) => session.client().containers.pause(id)),
};
