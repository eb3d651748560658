// Owns `container ls`, known as `ps`.

import { filtersOrNone } from '../../filters.ts';
import { containerLs } from '../../grammar/container.table.ts';
import { readListFormat, renderList, tryFormat, usesField } from '../../render/list.ts';
import type { Command } from '../../session.ts';
import { containerListStyle, containerRow } from './rows.ts';

/** Lists containers. */
export const command: Command = {
  spec: containerLs,
  run: async (session, { flags }) => {
    const style = containerListStyle(flags.bool('size'));
    const given = flags.text('format');
    // Docker tries the template on an empty row first, so that a bad field fails without containers, too.
    if (given !== '') tryFormat(given, style, containerRow({}, true, session.now()));
    const quiet = flags.bool('quiet');
    if (quiet && given !== '')
      session.warn('WARNING: Ignoring custom format, because both --format and --quiet are set.');
    const source = quiet ? '' : given || session.config().format('psFormat');
    const format = readListFormat(source, quiet, style);
    const limit = flags.bool('latest') && flags.number('last') === -1 ? 1 : flags.number('last');
    const containers = await session.client().containers.list({
      all: flags.bool('all'),
      limit: limit > 0 ? limit : undefined,
      size: flags.bool('size') || (given !== '' && usesField(format, 'Size')),
      filters: filtersOrNone(flags.list('filter')),
    });
    const trunc = !flags.bool('no-trunc');
    const now = session.now();
    session.out(
      renderList(
        format,
        style,
        containers.map((container) => containerRow(container, trunc, now)),
      ),
    );
    return 0;
  },
};
