// Owns the image capability's errors, in the words that Docker's clients search for. @source dockerd 28.5

import { GantryError, messageOf } from '../../lib/errors.ts';
import { shortId } from '../../lib/ids.ts';

/** @source GET /images/{name}/json on dockerd 28.5 */
export function noSuchImage(reference: string): GantryError {
  return new GantryError('notFound', 'NO_SUCH_IMAGE', `No such image: ${reference}`, { params: { reference } });
}

export function referenceInUse(reference: string, containerId: string, imageHex: string): GantryError {
  return new GantryError(
    'conflict',
    'IMAGE_IN_USE',
    `conflict: unable to remove repository reference "${reference}" (must force) - ` +
      `container ${shortId(containerId)} is using its referenced image ${shortId(imageHex)}`,
    { params: { reference, containerId }, hint: 'remove the container first, or force the removal' },
  );
}

export function cannotDelete(imageHex: string, forceable: boolean, reason: string): GantryError {
  return new GantryError(
    'conflict',
    'IMAGE_IN_USE',
    `conflict: unable to delete ${shortId(imageHex)} (${forceable ? 'must be forced' : 'cannot be forced'}) - ${reason}`,
  );
}

export function badArchive(message: string, details: { readonly hint?: string } = {}): GantryError {
  return new GantryError('invalid', 'BAD_ARCHIVE', message, details);
}

/** A layer that an image needs cannot be used. */
export function layerLost(diffId: string, imageId: string, damage: string): GantryError {
  return new GantryError('system', 'LAYER_LOST', `layer ${diffId} of image ${imageId} is damaged: ${damage}`, {
    params: { diffId, imageId },
    hint: 'pull or load the image again: a layer that is damaged is then unpacked anew',
  });
}

/** The configuration that an image is known by is lost or damaged. */
export function configLost(imageId: string, cause: unknown): GantryError {
  return new GantryError(
    'system',
    'CONFIG_LOST',
    `the configuration of image ${imageId} is lost: ${messageOf(cause)}`,
    {
      cause,
      hint: 'pull or load the image again',
    },
  );
}
