// Owns `system prune`: every kind of unused objects, one after the other.
import { type Filters, isApiError } from '../../../client/index.ts';
import { confirm } from '../../confirm.ts';
import { CommandFailure } from '../../failure.ts';
import { systemPrune } from '../../grammar/system.table.ts';
import { type Pruned, pruned, pruneFilters, reclaimedText } from '../../prune.ts';
import type { Command, Invocation, Session } from '../../session.ts';
import { pruneContainers } from '../container/prune.ts';
import { pruneImages } from '../image/prune.ts';
import { pruneNetworks } from '../network/prune.ts';
import { pruneVolumes } from '../volume/prune.ts';

/** Removes stopped containers, unused networks and images, build cache, and with --volumes anonymous volumes. */
export const command: Command = {
  spec: systemPrune,
  run: async (session, { flags }) => {
    const [all, volumes] = [flags.bool('all'), flags.bool('volumes')];
    const filters = pruneFilters(session, flags.list('filter'));
    if (volumes && filters.until !== undefined) {
      throw new CommandFailure(1, 'ERROR: The "until" filter is not supported with "--volumes"');
    }
    if (!flags.bool('force') && !(await confirm(session, warningText(flags, filters)))) return 0;
    const kinds: readonly (() => Promise<Pruned>)[] = [
      () => pruneContainers(session, filters),
      () => pruneNetworks(session, filters),
      ...(volumes ? [() => pruneVolumes(session, filters)] : []),
      () => pruneImages(session, filters, all),
      () => pruneBuildCache(session, filters, all),
    ];
    let total = 0;
    for (const prune of kinds) {
      const { text, bytes } = await prune();
      if (text !== '') session.line(text);
      total += bytes;
    }
    session.line(reclaimedText(total));
    return 0;
  },
};

function warningText(flags: Invocation['flags'], filters: Filters): string {
  const all = flags.bool('all');
  const lines = [
    'all stopped containers',
    'all networks not used by at least one container',
    ...(flags.bool('volumes') ? ['all anonymous volumes not used by at least one container'] : []),
    all ? 'all images without at least one container associated to them' : 'all dangling images',
    all ? 'all build cache' : 'unused build cache',
  ];
  const filterLines = Object.entries(filters).flatMap(([key, values]) => values.map((value) => `  - ${key}=${value}`));
  const filtered =
    filterLines.length === 0 ? '' : `\n  Items to be pruned will be filtered with:\n${filterLines.sort().join('\n')}\n`;
  return `WARNING! This will remove:\n${lines.map((line) => `  - ${line}\n`).join('')}${filtered}`;
}

/** A daemon that cannot build has no cache. */
async function pruneBuildCache(session: Session, filters: Filters, all: boolean): Promise<Pruned> {
  try {
    const answer = await session.client().system.pruneBuildCache({ all, filters });
    return pruned('Deleted build cache objects', answer.CachesDeleted ?? [], answer.SpaceReclaimed);
  } catch (error) {
    if (isApiError(error, 404) || isApiError(error, 501)) return pruned('', []);
    throw error;
  }
}
