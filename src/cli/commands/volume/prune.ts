// Owns `volume prune`.
import type { Filters } from '../../../client/index.ts';
import { confirm } from '../../confirm.ts';
import { CommandFailure } from '../../failure.ts';
import { volumePrune } from '../../grammar/volume.table.ts';
import { orNone, type Pruned, pruned, pruneFilters, reclaimedText } from '../../prune.ts';
import type { Command, Session } from '../../session.ts';

const ANONYMOUS_WARNING = 'WARNING! This will remove anonymous local volumes not used by at least one container.';
const ALL_WARNING = 'WARNING! This will remove all local volumes not used by at least one container.';

/** Removes unused volumes, the anonymous ones unless a filter says `all`. */
export async function pruneVolumes(session: Session, filters: Filters): Promise<Pruned> {
  const answer = await session.client().volumes.prune(orNone(filters));
  return pruned('Deleted Volumes', answer.VolumesDeleted ?? [], answer.SpaceReclaimed);
}

/** Removes unused anonymous volumes, or with --all every unused one. */
export const command: Command = {
  spec: volumePrune,
  run: async (session, { flags }) => {
    const filters = pruneFilters(session, flags.list('filter'));
    const all = flags.bool('all');
    if (all && filters.all !== undefined) {
      throw new CommandFailure(1, 'conflicting options: cannot specify both --all and --filter all=1');
    }
    if (all) filters.all = ['true'];
    if (!flags.bool('force') && !(await confirm(session, all ? ALL_WARNING : ANONYMOUS_WARNING))) return 0;
    const { text, bytes } = await pruneVolumes(session, filters);
    if (text !== '') session.line(text);
    session.line(reclaimedText(bytes));
    return 0;
  },
};
