// Owns `search`.
import type { ImageSearchItem } from '../../../spec/docker/route-replies.ts';
import { encodeRegistryAuth, findCredentials, HUB_SERVER, serverKey } from '../../config/credentials.ts';
import { filtersOrNone } from '../../filters.ts';
import { search } from '../../grammar/image.table.ts';
import { type ListStyle, readListFormat, renderList } from '../../render/list.ts';
import { ellipsis } from '../../render/units.ts';
import type { Command } from '../../session.ts';
import { JSON_ROW, type TemplateMap, TYPE_NAME } from '../../template/index.ts';

const DESCRIPTION_WIDTH = 45;

/** Formats of `search`. @source docker 28.2.2 */
const STYLE: ListStyle = {
  table: '{{.Name}}\\t{{.Description}}\\t{{.StarCount}}\\t{{.IsOfficial}}',
  quiet: '{{.Name}}',
  headings: { Name: 'NAME', Description: 'DESCRIPTION', StarCount: 'STARS', IsOfficial: 'OFFICIAL' },
};

/** Searches a registry (the one that the term begins with, or Docker Hub) through the daemon. */
export const command: Command = {
  spec: search,
  run: async (session, { flags, args }) => {
    const term = args[0] ?? '';
    const format = readListFormat(flags.text('format'), false, STYLE);
    const found = await session.client().images.search(term, {
      limit: flags.number('limit'),
      filters: filtersOrNone(flags.list('filter')),
      registryAuth: encodeRegistryAuth(await findCredentials(session.config(), serverOf(term))),
    });
    const trunc = !flags.bool('no-trunc');
    session.out(
      renderList(
        format,
        STYLE,
        found.map((result) => searchRow(result, trunc)),
      ),
    );
    return 0;
  },
};

/** A term that begins with a host searches there. */
function serverOf(term: string): string {
  const [first = '', rest] = term.split('/');
  return rest !== undefined && (/[.:]/.test(first) || first === 'localhost') ? serverKey(first) : HUB_SERVER;
}

function searchRow(result: ImageSearchItem, trunc: boolean): TemplateMap {
  const text = result.description.replace(/[\r\n]/g, ' ');
  const description = trunc ? ellipsis(text, DESCRIPTION_WIDTH) : text;
  const row = (official: string) => ({
    [TYPE_NAME]: '*registry.searchContext',
    Description: () => description,
    IsOfficial: () => official,
    Name: () => result.name,
    StarCount: () => String(result.star_count),
  });
  return { ...row(result.is_official ? '[OK]' : ''), [JSON_ROW]: row(String(result.is_official)) };
}
