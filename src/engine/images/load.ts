// Owns loading images out of an archive: everything is verified before any of it is named.

import { decompressed } from '../../host/inflate/index.ts';
import { throwIfCancelled } from '../../lib/abort.ts';
import { GantryError } from '../../lib/errors.ts';
import { shortId } from '../../lib/ids.ts';
import { Semaphore } from '../../lib/semaphore.ts';
import { type Digest, hexOf } from '../../spec/digest.ts';
import type { ImageFacts } from '../../spec/oci/image-config.ts';
import { platformIs, platformText } from '../../spec/platform.ts';
import { canonicalReference, familiarReference } from '../../spec/reference.ts';
import { type ArchivedImage, imagesIn, type Spool, spoolArchive } from './archive/index.ts';
import type { ImageContext } from './context.ts';
import { badArchive } from './errors.ts';
import { countedProgress } from './progress.ts';
import type { LoadOptions, ReportProgress } from './types.ts';

const PARALLEL_LAYERS = 3;

interface Loading {
  readonly context: ImageContext;
  readonly spool: Spool;
  readonly report: ReportProgress;
  readonly signal: AbortSignal;
  /** Layers that were compared with their records, or unpacked, by this very load. */
  readonly whole: Set<Digest>;
}

/** Loads every image of the archive, or those for the platform asked for; resolves to the references, or ids of those without. */
export async function loadImages(
  context: ImageContext,
  archive: AsyncIterable<Uint8Array>,
  report: ReportProgress,
  signal: AbortSignal,
  { platform }: LoadOptions = {},
): Promise<readonly string[]> {
  const loaded: string[] = [];
  let failed = true;
  try {
    await using _bringing = await context.bringing();
    await using spool = await spoolArchive(decompressed(archive), context.blobs, signal);
    const found = await imagesIn(spool, context.documents, platform, signal);
    const wanted: ArchivedImage[] = [];
    for (const image of found) {
      throwIfCancelled(signal);
      const facts = await factsOf(context, image);
      if (platform === undefined || platformIs(facts.platform, platform)) wanted.push(image);
    }
    if (platform !== undefined && wanted.length === 0 && found.length > 0) {
      const message = `no image of the archive matches the platform ${platformText(platform)}`;
      throw new GantryError('notFound', 'NO_MATCHING_IMAGE', message);
    }
    const loading: Loading = { context, spool, report, signal, whole: new Set() };
    for (const image of wanted) loaded.push(...(await loadOne(loading, image)));
    failed = false;
  } finally {
    if (failed) await context.trySweep();
  }
  return loaded;
}

/** What the image says of itself. @throws BAD_MANIFEST, BAD_ARCHIVE, WRONG_OS */
async function factsOf({ documents }: ImageContext, image: ArchivedImage): Promise<ImageFacts> {
  const facts = await documents.config(await image.config());
  const { diffIds, platform } = facts;
  if (diffIds.length !== image.layers.length) {
    throw badArchive(
      `invalid manifest, layers length mismatch: expected ${image.layers.length}, got ${diffIds.length}`,
    );
  }
  if (platform.os !== 'linux') {
    throw new GantryError('invalid', 'WRONG_OS', `cannot load ${platform.os} image on linux`);
  }
  return facts;
}

async function loadOne(loading: Loading, image: ArchivedImage): Promise<readonly string[]> {
  const { context, report, signal } = loading;
  const facts = await factsOf(context, image);
  const { diffIds } = facts;
  using _hold = context.layers.hold(diffIds);
  const slots = new Semaphore(PARALLEL_LAYERS);
  const layers = await Promise.allSettled(
    image.layers.map((layer, i) => slots.run(() => loadLayer(loading, layer, diffIds[i] as Digest), signal)),
  );
  for (const layer of layers) if (layer.status === 'rejected') throw layer.reason;
  throwIfCancelled(signal);
  const id = await context.blobs.put(await image.config());
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
  { context, spool, report, signal, whole }: Loading,
  { member, blob }: ArchivedImage['layers'][number],
  diffId: Digest,
): Promise<void> {
  if (whole.has(diffId)) return;
  if (!(await context.layers.isWhole(diffId))) {
    const total = spool.sizeOf(member);
    const id = shortId(hexOf(diffId));
    const consumed = countedProgress(report, id, 'Loading layer', total);
    await context.layers.unpack({ open: () => spool.open(member), blob, diffId, consumed }, signal);
  }
  whole.add(diffId);
}
