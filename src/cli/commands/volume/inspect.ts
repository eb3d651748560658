// Owns `volume inspect`.
import { volumeInspect } from '../../grammar/volume.table.ts';
import type { Command } from '../../session.ts';
import { inspectObjects } from '../inspect-objects.ts';

/** Shows everything about volumes. */
export const command: Command = {
  spec: volumeInspect,
  run: (session, { flags, args }) =>
    inspectObjects(session, args, flags.text('format'), async (name) => ({
      kind: 'volume',
      json: await session.client().volumes.inspectText(name),
      typedOnly: true,
    })),
};
