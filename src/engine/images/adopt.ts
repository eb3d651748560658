// Owns taking up images whose records were lost: their layers and configurations are still there, their names are not.

import { parseImageConfig } from '../../spec/oci/image-config.ts';
import type { ImageContext } from './context.ts';

/** Registers every image of which the configuration and all layers are there. Resolves to how many layers and images came back. */
export async function adoptImages(
  context: ImageContext,
): Promise<{ readonly layers: number; readonly images: number }> {
  const layers = await context.layers.adopt();
  let images = 0;
  for (const digest of await context.blobs.list()) {
    if (context.records.stored(digest)) continue;
    try {
      const facts = parseImageConfig(await context.blobs.read(digest));
      if (facts.diffIds.length === 0 || !facts.diffIds.every((diffId) => context.layers.get(diffId))) continue;
      context.register(digest, facts, []);
      images++;
    } catch {
      // A manifest, or a blob that is damaged.
    }
  }
  return { layers, images };
}
