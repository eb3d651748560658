// Owns `image ls`, known as `images`.
import { filtersOf } from '../../filters.ts';
import { imageLs } from '../../grammar/image.table.ts';
import { readListFormat, renderList, usesField } from '../../render/list.ts';
import type { Command } from '../../session.ts';
import { imageListStyle, imageRows } from './rows.ts';

/** Lists images. */
export const command: Command = {
  spec: imageLs,
  run: async (session, { flags, args }) => {
    const style = imageListStyle(flags.bool('digests'));
    const source = flags.text('format') || (flags.bool('quiet') ? '' : session.config().format('imagesFormat'));
    const format = readListFormat(source, flags.bool('quiet'), style);
    const filters = filtersOf(flags.list('filter'));
    if (args[0] !== undefined) filters.reference = [...(filters.reference ?? []), args[0]];
    const images = await session.client().images.list({ all: flags.bool('all'), filters });
    const options = {
      trunc: !flags.bool('no-trunc'),
      digests: flags.bool('digests') || usesField(format, 'Digest'),
      nowMs: session.now(),
    };
    session.out(
      renderList(
        format,
        style,
        images.flatMap((image) => imageRows(image, options)),
      ),
    );
    return 0;
  },
};
