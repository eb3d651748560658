// Owns `volume ls`.
import { filtersOrNone } from '../../filters.ts';
import { volumeLs } from '../../grammar/volume.table.ts';
import { readListFormat, renderList } from '../../render/list.ts';
import { naturalCompare } from '../../render/natural-order.ts';
import type { Command } from '../../session.ts';
import { VOLUME_STYLE, volumeRow } from './rows.ts';

/** Lists volumes. */
export const command: Command = {
  spec: volumeLs,
  run: async (session, { flags }) => {
    const quiet = flags.bool('quiet');
    const source = flags.text('format') || (quiet ? '' : session.config().format('volumesFormat'));
    const format = readListFormat(source, quiet, VOLUME_STYLE);
    const listed = await session.client().volumes.list(filtersOrNone(flags.list('filter')));
    for (const warning of listed.Warnings ?? []) session.warn(`WARNING: ${warning}`);
    const volumes = [...(listed.Volumes ?? [])].sort((left, right) =>
      naturalCompare(left.Name ?? '', right.Name ?? ''),
    );
    session.out(renderList(format, VOLUME_STYLE, volumes.map(volumeRow)));
    return 0;
  },
};
