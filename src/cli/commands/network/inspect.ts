// Owns `network inspect`.
import { networkInspect } from '../../grammar/network.table.ts';
import type { Command } from '../../session.ts';
import { inspectObjects } from '../inspect-objects.ts';

/** Shows everything about networks. */
export const command: Command = {
  spec: networkInspect,
  run: (session, { flags, args }) =>
    inspectObjects(session, args, flags.text('format'), async (name) => ({
      kind: 'network',
      json: await session.client().networks.inspectText(name, { verbose: flags.bool('verbose') }),
    })),
};
