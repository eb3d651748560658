// Owns how much disk images take: layers counted once, and what is shared. Pure but for the records.

import type { Digest } from '../../spec/digest.ts';
import type { ImageContext } from './context.ts';
import type { ImagesUsage } from './types.ts';

/** Sizes of an image's layers, base first. */
export function layerSizes({ records, layers }: ImageContext, id: Digest): readonly number[] {
  return records.stored(id)?.facts.diffIds.map((diffId) => layers.get(diffId)?.sizeBytes ?? 0) ?? [];
}

/** Also images count that are removed but still used by containers: their layers take room, and are shared. */
export function usageOf({ records, layers }: ImageContext): ImagesUsage {
  const images = records.allStored().map(({ id, facts }) => ({ id, diffIds: [...new Set(facts.diffIds)] }));
  const users = new Map<Digest, number>();
  for (const { diffIds } of images) for (const diffId of diffIds) users.set(diffId, (users.get(diffId) ?? 0) + 1);
  const sum = (diffIds: Iterable<Digest>): number => {
    let bytes = 0;
    for (const diffId of diffIds) bytes += layers.get(diffId)?.sizeBytes ?? 0;
    return bytes;
  };
  return {
    layersBytes: sum(users.keys()),
    sharedBytes: new Map(
      images.map(({ id, diffIds }) => [id, sum(diffIds.filter((diffId) => (users.get(diffId) ?? 0) > 1))]),
    ),
  };
}
