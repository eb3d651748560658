// Owns the `platform` parameters of the image routes: as text (create), and as JSON (all others). Pure.

import { GantryError, isGantryError } from '../../lib/errors.ts';
import type { Query } from '../../spec/docker/decode-query.ts';
import { decodeDocument } from '../../spec/oci/go-json.ts';
import { PLATFORM } from '../../spec/oci/manifest.ts';
import { type Platform, parsePlatform } from '../../spec/platform.ts';

/** `platform=linux/arm64`; undefined when absent. @throws INVALID_PLATFORM */
export function platformWord(query: Query): Platform | undefined {
  const text = query.get('platform');
  return text === '' ? undefined : parsePlatform(text);
}

/** `platform={"os":"linux","architecture":"arm64"}`; undefined when absent. @throws INVALID_PLATFORM with Docker's text. @source dockerd 28.5 */
export function platformObject(query: Query): Platform | undefined {
  const text = query.get('platform');
  if (text === '') return undefined;
  const { os, architecture, variant } = decoded(text);
  if (os === '' || architecture === '') throw invalid('both OS and Architecture must be provided');
  return variant === '' ? { os, architecture } : { os, architecture, variant };
}

function decoded(text: string): typeof PLATFORM.zero {
  try {
    return decodeDocument(PLATFORM, 'Platform', Buffer.from(text), 'the parameter platform');
  } catch (error) {
    throw isGantryError(error) ? invalid(`failed to parse platform: ${error.message}`) : error;
  }
}

function invalid(message: string): GantryError {
  return new GantryError('invalid', 'INVALID_PLATFORM', message);
}
