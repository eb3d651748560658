// Owns the platform that newer calls take as JSON: `{"os":"linux","architecture":"arm64"}`. Chooses no image.

import { GantryError } from '../../lib/errors.ts';
import { normalPlatform, type Platform } from '../platform.ts';
import { decodeBody } from './decode.ts';

/** @throws INVALID_PLATFORM with Docker's texts. @source dockerd 28.5: GET /images/{name}/json?platform= */
export function decodePlatform(text: string): Platform {
  const { os, architecture, variant } = fieldsOf(text);
  if (!os || !architecture) throw invalid('both OS and Architecture must be provided');
  return normalPlatform({ os, architecture, variant });
}

function fieldsOf(text: string): NonNullable<ReturnType<typeof decodeBody<'OCIPlatform'>>> {
  try {
    const fields = decodeBody('OCIPlatform', text);
    if (fields) return fields;
  } catch (error) {
    if (!(error instanceof GantryError)) throw error;
    throw invalid(`failed to parse platform: ${error.message.replace(/^invalid JSON: /, '')}`);
  }
  throw invalid('failed to parse platform: unexpected end of JSON input');
}

function invalid(message: string): GantryError {
  return new GantryError('invalid', 'INVALID_PLATFORM', message);
}
