// Owns giving an image another name.

import { GantryError } from '../../lib/errors.ts';
import {
  familiarReference,
  isTag,
  parseReference,
  type Reference,
  requireTaggable,
  withDefaultTag,
} from '../../spec/reference.ts';
import type { ImageContext } from './context.ts';
import type { ImageRecord } from './types.ts';

function invalid(message: string): GantryError {
  return new GantryError('invalid', 'INVALID_REFERENCE', message);
}

/** @throws NO_SUCH_IMAGE, INVALID_REFERENCE */
export function tagImage(context: ImageContext, source: string, target: string): void {
  const reference = tagTarget(target);
  const image = context.find(source);
  context.setTag(reference, image.id);
  announceTag(context, reference, image);
}

/** Docker's `tag` event. */
export function announceTag(context: ImageContext, reference: Reference, { id, config }: ImageRecord): void {
  context.event('tag', id, familiarReference(reference), config.Labels);
}

function tagTarget(text: string): Reference {
  const colon = text.lastIndexOf(':');
  // A bad tag behind a good name has a message of its own. @source dockerd 28.5
  if (!text.includes('@sha256:') && colon > text.lastIndexOf('/') && !isTag(text.slice(colon + 1))) {
    parseReference(text.slice(0, colon));
    throw invalid('invalid tag format');
  }
  const reference = withDefaultTag(parseReference(text));
  if (reference.digest !== undefined) throw invalid('cannot import digest reference');
  requireTaggable(reference);
  return reference;
}
