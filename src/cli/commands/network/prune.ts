// Owns `network prune`.
import type { Filters } from '../../../client/index.ts';
import { confirm } from '../../confirm.ts';
import { networkPrune } from '../../grammar/network.table.ts';
import { orNone, type Pruned, pruned, pruneFilters } from '../../prune.ts';
import type { Command, Session } from '../../session.ts';

const WARNING = 'WARNING! This will remove all custom networks not used by at least one container.';

/** Removes every unused network of a user's. */
export async function pruneNetworks(session: Session, filters: Filters): Promise<Pruned> {
  const answer = await session.client().networks.prune(orNone(filters));
  return pruned('Deleted Networks', answer.NetworksDeleted ?? []);
}

/** Removes every unused network of a user's. */
export const command: Command = {
  spec: networkPrune,
  run: async (session, { flags }) => {
    if (!flags.bool('force') && !(await confirm(session, WARNING))) return 0;
    const { text } = await pruneNetworks(session, pruneFilters(session, flags.list('filter')));
    if (text !== '') session.line(text);
    return 0;
  },
};
