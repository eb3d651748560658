// Owns writing images as an archive: an OCI layout that is a docker-archive too. @source docker save of dockerd 28.5

import { createHash } from 'node:crypto';
import { setImmediate } from 'node:timers/promises';
import { throwIfCancelled } from '../../lib/abort.ts';
import { bytesOfText } from '../../lib/bytes.ts';
import { GantryError, isGantryError } from '../../lib/errors.ts';
import { TAR_END, type TarTime, tarHeader, tarPadding } from '../../lib/tar/index.ts';
import { type Digest, hexOf } from '../../spec/digest.ts';
import { MEDIA } from '../../spec/oci/manifest.ts';
import { platformIs, platformText } from '../../spec/platform.ts';
import {
  canonicalName,
  canonicalReference,
  familiarName,
  parseReference,
  type Reference,
  withDefaultTag,
} from '../../spec/reference.ts';
import { unixSeconds } from '../../spec/time.ts';
import { digestOf } from '../../store/blobs.ts';
import type { ImageContext } from './context.ts';
import { configLost, layerLost, noSuchImage } from './errors.ts';
import type { ImageRecord, SaveOptions } from './types.ts';

interface Chosen {
  readonly image: ImageRecord;
  readonly tags: Reference[];
}

interface Saved extends Chosen {
  readonly config: Buffer;
  readonly manifest: Buffer;
  readonly layers: readonly { readonly mediaType: string; readonly digest: Digest; readonly size: number }[];
}

/** The archive as a stream. Images are looked up at once. @throws NO_SUCH_IMAGE, NO_MATCHING_IMAGE; while streaming LAYER_LOST */
export function saveImages(
  context: ImageContext,
  refs: readonly string[],
  signal: AbortSignal,
  { platform }: SaveOptions = {},
): AsyncIterable<Uint8Array> {
  const chosen = choose(context, refs);
  if (platform && chosen.some(({ image }) => !platformIs(image.platform, platform))) {
    const message = `no suitable export target found for platform ${platformText(platform)}`;
    throw new GantryError('system', 'NO_MATCHING_IMAGE', message);
  }
  return stream(context, chosen, signal);
}

/** A name gives its tag, a bare repository all its tags, an id none. */
function choose(context: ImageContext, refs: readonly string[]): readonly Chosen[] {
  const chosen = new Map<Digest, Chosen>();
  const add = (image: ImageRecord, tag: Reference | undefined): void => {
    const entry = chosen.get(image.id) ?? { image, tags: [] };
    chosen.set(image.id, entry);
    const known = tag && entry.tags.some((other) => canonicalReference(other) === canonicalReference(tag));
    if (tag && !known) entry.tags.push(tag);
  };
  for (const text of refs) {
    const all = allTagsOf(context, text);
    for (const tag of all) add(context.find(canonicalReference(tag)), tag);
    if (all.length > 0) continue;
    const image = findForSave(context, text);
    const reference = nameOf(context, image, text);
    add(image, reference?.tag === undefined ? undefined : reference);
  }
  return [...chosen.values()];
}

/** The tags of a bare repository name; none for anything else. */
function allTagsOf(context: ImageContext, text: string): readonly Reference[] {
  if (/^(sha256:)?[0-9a-f]{64}$/.test(text)) return [];
  const wanted = parseReference(text);
  if (wanted.tag !== undefined || wanted.digest !== undefined) return [];
  return context.records.tagsIn(canonicalName(wanted)).map(parseReference);
}

/** Docker does not add `:latest` here. */
function findForSave(context: ImageContext, text: string): ImageRecord {
  try {
    return context.find(text);
  } catch (error) {
    if (error instanceof GantryError && error.kind === 'notFound') throw noSuchImage(text);
    throw error;
  }
}

/** The reference that `text` names `image` by; undefined when it is an id. */
function nameOf(context: ImageContext, image: ImageRecord, text: string): Reference | undefined {
  if (/^(sha256:)?[0-9a-f]{64}$/.test(text)) return undefined;
  const reference = withDefaultTag(parseReference(text));
  return context.records.resolve(canonicalReference(reference)) === image.id ? reference : undefined;
}

async function describe(context: ImageContext, { image, tags }: Chosen): Promise<Saved> {
  const config = await context.blobs.read(image.id).catch((cause) => {
    throw configLost(image.id, cause);
  });
  const layers = image.diffIds.map((digest) => {
    const layer = context.layers.get(digest);
    if (!layer) throw layerLost(digest, image.id, 'it is not there');
    return { mediaType: MEDIA.ociLayer, digest, size: layer.tarBytes };
  });
  const manifest = Buffer.from(
    JSON.stringify({
      schemaVersion: 2,
      mediaType: MEDIA.ociManifest,
      config: { mediaType: MEDIA.ociConfig, digest: image.id, size: config.length },
      layers,
    }),
  );
  return { image, tags, config, manifest, layers };
}

async function* stream(
  context: ImageContext,
  chosen: readonly Chosen[],
  signal: AbortSignal,
): AsyncGenerator<Uint8Array, void, void> {
  using _hold = context.layers.hold(chosen.flatMap(({ image }) => image.diffIds));
  const saved: Saved[] = [];
  for (const one of chosen) saved.push(await describe(context, one));
  // As at Docker content is as old as its image, and what describes it as old as time; so the same images give the same archive.
  const newest = saved.map(({ image }) => createdOf(image)).reduce(later, EPOCH);
  yield directory('blobs/', newest);
  yield directory('blobs/sha256/', newest);
  const written = new Set<Digest>();
  for (const { image, config, manifest, layers } of saved) {
    // What is small comes out of memory: others have their turn between the images.
    await setImmediate();
    const created = createdOf(image);
    for (const layer of layers) {
      if (written.has(layer.digest)) continue;
      written.add(layer.digest);
      yield* layerMember(context, image, layer, signal);
    }
    yield* blobMember(config, written, created);
    yield* blobMember(manifest, written, EPOCH);
    context.event('save', image.id, image.id, image.config.Labels);
  }
  yield* member('index.json', indexOf(saved));
  yield* member('manifest.json', dockerManifestOf(saved));
  yield* member('oci-layout', Buffer.from('{"imageLayoutVersion": "1.0.0"}'));
  if (saved.some(({ tags }) => tags.length > 0)) yield* member('repositories', repositoriesOf(saved));
  yield TAR_END;
}

const blobName = (digest: Digest): string => `blobs/sha256/${hexOf(digest)}`;

const EPOCH: TarTime = { seconds: 0, nanoseconds: 0 };

/** The whole second in which the image was made; 1970 when it does not say, or lies before. */
function createdOf({ created }: ImageRecord): TarTime {
  return { seconds: Math.max(0, unixSeconds(created)), nanoseconds: 0 };
}

function later(a: TarTime, b: TarTime): TarTime {
  return a.seconds >= b.seconds ? a : b;
}

function directory(name: string, mtime: TarTime): Buffer {
  return tarHeader({ name: bytesOfText(name), type: 'directory', mode: 0o755, mtime });
}

function* member(name: string, bytes: Buffer, mtime = EPOCH): Generator<Buffer, void, void> {
  yield tarHeader({ name: bytesOfText(name), type: 'file', size: bytes.length, mtime });
  yield bytes;
  yield tarPadding(bytes.length);
}

function* blobMember(bytes: Buffer, written: Set<Digest>, mtime: TarTime): Generator<Buffer, void, void> {
  const digest = digestOf(bytes);
  if (written.has(digest)) return;
  written.add(digest);
  yield* member(blobName(digest), bytes, mtime);
}

/** The layer's tar as it once came; what the disk gives is compared with its digest before the archive ends well. */
async function* layerMember(
  context: ImageContext,
  image: ImageRecord,
  { digest, size }: Saved['layers'][number],
  signal: AbortSignal,
): AsyncGenerator<Buffer, void, void> {
  yield tarHeader({ name: bytesOfText(blobName(digest)), type: 'file', size, mtime: createdOf(image) });
  const hash = createHash('sha256');
  let total = 0;
  try {
    for await (const piece of context.layers.tar(digest)) {
      throwIfCancelled(signal);
      hash.update(piece);
      total += piece.length;
      yield piece;
    }
  } catch (error) {
    if (isGantryError(error) && error.code === 'LAYER_DAMAGED') throw layerLost(digest, image.id, error.message);
    throw error;
  }
  if (total !== size || hash.digest('hex') !== hexOf(digest)) {
    throw layerLost(digest, image.id, 'its files have other content than they had');
  }
  yield tarPadding(size);
}

function indexOf(saved: readonly Saved[]): Buffer {
  const manifests = saved.flatMap(({ manifest, tags }) => {
    const entry = { mediaType: MEDIA.ociManifest, digest: digestOf(manifest), size: manifest.length };
    if (tags.length === 0) return [entry];
    return tags.map((tag) => ({
      ...entry,
      annotations: {
        'io.containerd.image.name': canonicalReference(tag),
        'org.opencontainers.image.ref.name': tag.tag,
      },
    }));
  });
  return Buffer.from(JSON.stringify({ schemaVersion: 2, mediaType: MEDIA.ociIndex, manifests }));
}

function dockerManifestOf(saved: readonly Saved[]): Buffer {
  const entries = saved.map(({ image, tags, layers }) => ({
    Config: blobName(image.id),
    RepoTags: tags.length === 0 ? null : tags.map((tag) => `${familiarName(tag)}:${tag.tag}`),
    Layers: layers.map(({ digest }) => blobName(digest)),
    LayerSources: Object.fromEntries(layers.map((layer) => [layer.digest, layer])),
  }));
  return Buffer.from(`${JSON.stringify(entries)}\n`);
}

function repositoriesOf(saved: readonly Saved[]): Buffer {
  const repositories: Record<string, Record<string, string>> = {};
  for (const { tags, layers } of saved) {
    const top = layers.at(-1);
    for (const tag of tags) {
      const name = familiarName(tag);
      repositories[name] = { ...repositories[name], [tag.tag ?? '']: top ? hexOf(top.digest) : '' };
    }
  }
  return Buffer.from(`${JSON.stringify(repositories)}\n`);
}
