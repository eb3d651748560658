// Owns loading images out of an archive: everything is verified before any of it is named.

import { shortId } from '../../lib/ids.ts';
import { type Digest, hexOf } from '../../spec/digest.ts';
import { parseImageConfig } from '../../spec/oci/image-config.ts';
import { canonicalReference, familiarReference } from '../../spec/reference.ts';
import { type ArchivedImage, decompressed, imagesIn, type Spool, spoolArchive } from './archive/index.ts';
import type { ImageContext } from './context.ts';
import { badArchive } from './errors.ts';
import { countedProgress } from './progress.ts';
import { Semaphore } from './semaphore.ts';
import type { ReportProgress } from './types.ts';

const PARALLEL_LAYERS = 3;

/** Loads every image of the archive; resolves to the references, or ids of those without. */
export async function loadImages(
  context: ImageContext,
  archive: AsyncIterable<Uint8Array>,
  report: ReportProgress,
  signal: AbortSignal,
): Promise<readonly string[]> {
  const loaded: string[] = [];
  let failed = true;
  try {
    await using _bringing = await context.bringing();
    await using spool = await spoolArchive(decompressed(archive), context.blobs, signal);
    for (const image of await imagesIn(spool)) loaded.push(...(await loadOne(context, spool, image, report, signal)));
    failed = false;
  } finally {
    if (failed) await context.sweep();
  }
  return loaded;
}

async function loadOne(
  context: ImageContext,
  spool: Spool,
  image: ArchivedImage,
  report: ReportProgress,
  signal: AbortSignal,
): Promise<readonly string[]> {
  const facts = parseImageConfig(image.config);
  const { diffIds } = facts;
  if (diffIds.length !== image.layers.length) {
    throw badArchive(
      `invalid manifest, layers length mismatch: expected ${diffIds.length}, got ${image.layers.length}`,
    );
  }
  using _hold = context.layers.hold(diffIds);
  const slots = new Semaphore(PARALLEL_LAYERS);
  const layers = await Promise.allSettled(
    image.layers.map((layer, i) =>
      slots.run(() => loadLayer(context, spool, layer, diffIds[i] as Digest, report, signal)),
    ),
  );
  for (const layer of layers) if (layer.status === 'rejected') throw layer.reason;
  const id = await context.blobs.put(image.config);
  context.register(id, facts, []);
  context.event('load', id, id, facts.config.Labels);
  for (const tag of image.tags) {
    const previous = context.records.resolve(canonicalReference(tag));
    const name = familiarReference(tag);
    if (previous !== undefined && previous !== id) {
      report({
        status: '',
        stream: `The image ${name} already exists, renaming the old one with ID ${previous} to empty string\n`,
      });
    }
    context.setTag(tag, id);
    report({ status: '', stream: `Loaded image: ${name}\n` });
  }
  if (image.tags.length > 0) return image.tags.map(familiarReference);
  report({ status: '', stream: `Loaded image ID: ${id}\n` });
  return [id];
}

async function loadLayer(
  context: ImageContext,
  spool: Spool,
  { member, blob }: ArchivedImage['layers'][number],
  diffId: Digest,
  report: ReportProgress,
  signal: AbortSignal,
): Promise<void> {
  if (context.layers.get(diffId)) return;
  const total = spool.sizeOf(member);
  const id = shortId(hexOf(diffId));
  const consumed = countedProgress(report, id, 'Loading layer', total);
  await context.layers.unpack({ open: () => spool.open(member), blob, diffId, consumed }, signal);
}
