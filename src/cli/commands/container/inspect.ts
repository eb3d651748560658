// Owns `container inspect`.
import { containerInspect } from '../../grammar/container.table.ts';
import type { Command } from '../../session.ts';
import { inspectObjects } from '../inspect-objects.ts';

/** Shows everything about containers. */
export const command: Command = {
  spec: containerInspect,
  run: (session, { flags, args }) =>
    inspectObjects(session, args, flags.text('format'), async (id) => ({
      kind: 'container',
      json: await session.client().containers.inspectText(id, { size: flags.bool('size') }),
    })),
};
