// Owns finding the images in an archive: docker-archive (old and new layout) or OCI layout. Checks digests that names promise.

import { type Digest, hexOf } from '../../../spec/digest.ts';
import {
  badManifest,
  checkLayerType,
  choosePlatform,
  type Descriptor,
  isRecord,
  parseManifest,
} from '../../../spec/oci/manifest.ts';
import { hostPlatform } from '../../../spec/platform.ts';
import { parseReference, type Reference } from '../../../spec/reference.ts';
import { digestOf } from '../../../store/blobs.ts';
import { badArchive } from '../errors.ts';
import type { Spool } from './spool.ts';

/** One image of an archive. */
export interface ArchivedImage {
  readonly config: Buffer;
  /** Base first; `blob` is given where the archive promises a digest of the bytes as they are. */
  readonly layers: readonly { readonly member: string; readonly blob: Digest | undefined }[];
  readonly tags: readonly Reference[];
}

/** The images of an archive. @throws BAD_ARCHIVE, BAD_MANIFEST, NO_MATCHING_MANIFEST */
export async function imagesIn(spool: Spool): Promise<readonly ArchivedImage[]> {
  if (spool.has('manifest.json')) return dockerArchive(spool);
  if (spool.has('index.json')) return ociLayout(spool);
  throw badArchive('invalid image archive: neither manifest.json nor index.json is in it');
}

/** @source docker save of dockerd 28.5 and, for the old layout, image/spec/v1.2.md */
async function dockerArchive(spool: Spool): Promise<readonly ArchivedImage[]> {
  const entries: unknown = parseJson(await spool.read('manifest.json'));
  if (!Array.isArray(entries)) throw badArchive('invalid image archive: manifest.json is no list');
  const images: ArchivedImage[] = [];
  for (const entry of entries) {
    const { Config, Layers, RepoTags } = isRecord(entry) ? entry : {};
    if (typeof Config !== 'string') throw badArchive('invalid image archive: manifest.json names no Config');
    const config = await spool.read(Config);
    const promised = /^blobs\/sha256\/([0-9a-f]{64})$/.exec(Config)?.[1];
    if (promised !== undefined && hexOf(digestOf(config)) !== promised) throw badArchive(`${Config} is damaged`);
    images.push({
      config,
      layers: strings(Layers, 'Layers').map((member) => ({ member, blob: undefined })),
      tags: strings(RepoTags, 'RepoTags').map(taggedReference),
    });
  }
  return images;
}

function parseJson(bytes: Buffer): unknown {
  try {
    return JSON.parse(bytes.toString());
  } catch (cause) {
    throw badManifest('invalid image archive: manifest.json is no JSON', cause);
  }
}

function strings(value: unknown, what: string): readonly string[] {
  if (value === undefined || value === null) return [];
  if (!Array.isArray(value) || value.some((item) => typeof item !== 'string')) {
    throw badArchive(`invalid image archive: ${what} is no list of strings`);
  }
  return value;
}

function taggedReference(text: string): Reference {
  const reference = parseReference(text);
  if (reference.tag === undefined) throw badArchive(`invalid tag ${JSON.stringify(text)}`);
  return reference;
}

const blobName = (digest: Digest): string => `blobs/sha256/${hexOf(digest)}`;

/** @source OCI image specification 1.1, image-layout.md */
async function ociLayout(spool: Spool): Promise<readonly ArchivedImage[]> {
  const index = parseManifest(await spool.read('index.json'), 'application/vnd.oci.image.index.v1+json');
  if (index.kind !== 'index') throw badArchive('invalid image archive: index.json is no index');
  const byConfig = new Map<Digest, ArchivedImage>();
  for (const entry of index.manifests) {
    const image = await ociImage(spool, entry, 0);
    const tag = ociTag(entry);
    const id = digestOf(image.config);
    const known = byConfig.get(id) ?? image;
    byConfig.set(id, tag ? { ...known, tags: [...known.tags, tag] } : known);
  }
  return [...byConfig.values()];
}

async function ociImage(spool: Spool, entry: Descriptor, depth: number): Promise<ArchivedImage> {
  const manifest = parseManifest(await readBlob(spool, entry.digest), entry.mediaType);
  if (manifest.kind === 'index') {
    if (depth > 3) throw badArchive('invalid image archive: indexes are nested too deeply');
    return ociImage(spool, choosePlatform(manifest.manifests, hostPlatform()), depth + 1);
  }
  manifest.layers.forEach(checkLayerType);
  return {
    config: await readBlob(spool, manifest.config.digest),
    layers: manifest.layers.map(({ digest }) => ({ member: blobName(digest), blob: digest })),
    tags: [],
  };
}

async function readBlob(spool: Spool, digest: Digest): Promise<Buffer> {
  const bytes = await spool.read(blobName(digest));
  if (digestOf(bytes) !== digest) throw badArchive(`${blobName(digest)} is damaged`);
  return bytes;
}

/** The name an entry gives its image: containerd's full one, or a full one in the place of OCI's. */
function ociTag({ annotations }: Descriptor): Reference | undefined {
  for (const key of ['io.containerd.image.name', 'org.opencontainers.image.ref.name']) {
    const text = annotations[key];
    if (text === undefined || (key.startsWith('org.') && !text.includes(':'))) continue;
    const reference = parseReference(text);
    if (reference.tag !== undefined) return { ...reference, digest: undefined };
  }
  return undefined;
}
