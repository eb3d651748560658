// Owns GET /system/df out of what the engine's faces tell. Walks no disk beyond the writable layers.

import type { Engine } from '../../engine/types.ts';
import { GantryError } from '../../lib/errors.ts';
import { parseQuery } from '../../spec/docker/decode-query.ts';
import type { DiskUsage } from '../../spec/docker/route-replies.ts';
import type { Volume } from '../../spec/docker/types.gen.ts';
import { imageSummaryView } from '../views/image.ts';
import { volumeView } from '../views/volume.ts';
import { listContainers } from './container-list.ts';
import { containersPerImage } from './image-list.ts';

const TYPES = ['container', 'image', 'volume', 'build-cache'];

/** Everything, or the object types asked for. @throws BAD_TYPE with Docker's text */
export async function diskUsage(engine: Engine, types: readonly string[]): Promise<DiskUsage> {
  const unknown = types.find((type) => !TYPES.includes(type));
  if (unknown !== undefined) throw new GantryError('invalid', 'BAD_TYPE', `unknown object type: ${unknown}`);
  const wants = (type: string): boolean => types.length === 0 || types.includes(type);
  const images = wants('image') ? imageLines(engine) : undefined;
  return {
    LayersSize: images?.layersBytes ?? 0,
    Images: images?.lines ?? null,
    Containers: wants('container') ? await listContainers(engine, parseQuery('all=1&size=1')) : null,
    Volumes: wants('volume') ? volumeLines(engine) : null,
    BuildCache: wants('build-cache') ? [] : null,
  };
}

function imageLines(engine: Engine): { readonly layersBytes: number; readonly lines: DiskUsage['Images'] } {
  const counts = containersPerImage(engine);
  const { layersBytes, sharedBytes } = engine.images.usage();
  const lines = engine.images.list().map((image) => ({
    ...imageSummaryView(image, { containers: counts(image.id), sharedBytes: sharedBytes.get(image.id) ?? 0 }),
    // Where a list has an empty one, this has none. @source dockerd 28.5
    RepoDigests: image.repoDigests.length > 0 ? image.repoDigests : null,
    RepoTags: image.repoTags.length > 0 ? image.repoTags : null,
  }));
  return { layersBytes, lines };
}

function volumeLines(engine: Engine): readonly Volume[] {
  const uses = new Map<string, number>();
  for (const { record } of engine.containers.list({ all: true, filters: new Map() })) {
    for (const mount of record.mounts) {
      if (mount.type === 'volume' && mount.name) uses.set(mount.name, (uses.get(mount.name) ?? 0) + 1);
    }
  }
  return engine.volumes.list(new Map()).map((volume) => ({
    ...volumeView(volume),
    UsageData: { RefCount: uses.get(volume.name) ?? 0, Size: -1 },
  }));
}
