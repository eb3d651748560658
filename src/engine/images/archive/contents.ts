// Owns finding the images in an archive: docker-archive (old and new layout) or OCI layout. Checks digests that names promise.

import { throwIfCancelled } from '../../../lib/abort.ts';
import { type Digest, hexOf } from '../../../spec/digest.ts';
import { decodeDocument, listOf, mapOf, optional, STRING, stringOf, structOf } from '../../../spec/oci/go-json.ts';
import {
  badManifest,
  choosePlatform,
  DESCRIPTOR,
  type Descriptor,
  MEDIA,
  parseManifest,
  refuseArtifact,
} from '../../../spec/oci/manifest.ts';
import { hostPlatform, type Platform } from '../../../spec/platform.ts';
import { canonicalReference, parseReference, type Reference } from '../../../spec/reference.ts';
import { digestOf } from '../../../store/blobs.ts';
import { badArchive } from '../errors.ts';
import type { Spool } from './spool.ts';

/** Each is read and checked before any is loaded. */
const IMAGES_MAX = 5_000;
const INDEX_DEPTH_MAX = 3;

/** One image of an archive. */
export interface ArchivedImage {
  /** The configuration, read anew each time. @throws BAD_ARCHIVE when it is not there or damaged */
  readonly config: () => Promise<Buffer>;
  /** Base first; `blob` is given where the archive promises a digest of the bytes as they are. */
  readonly layers: readonly { readonly member: string; readonly blob: Digest | undefined }[];
  readonly tags: readonly Reference[];
}

/** The images of an archive; of several for different platforms the one for `platform`, or for this host. @throws BAD_ARCHIVE, BAD_MANIFEST, NOT_AN_IMAGE, NO_MATCHING_MANIFEST */
export async function imagesIn(
  spool: Spool,
  platform: Platform | undefined,
  signal: AbortSignal,
): Promise<readonly ArchivedImage[]> {
  if (spool.has('manifest.json')) return dockerArchive(spool);
  if (spool.has('index.json')) return ociLayout(spool, platform ?? hostPlatform(), signal);
  throw badArchive('invalid image archive: neither manifest.json nor index.json is in it', {
    hint: spool.has('repositories')
      ? 'archives of Docker before 1.10 are not supported'
      : 'the tar of a file system is imported, not loaded',
  });
}

/** @source tarexport.manifestItem of dockerd 28.5 */
const MANIFEST_ITEM = structOf('tarexport.manifestItem', {
  Config: STRING,
  RepoTags: listOf(STRING),
  Layers: listOf(STRING),
  Parent: stringOf('image.ID'),
  LayerSources: mapOf(DESCRIPTOR, 'map[layer.DiffID]distribution.Descriptor'),
});

/** @source docker save of dockerd 28.5 and, for the old layout, image/spec/v1.2.md */
async function dockerArchive(spool: Spool): Promise<readonly ArchivedImage[]> {
  const shape = listOf(optional(MANIFEST_ITEM), IMAGES_MAX);
  const items = decodeDocument(shape, '', await spool.read('manifest.json'), 'manifest.json of the archive');
  if (!items) throw badManifest('invalid manifest, manifest cannot be null (but can be [])');
  return items.map((item) => {
    const { Config, RepoTags = [], Layers = [] } = item ?? MANIFEST_ITEM.zero;
    return {
      config: async () => {
        const config = await spool.read(Config);
        const promised = /^blobs\/sha256\/([0-9a-f]{64})$/.exec(Config)?.[1];
        if (promised !== undefined && hexOf(digestOf(config)) !== promised) throw badArchive(`${Config} is damaged`);
        return config;
      },
      layers: Layers.map((member) => ({ member, blob: undefined })),
      tags: RepoTags.map(taggedReference),
    };
  });
}

function taggedReference(text: string): Reference {
  const reference = parseReference(text);
  if (reference.tag === undefined) throw badArchive(`invalid tag ${JSON.stringify(text)}`);
  return reference;
}

const blobName = (digest: Digest): string => `blobs/sha256/${hexOf(digest)}`;

/** @source OCI image specification 1.1, image-layout.md */
async function ociLayout(spool: Spool, want: Platform, signal: AbortSignal): Promise<readonly ArchivedImage[]> {
  const index = parseManifest(await spool.read('index.json'), MEDIA.ociIndex);
  if (index.kind !== 'index') throw badArchive('invalid image archive: index.json is no index');
  if (index.manifests.length > IMAGES_MAX) throw badArchive(`the archive has over ${IMAGES_MAX} images`);
  const byConfig = new Map<Digest, ArchivedImage>();
  for (const entry of oneOfEachName(index.manifests, want)) {
    throwIfCancelled(signal);
    const { id, image } = await ociImage(spool, entry, want, 0);
    const tag = ociTag(entry);
    const known = byConfig.get(id) ?? image;
    byConfig.set(id, tag ? { ...known, tags: [...known.tags, tag] } : known);
  }
  return [...byConfig.values()];
}

/** Where one name has an entry for each of several platforms, the entry for `want`. */
function oneOfEachName(entries: readonly Descriptor[], want: Platform): readonly Descriptor[] {
  const byName = Map.groupBy(entries, (entry) => {
    const tag = ociTag(entry);
    return tag ? canonicalReference(tag) : entry.digest;
  });
  return [...byName.values()].flatMap((group) =>
    group.length > 1 && group.every(({ platform }) => platform) ? [choosePlatform(group, want)] : group,
  );
}

async function ociImage(
  spool: Spool,
  entry: Descriptor,
  want: Platform,
  depth: number,
): Promise<{ readonly id: Digest; readonly image: ArchivedImage }> {
  const manifest = parseManifest(await readBlob(spool, entry.digest), entry.mediaType);
  if (manifest.kind === 'index') {
    if (depth >= INDEX_DEPTH_MAX) throw badArchive('invalid image archive: indexes are nested too deeply');
    return ociImage(spool, choosePlatform(manifest.manifests, want), want, depth + 1);
  }
  refuseArtifact(manifest);
  const id = manifest.config.digest;
  const layers = manifest.layers.map(({ digest }) => ({ member: blobName(digest), blob: digest }));
  return { id, image: { config: () => readBlob(spool, id), layers, tags: [] } };
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
