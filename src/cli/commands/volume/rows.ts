// Owns what a row of `volume ls` shows.
import type { Volume } from '../../../spec/docker/types.gen.ts';
import type { ListStyle } from '../../render/list.ts';
import { humanSize } from '../../render/units.ts';
import { type TemplateMap, TYPE_NAME } from '../../template/index.ts';

/** Formats of `volume ls`. @source docker 28.2.2 */
export const VOLUME_STYLE: ListStyle = {
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

/** A row of a volume; its size and users are known where the daemon measured them. */
export function volumeRow(volume: Volume): TemplateMap {
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
    Links: () => (volume.UsageData ? String(volume.UsageData.RefCount) : 'N/A'),
    Mountpoint: () => volume.Mountpoint ?? '',
    Name: () => volume.Name ?? '',
    Scope: () => volume.Scope ?? '',
    Size: () => (volume.UsageData ? humanSize(volume.UsageData.Size ?? 0, 4) : 'N/A'),
    Status: na,
  };
}
