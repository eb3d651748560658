// Owns finding the images in an archive: docker-archive (old and new layout) or OCI layout. Checks digests that names promise.

import { throwIfCancelled } from '../../../lib/abort.ts';
import { type Digest, hexOf } from '../../../spec/digest.ts';
import { choosePlatform, type Descriptor, MEDIA, refuseArtifact } from '../../../spec/oci/manifest.ts';
import { hostPlatform, type Platform } from '../../../spec/platform.ts';
import { canonicalReference, parseReference, type Reference, requireTaggable } from '../../../spec/reference.ts';
import { digestOf } from '../../../store/blobs.ts';
import type { Documents } from '../documents.ts';
import { badArchive } from '../errors.ts';
import type { Spool } from './spool.ts';

/** Each is read and checked before any is loaded. A docker-archive is bounded likewise. */
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
  documents: Documents,
  platform: Platform | undefined,
  signal: AbortSignal,
): Promise<readonly ArchivedImage[]> {
  if (spool.has('manifest.json')) return dockerArchive(spool, documents);
  if (spool.has('index.json')) return ociLayout({ spool, documents, want: platform ?? hostPlatform() }, signal);
  throw badArchive('invalid image archive: neither manifest.json nor index.json is in it', {
    hint: spool.has('repositories')
      ? 'archives of Docker before 1.10 are not supported'
      : 'the tar of a file system is imported, not loaded',
  });
}

/** @source docker save of dockerd 28.5 and, for the old layout, image/spec/v1.2.md */
async function dockerArchive(spool: Spool, documents: Documents): Promise<readonly ArchivedImage[]> {
  const items = await documents.archive(await spool.read('manifest.json'));
  return items.map(({ config: name, repoTags, layers }) => ({
    config: async () => {
      const config = await spool.read(name);
      const promised = /^blobs\/sha256\/([0-9a-f]{64})$/.exec(name)?.[1];
      if (promised !== undefined && hexOf(digestOf(config)) !== promised) throw badArchive(`${name} is damaged`);
      return config;
    },
    layers: layers.map((member) => ({ member, blob: undefined })),
    tags: repoTags.map(taggedReference),
  }));
}

function taggedReference(text: string): Reference {
  const reference = parseReference(text);
  if (reference.tag === undefined) throw badArchive(`invalid tag ${JSON.stringify(text)}`);
  requireTaggable(reference);
  return reference;
}

/** An OCI layout, and whom its images are for. */
interface Layout {
  readonly spool: Spool;
  readonly documents: Documents;
  readonly want: Platform;
}

const blobName = (digest: Digest): string => `blobs/sha256/${hexOf(digest)}`;

/** @source OCI image specification 1.1, image-layout.md */
async function ociLayout(layout: Layout, signal: AbortSignal): Promise<readonly ArchivedImage[]> {
  const { spool, documents, want } = layout;
  const index = await documents.manifest(await spool.read('index.json'), MEDIA.ociIndex);
  if (index.kind !== 'index') throw badArchive('invalid image archive: index.json is no index');
  if (index.manifests.length > IMAGES_MAX) throw badArchive(`the archive has over ${IMAGES_MAX} images`);
  const byConfig = new Map<Digest, ArchivedImage>();
  for (const entry of oneOfEachName(index.manifests, want)) {
    throwIfCancelled(signal);
    const { id, image } = await ociImage(layout, entry, 0);
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
  layout: Layout,
  entry: Descriptor,
  depth: number,
): Promise<{ readonly id: Digest; readonly image: ArchivedImage }> {
  const { spool, documents, want } = layout;
  const manifest = await documents.manifest(await readBlob(spool, entry.digest), entry.mediaType);
  if (manifest.kind === 'index') {
    if (depth >= INDEX_DEPTH_MAX) throw badArchive('invalid image archive: indexes are nested too deeply');
    return ociImage(layout, choosePlatform(manifest.manifests, want), depth + 1);
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
