// Owns lending an image's layers to a container.

import { join } from 'node:path';
import { GantryError } from '../../lib/errors.ts';
import type { Digest } from '../../spec/digest.ts';
import type { ImageContext } from './context.ts';
import { noSuchImage } from './errors.ts';
import type { RootfsLease } from './types.ts';

/** Absolute lower directories, topmost first; [] when some layer is not there. */
export function layerPaths(context: ImageContext, id: Digest): readonly string[] {
  const layers = context.records.stored(id)?.facts.diffIds.map((diffId) => context.layers.get(diffId)) ?? [];
  const there = layers.filter((layer) => layer !== undefined);
  if (there.length !== layers.length) return [];
  return [...new Set(there.reverse().map(({ directory }) => join(context.layers.layersDir, directory)))];
}

/** Holds the layers of `id`, which may be removed but still used. @throws NO_SUCH_IMAGE, LAYER_MISSING */
export function leaseImage(context: ImageContext, id: Digest): RootfsLease {
  const image = context.records.stored(id);
  if (!image) throw noSuchImage(id);
  const directories = image.facts.diffIds.map((diffId) => {
    const layer = context.layers.get(diffId);
    if (!layer) {
      throw new GantryError('system', 'LAYER_MISSING', `layer ${diffId} of image ${id} is missing`, {
        hint: 'remove the image and pull or load it again',
      });
    }
    return layer.directory;
  });
  // overlayfs refuses a directory twice. The topmost of equal layers decides every path of theirs, so it alone is enough.
  const lowerDirs = [...new Set(directories.reverse())];
  const lease = context.leased(id);
  return { layersDir: context.layers.layersDir, lowerDirs, [Symbol.asyncDispose]: () => lease[Symbol.asyncDispose]() };
}
