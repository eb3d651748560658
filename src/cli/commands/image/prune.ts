// Owns `image prune`.
import type { Filters } from '../../../client/index.ts';
import { confirm } from '../../confirm.ts';
import { imagePrune } from '../../grammar/image.table.ts';
import { type Pruned, pruned, pruneFilters, reclaimedText } from '../../prune.ts';
import type { Command, Session } from '../../session.ts';

const DANGLING_WARNING = 'WARNING! This will remove all dangling images.';
const ALL_WARNING = 'WARNING! This will remove all images without at least one container associated to them.';

/** Removes dangling images, or with `all` every unused one. */
export async function pruneImages(session: Session, filters: Filters, all: boolean): Promise<Pruned> {
  const answer = await session
    .client()
    .images.prune({ ...filters, dangling: [...(filters.dangling ?? []), String(!all)] });
  const lines = (answer.ImagesDeleted ?? []).map((item) =>
    item.Untagged ? `untagged: ${item.Untagged}` : `deleted: ${item.Deleted ?? ''}`,
  );
  return pruned('Deleted Images', lines, answer.SpaceReclaimed);
}

/** Removes dangling images, or with --all every unused one. */
export const command: Command = {
  spec: imagePrune,
  run: async (session, { flags }) => {
    const all = flags.bool('all');
    if (!flags.bool('force') && !(await confirm(session, all ? ALL_WARNING : DANGLING_WARNING))) return 0;
    const { text, bytes } = await pruneImages(session, pruneFilters(session, flags.list('filter')), all);
    if (text !== '') session.line(text);
    session.line(reclaimedText(bytes));
    return 0;
  },
};
