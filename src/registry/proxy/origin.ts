// Owns the questions that are asked of an origin, and reading what it answers, which is a stranger's. Keeps nothing.

import { isGantryError } from '../../lib/errors.ts';
import {
  ACCEPT_ANY,
  type FetchedManifest,
  type RegistryClient,
  RegistryError,
  type Repository,
} from '../../remote/index.ts';
import { type Digest, parseAnyDigest } from '../../spec/digest.ts';
import { isRecord, stringMap } from '../../spec/oci/manifest.ts';
import type { ReferrerDescriptor } from '../repositories/types.ts';

const TYPE_MAX_CHARS = 255;

/** The digest that the origin has for a reference; '' where it does not say. @throws RegistryError (404) when it has none */
export async function headOf(client: RegistryClient, remote: Repository, reference: string): Promise<string> {
  try {
    const found = await client.head(remote, reference);
    if (found) return found.digest;
  } catch (error) {
    // Not every registry answers HEAD.
    if (error instanceof RegistryError && (error.status === 405 || error.status === 400)) return '';
    throw error;
  }
  throw new RegistryError('manifest unknown', { status: 404, code: 'MANIFEST_UNKNOWN' });
}

/** A manifest of whichever type. @throws RegistryError */
export function manifestOf(client: RegistryClient, remote: Repository, reference: string): Promise<FetchedManifest> {
  return client.manifest(remote, reference, ACCEPT_ANY);
}

/** Keeps what the origin sent. What is no manifest is the origin's fault, not the client's. @throws RegistryError */
export async function copyOf<T>(keep: () => Promise<T>): Promise<T> {
  try {
    return await keep();
  } catch (error) {
    if (!isGantryError(error, 'invalid')) throw error;
    throw new RegistryError(`it sent no manifest: ${error.message}`, { cause: error });
  }
}

/** All tags. @throws RegistryError */
export function fetchTags(client: RegistryClient, remote: Repository): Promise<readonly string[]> {
  return client.tags(remote);
}

/** What refers to a manifest, by the API, or by the tag that stands for it where there is none. @throws RegistryError */
export async function fetchReferrers(
  client: RegistryClient,
  remote: Repository,
  digest: Digest,
): Promise<readonly unknown[]> {
  const found = await client.referrers(remote, digest);
  if (found) return found;
  try {
    const { bytes } = await client.manifest(remote, digest.replace(':', '-'), ACCEPT_ANY);
    const index: unknown = JSON.parse(bytes.toString());
    return isRecord(index) && Array.isArray(index.manifests) ? (index.manifests as readonly unknown[]) : [];
  } catch (error) {
    if (error instanceof SyntaxError || (error instanceof RegistryError && error.status === 404)) return [];
    throw error;
  }
}

/** Those of an origin's descriptors that are well-formed. */
export function referrersIn(entries: readonly unknown[]): readonly ReferrerDescriptor[] {
  return entries.flatMap((entry) => {
    if (!isRecord(entry)) return [];
    const { mediaType, digest: text, size, artifactType, annotations } = entry;
    const digest = typeof text === 'string' ? parseAnyDigest(text) : undefined;
    if (typeof mediaType !== 'string' || !digest || typeof size !== 'number' || !Number.isSafeInteger(size)) return [];
    const notes = stringMap(annotations);
    return [
      {
        mediaType: mediaType.slice(0, TYPE_MAX_CHARS),
        digest,
        size,
        ...(typeof artifactType === 'string' ? { artifactType: artifactType.slice(0, TYPE_MAX_CHARS) } : {}),
        ...(Object.keys(notes).length === 0 ? {} : { annotations: notes }),
      },
    ];
  });
}
