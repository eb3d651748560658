// Owns `container prune`.
import type { Filters } from '../../../client/index.ts';
import { confirm } from '../../confirm.ts';
import { containerPrune } from '../../grammar/container.table.ts';
import { orNone, type Pruned, pruned, pruneFilters, reclaimedText } from '../../prune.ts';
import type { Command, Session } from '../../session.ts';

const WARNING = 'WARNING! This will remove all stopped containers.';

/** Removes every stopped container that the filters let through. */
export async function pruneContainers(session: Session, filters: Filters): Promise<Pruned> {
  const answer = await session.client().containers.prune(orNone(filters));
  return pruned('Deleted Containers', answer.ContainersDeleted ?? [], answer.SpaceReclaimed);
}

/** Removes every stopped container. */
export const command: Command = {
  spec: containerPrune,
  run: async (session, { flags }) => {
    if (!flags.bool('force') && !(await confirm(session, WARNING))) return 0;
    const { text, bytes } = await pruneContainers(session, pruneFilters(session, flags.list('filter')));
    if (text !== '') session.line(text);
    session.line(reclaimedText(bytes));
    return 0;
  },
};
