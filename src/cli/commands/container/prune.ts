// Owns `container prune`.
import { confirm } from '../../confirm.ts';
import { filtersOrNone } from '../../filters.ts';
import { containerPrune } from '../../grammar/container.table.ts';
import { humanSize } from '../../render/units.ts';
import type { Command } from '../../session.ts';

const WARNING = 'WARNING! This will remove all stopped containers.';

/** Removes every stopped container. */
export const command: Command = {
  spec: containerPrune,
  run: async (session, { flags }) => {
    if (!flags.bool('force') && !(await confirm(session, WARNING))) return 0;
    const pruned = await session.client().containers.prune(filtersOrNone(flags.list('filter')));
    const ids = pruned.ContainersDeleted ?? [];
    if (ids.length > 0) session.out(`Deleted Containers:\n${ids.join('\n')}\n\n`);
    session.line(`Total reclaimed space: ${humanSize(pruned.SpaceReclaimed ?? 0, 4)}`);
    return 0;
  },
};
