// Owns `volume ls`.
import type { Volume } from '../../../spec/docker/types.gen.ts';
import { filtersOrNone } from '../../filters.ts';
import { volumeLs } from '../../grammar/volume.table.ts';
import { type ListStyle, readListFormat, renderList } from '../../render/list.ts';
import { naturalCompare } from '../../render/natural-order.ts';
import type { Command } from '../../session.ts';
import { type TemplateMap, TYPE_NAME } from '../../template/index.ts';

/** Formats of `volume ls`. @source docker 28.2.2 */
const STYLE: ListStyle = {
  table: '{{.Driver}}\\t{{.Name}}',
  quiet: '{{.Name}}',
  raw: 'name: {{.Name}}\ndriver: {{.Driver}}\n',
  headings: {
    Name: 'VOLUME NAME',
    Driver: 'DRIVER',
    Scope: 'SCOPE',
    Mountpoint: 'MOUNTPOINT',
    Labels: 'LABELS',
    Links: 'LINKS',
    Size: 'SIZE',
    Availability: 'AVAILABILITY',
    Group: 'GROUP',
    Status: 'STATUS',
  },
};

/** Lists volumes. */
export const command: Command = {
  spec: volumeLs,
  run: async (session, { flags }) => {
    const quiet = flags.bool('quiet');
    const source = flags.text('format') || (quiet ? '' : session.config().format('volumesFormat'));
    const format = readListFormat(source, quiet, STYLE);
    const listed = await session.client().volumes.list(filtersOrNone(flags.list('filter')));
    for (const warning of listed.Warnings ?? []) session.warn(`WARNING: ${warning}`);
    const volumes = [...(listed.Volumes ?? [])].sort((left, right) =>
      naturalCompare(left.Name ?? '', right.Name ?? ''),
    );
    session.out(renderList(format, STYLE, volumes.map(volumeRow)));
    return 0;
  },
};

function volumeRow(volume: Volume): TemplateMap {
  const labels = volume.Labels ?? {};
  const na = (): string => 'N/A';
  return {
    [TYPE_NAME]: '*formatter.volumeContext',
    Availability: na,
    Driver: () => volume.Driver ?? '',
    Group: na,
    Label: (name: unknown) => labels[String(name)] ?? '',
    Labels: () =>
      Object.entries(labels)
        .map(([key, value]) => `${key}=${value}`)
        .join(','),
    Links: na,
    Mountpoint: () => volume.Mountpoint ?? '',
    Name: () => volume.Name ?? '',
    Scope: () => volume.Scope ?? '',
    Size: na,
    Status: na,
  };
}
