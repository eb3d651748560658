// Owns making an image of one layer out of a root file system's tar.

import { GantryError } from '../../lib/errors.ts';
import { parseImageConfig } from '../../spec/oci/image-config.ts';
import { hostPlatform } from '../../spec/platform.ts';
import { parseReference, type Reference, withDefaultTag } from '../../spec/reference.ts';
import { decompressed } from './archive/index.ts';
import { applyChanges } from './changes.ts';
import type { ImageContext } from './context.ts';
import { announceTag } from './tag.ts';
import type { ImageRecord, ImportRequest, ReportProgress } from './types.ts';

/** @throws BAD_CHANGE, INVALID_REFERENCE before anything is read; then what unpacking throws */
export async function importImage(
  context: ImageContext,
  archive: AsyncIterable<Uint8Array>,
  request: ImportRequest,
  report: ReportProgress,
  signal: AbortSignal,
): Promise<ImageRecord> {
  const config = applyChanges({}, request.changes);
  const target = request.reference === undefined ? undefined : importTarget(request.reference);
  const { os, architecture, variant } = request.platform ?? hostPlatform();
  await using _bringing = await context.bringing();
  using _frozen = context.layers.freeze();
  const layer = await context.layers.unpack({ open: () => decompressed(archive) }, signal);
  const created = context.nowText();
  const comment = request.message === '' ? 'Imported from -' : request.message;
  const bytes = Buffer.from(
    JSON.stringify({
      architecture,
      ...(variant === undefined ? {} : { variant }),
      comment,
      config,
      created,
      history: [{ created, comment }],
      os,
      rootfs: { type: 'layers', diff_ids: [layer.diffId] },
    }),
  );
  const id = await context.blobs.put(bytes);
  const record = context.register(id, parseImageConfig(bytes), []);
  if (target) {
    context.setTag(target, id);
    announceTag(context, target, record);
  }
  context.event('import', id, id, record.config.Labels);
  report({ status: id });
  return context.records.get(id) ?? record;
}

function importTarget(text: string): Reference {
  const reference = withDefaultTag(parseReference(text));
  if (reference.digest !== undefined)
    throw new GantryError('invalid', 'INVALID_REFERENCE', 'cannot import digest reference');
  return reference;
}
