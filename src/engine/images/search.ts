// Owns searching registries for images.

import { plainError, type RegistryClient, RegistryError } from '../../remote/index.ts';
import type { ImageSearchRequest, ImageSearchResult } from './types.ts';

/** @throws BAD_TERM, BAD_ENDPOINT, REGISTRY_FAILED */
export async function searchImages(
  client: RegistryClient,
  request: ImageSearchRequest,
  signal: AbortSignal,
): Promise<readonly ImageSearchResult[]> {
  try {
    return await client.search({ ...request, signal });
  } catch (error) {
    throw error instanceof RegistryError ? plainError(error) : error;
  }
}
