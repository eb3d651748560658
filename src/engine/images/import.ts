// Owns making an image of one layer out of a root file system's tar.

import { throwIfCancelled } from '../../lib/abort.ts';
import { GantryError } from '../../lib/errors.ts';
import type { Digest } from '../../spec/digest.ts';
import type { ImageConfig } from '../../spec/docker/types.gen.ts';
import { parseImageConfig } from '../../spec/oci/image-config.ts';
import { hostPlatform, type Platform } from '../../spec/platform.ts';
import { parseReference, type Reference, requireTaggable, withDefaultTag } from '../../spec/reference.ts';
import { applyChanges } from './changes.ts';
import type { ImageContext } from './context.ts';
import { announceTag } from './tag.ts';
import type { ImageRecord, ImportRequest, ReportProgress } from './types.ts';

/** @throws BAD_CHANGE, INVALID_REFERENCE, WRONG_OS before anything is read; then what unpacking throws */
export async function importImage(
  context: ImageContext,
  archive: AsyncIterable<Uint8Array>,
  request: ImportRequest,
  report: ReportProgress,
  signal: AbortSignal,
): Promise<ImageRecord> {
  const config = applyChanges({}, request.changes);
  const target = request.reference === undefined ? undefined : importTarget(request.reference);
  const platform = request.platform ?? hostPlatform();
  if (platform.os !== 'linux') throw new GantryError('invalid', 'WRONG_OS', 'operating system is not supported');
  let failed = true;
  try {
    await using _bringing = await context.bringing();
    using _frozen = context.layers.freeze();
    const layer = await context.layers.unpack({ open: () => archive }, signal);
    throwIfCancelled(signal);
    const bytes = configOf(layer.diffId, platform, config, context.nowText(), request.message);
    const id = await context.blobs.put(bytes);
    const record = context.register(id, parseImageConfig(bytes), []);
    if (target) {
      context.setTag(target, id);
      announceTag(context, target, record);
    }
    context.event('import', id, id, record.config.Labels);
    report({ status: id });
    failed = false;
    return context.records.get(id) ?? record;
  } finally {
    if (failed) await context.trySweep();
  }
}

function configOf(diffId: Digest, platform: Platform, config: ImageConfig, created: string, message: string): Buffer {
  const { os, architecture, variant } = platform;
  const comment = message === '' ? 'Imported from -' : message;
  return Buffer.from(
    JSON.stringify({
      architecture,
      ...(variant === undefined ? {} : { variant }),
      comment,
      config,
      created,
      history: [{ created, comment }],
      os,
      rootfs: { type: 'layers', diff_ids: [diffId] },
    }),
  );
}

function importTarget(text: string): Reference {
  const reference = withDefaultTag(parseReference(text));
  if (reference.digest !== undefined)
    throw new GantryError('invalid', 'INVALID_REFERENCE', 'cannot import digest reference');
  requireTaggable(reference);
  return reference;
}
