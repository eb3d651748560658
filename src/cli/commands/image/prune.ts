// Owns `image prune`.
import { confirm } from '../../confirm.ts';
import { filtersOf } from '../../filters.ts';
import { imagePrune } from '../../grammar/image.table.ts';
import { humanSize } from '../../render/units.ts';
import type { Command } from '../../session.ts';

const DANGLING_WARNING = 'WARNING! This will remove all dangling images.';
const ALL_WARNING = 'WARNING! This will remove all images without at least one container associated to them.';

/** Removes dangling images, or with --all every unused one. */
export const command: Command = {
  spec: imagePrune,
  run: async (session, { flags }) => {
    const all = flags.bool('all');
    if (!flags.bool('force') && !(await confirm(session, all ? ALL_WARNING : DANGLING_WARNING))) return 0;
    const filters = filtersOf(flags.list('filter'));
    filters.dangling = [...(filters.dangling ?? []), String(!all)];
    const pruned = await session.client().images.prune(filters);
    const lines = (pruned.ImagesDeleted ?? []).map((item) =>
      item.Untagged ? `untagged: ${item.Untagged}` : `deleted: ${item.Deleted ?? ''}`,
    );
    if (lines.length > 0) session.out(`Deleted Images:\n${lines.join('\n')}\n\n`);
    session.line(`Total reclaimed space: ${humanSize(pruned.SpaceReclaimed ?? 0, 4)}`);
    return 0;
  },
};
