// Owns the rows of `system df`: how much each kind of objects takes.
import type { DiskUsage } from '../../../spec/docker/route-replies.ts';
import type { BuildCache, ContainerSummary, ImageSummary, Volume } from '../../../spec/docker/types.gen.ts';
import { humanSize } from '../../render/units.ts';
import { type TemplateMap, TYPE_NAME } from '../../template/index.ts';

/** A row for each kind of objects. @source docker 28.2.2 */
export function summaryRows(usage: DiskUsage): TemplateMap[] {
  return [
    imageSummary(usage.Images ?? [], usage.LayersSize ?? 0),
    containerSummary(usage.Containers ?? []),
    volumeSummary(usage.Volumes ?? []),
    cacheSummary(usage.BuildCache ?? []),
  ];
}

function summaryRow(
  kind: string,
  name: string,
  facts: { total: number; active: number; bytes: number; reclaimable: string },
): TemplateMap {
  return {
    [TYPE_NAME]: `*formatter.diskUsage${kind}Context`,
    Active: () => String(facts.active),
    Reclaimable: () => facts.reclaimable,
    Size: () => humanSize(facts.bytes, 4),
    TotalCount: () => String(facts.total),
    Type: () => name,
  };
}

/** `1MB (99%)`. */
function share(bytes: number, of: number): string {
  return of > 0 ? `${humanSize(bytes, 4)} (${Math.trunc((bytes * 100) / of)}%)` : humanSize(bytes, 4);
}

const sum = (numbers: readonly number[]): number => numbers.reduce((total, number) => total + number, 0);

function imageSummary(images: readonly ImageSummary[], layerBytes: number): TemplateMap {
  const inUse = images.filter((image) => (image.Containers ?? 0) !== 0);
  const known = inUse.filter((image) => image.Size !== -1 && image.SharedSize !== -1);
  const used = sum(known.map((image) => (image.Size ?? 0) - (image.SharedSize ?? 0)));
  return summaryRow('Images', 'Images', {
    total: images.length,
    active: images.filter((image) => (image.Containers ?? 0) > 0).length,
    bytes: layerBytes,
    reclaimable: share(layerBytes - used, layerBytes),
  });
}

function containerSummary(containers: readonly ContainerSummary[]): TemplateMap {
  const isActive = ({ State = '' }: ContainerSummary): boolean => /running|paused|restarting/.test(State);
  const bytesOf = (list: readonly ContainerSummary[]): number => sum(list.map((container) => container.SizeRw ?? 0));
  const bytes = bytesOf(containers);
  return summaryRow('Containers', 'Containers', {
    total: containers.length,
    active: containers.filter(isActive).length,
    bytes,
    reclaimable: share(bytesOf(containers.filter((container) => !isActive(container))), bytes),
  });
}

function volumeSummary(volumes: readonly Volume[]): TemplateMap {
  const measured = volumes.filter((volume) => volume.UsageData && volume.UsageData.Size !== -1);
  const bytesOf = (list: readonly Volume[]): number => sum(list.map((volume) => volume.UsageData?.Size ?? 0));
  const bytes = bytesOf(measured);
  return summaryRow('Volumes', 'Local Volumes', {
    total: volumes.length,
    active: volumes.filter((volume) => (volume.UsageData?.RefCount ?? 0) > 0).length,
    bytes,
    reclaimable: share(bytesOf(measured.filter((volume) => volume.UsageData?.RefCount === 0)), bytes),
  });
}

function cacheSummary(cache: readonly BuildCache[]): TemplateMap {
  const own = cache.filter((entry) => !entry.Shared);
  return summaryRow('Builder', 'Build Cache', {
    total: cache.length,
    active: cache.filter((entry) => entry.InUse).length,
    bytes: cacheBytes(cache),
    reclaimable: humanSize(sum(own.filter((entry) => !entry.InUse).map((entry) => entry.Size ?? 0)), 4),
  });
}

/** What the build cache takes, without what images share with it. */
export const cacheBytes = (cache: readonly BuildCache[]): number =>
  sum(cache.filter((entry) => !entry.Shared).map((entry) => entry.Size ?? 0));
