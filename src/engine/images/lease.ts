// Owns lending an image's layers to a container.

import { join } from 'node:path';
import type { Digest } from '../../spec/digest.ts';
import type { ImageContext } from './context.ts';
import { layerLost, noSuchImage } from './errors.ts';
import type { RootfsLease } from './types.ts';

/** Absolute lower directories, topmost first; [] when some layer is not there. */
export function layerPaths(context: ImageContext, id: Digest): readonly string[] {
  const layers = context.records.stored(id)?.facts.diffIds.map((diffId) => context.layers.get(diffId)) ?? [];
  const there = layers.filter((layer) => layer !== undefined);
  if (there.length !== layers.length) return [];
  return [...new Set(there.reverse().map(({ directory }) => join(context.layers.layersDir, directory)))];
}

/** Holds the layers of `id`, which may be removed but still used. @throws NO_SUCH_IMAGE, LAYER_LOST */
export async function leaseImage(context: ImageContext, id: Digest): Promise<RootfsLease> {
  const image = context.records.stored(id);
  if (!image) throw noSuchImage(id);
  const lease = context.leased(id);
  try {
    const directories: string[] = [];
    for (const diffId of image.facts.diffIds) {
      const damage = await context.layers.whyUnusable(diffId);
      const layer = context.layers.get(diffId);
      if (damage !== undefined || !layer) throw layerLost(diffId, id, damage ?? 'it is not there');
      directories.push(layer.directory);
    }
    // overlayfs refuses a directory twice. The topmost of equal layers decides every path of theirs, so it alone is enough.
    const lowerDirs = [...new Set(directories.reverse())];
    return {
      layersDir: context.layers.layersDir,
      lowerDirs,
      [Symbol.asyncDispose]: () => lease[Symbol.asyncDispose](),
    };
  } catch (error) {
    await lease[Symbol.asyncDispose]();
    throw error;
  }
}
