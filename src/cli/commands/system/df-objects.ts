// Owns what `system df -v` shows: every object.
import type { DiskUsage } from '../../../spec/docker/route-replies.ts';
import type { BuildCache, ContainerSummary } from '../../../spec/docker/types.gen.ts';
import { renderTable } from '../../render/list.ts';
import { agoText, goTimeText, humanSize } from '../../render/units.ts';
import { JSON_ROW, type TemplateMap, TYPE_NAME } from '../../template/index.ts';
import { containerRow } from '../container/rows.ts';
import { diskImageRow } from '../image/rows.ts';
import { volumeRow } from '../volume/rows.ts';
import { cacheBytes } from './df-summary.ts';

/** The rows of every kind of objects. */
export interface VerboseRows {
  readonly Images: readonly TemplateMap[];
  readonly Containers: readonly TemplateMap[];
  readonly Volumes: readonly TemplateMap[];
  readonly BuildCache: readonly TemplateMap[];
}

/** JSON shows whole IDs. */
const cutRow = (row: (trunc: boolean) => TemplateMap): TemplateMap => ({ ...row(true), [JSON_ROW]: row(false) });

/** Every object's row. */
export function verboseRows(usage: DiskUsage, nowMs: number): VerboseRows {
  // The size of the image is not the container's.
  const own = (container: ContainerSummary): ContainerSummary => ({ ...container, SizeRootFs: 0 });
  return {
    Images: (usage.Images ?? []).map((image) => cutRow((trunc) => diskImageRow(image, trunc, nowMs))),
    Containers: (usage.Containers ?? []).map((container) =>
      cutRow((trunc) => containerRow(own(container), trunc, nowMs)),
    ),
    Volumes: (usage.Volumes ?? []).map(volumeRow),
    BuildCache: [...(usage.BuildCache ?? [])]
      .sort(byLastUse)
      .map((entry) => cutRow((trunc) => cacheRow(entry, trunc, nowMs))),
  };
}

/** What was never used comes first, then the longest unused. */
function byLastUse(left: BuildCache, right: BuildCache): number {
  const [first, second] = [left, right].map((entry) => (entry.LastUsedAt ? Date.parse(entry.LastUsedAt) : -1));
  return (first ?? 0) - (second ?? 0) || ((left.ID ?? '') < (right.ID ?? '') ? -1 : 1);
}

const SHORT_CACHE_ID = 12;

function cacheRow(entry: BuildCache, trunc: boolean, nowMs: number): TemplateMap {
  const seconds = (text: string | null | undefined): number => Date.parse(text ?? '') / 1000;
  const id = `${trunc ? (entry.ID ?? '').slice(0, SHORT_CACHE_ID) : (entry.ID ?? '')}${entry.InUse ? '*' : ''}`;
  return {
    [TYPE_NAME]: '*formatter.buildCacheContext',
    CacheType: () => entry.Type ?? '',
    CreatedAt: () => goTimeText(seconds(entry.CreatedAt)),
    CreatedSince: () => agoText(seconds(entry.CreatedAt), nowMs),
    Description: () => entry.Description ?? '',
    ID: () => id,
    InUse: () => String(entry.InUse ?? false),
    LastUsedAt: () => (entry.LastUsedAt ? goTimeText(seconds(entry.LastUsedAt)) : ''),
    LastUsedSince: () => (entry.LastUsedAt ? agoText(seconds(entry.LastUsedAt), nowMs) : ''),
    Parent: () => '',
    Shared: () => String(entry.Shared ?? false),
    Size: () => humanSize(entry.Size ?? 0),
    UsageCount: () => String(entry.UsageCount ?? 0),
  };
}

/** Column headings by field, in order. */
type Columns = Readonly<Record<string, string>>;

const IMAGE_COLUMNS: Columns = {
  Repository: 'REPOSITORY',
  Tag: 'TAG',
  ID: 'IMAGE ID',
  CreatedSince: 'CREATED',
  Size: 'SIZE',
  SharedSize: 'SHARED SIZE',
  UniqueSize: 'UNIQUE SIZE',
  Containers: 'CONTAINERS',
};
const CONTAINER_COLUMNS: Columns = {
  ID: 'CONTAINER ID',
  Image: 'IMAGE',
  Command: 'COMMAND',
  LocalVolumes: 'LOCAL VOLUMES',
  Size: 'SIZE',
  RunningFor: 'CREATED',
  Status: 'STATUS',
  Names: 'NAMES',
};
const VOLUME_COLUMNS: Columns = { Name: 'VOLUME NAME', Links: 'LINKS', Size: 'SIZE' };
const CACHE_COLUMNS: Columns = {
  ID: 'CACHE ID',
  CacheType: 'CACHE TYPE',
  Size: 'SIZE',
  CreatedSince: 'CREATED',
  LastUsedSince: 'LAST USED',
  UsageCount: 'USAGE',
  Shared: 'SHARED',
};

/** A table for each kind. @source docker 28.2.2 */
export function verboseTables(rows: VerboseRows, usage: DiskUsage): string {
  return [
    `Images space usage:\n\n${renderTable(IMAGE_COLUMNS, rows.Images)}`,
    `Containers space usage:\n\n${renderTable(CONTAINER_COLUMNS, rows.Containers)}`,
    `Local Volumes space usage:\n\n${renderTable(VOLUME_COLUMNS, rows.Volumes)}`,
    `Build cache usage: ${humanSize(cacheBytes(usage.BuildCache ?? []), 4)}\n\n${renderTable(CACHE_COLUMNS, rows.BuildCache)}`,
  ].join('\n');
}
