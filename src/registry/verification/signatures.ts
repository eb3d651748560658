// Owns finding the signatures of a manifest in its repository: cosign's tag and the referrers. Bounded in number and size.

import { isGantryError } from '../../lib/errors.ts';
import { type Digest, parseAnyDigest } from '../../spec/digest.ts';
import { companionOf, companionTag } from '../../spec/oci/companion-tag.ts';
import { isRecord } from '../../spec/oci/manifest.ts';
import type { BlobReader, ManifestReader, ManifestRecord } from '../repositories/types.ts';
import {
  BUNDLE,
  type Claim,
  type NamedKey,
  readBundle,
  readSimpleSigning,
  SIGNATURE_ANNOTATION,
  SIMPLE_SIGNING,
  signerOf,
} from './cosign.ts';

/** Looked at per manifest; newest first, so that signing again helps where rubbish was piled up. */
const SIGNATURES_MAX = 100;
const PAYLOAD_MAX_BYTES = 1 << 20;

/** What was found. */
export interface SignatureStatus {
  /** `unknown`: there are signatures, and no configured key made one. */
  readonly state: 'valid' | 'unknown' | 'none';
  /** Names of the keys whose signature is there. */
  readonly keys: readonly string[];
}

/** The manifest that a record with `tag` would be a signature of. */
export function subjectOf(record: ManifestRecord, tag: string | undefined): Digest | undefined {
  if (record.subject !== undefined) return isSignatureType(record.artifactType) ? record.subject : undefined;
  const companion = companionOf(tag ?? '');
  return companion?.kind === 'sig' ? companion.subject : undefined;
}

function isSignatureType(artifactType: string): boolean {
  return BUNDLE.test(artifactType) || artifactType.startsWith('application/vnd.dev.cosign.');
}

/** Verifies the signatures of `digest`. Missing content is no signature; other errors of storage are thrown. */
export async function signaturesOf(
  repositories: ManifestReader & BlobReader,
  repository: string,
  digest: Digest,
  keys: readonly NamedKey[],
): Promise<SignatureStatus> {
  const tagged = repositories.findManifest(repository, companionTag(digest, 'sig'));
  const referrers = repositories
    .referrers(repository, digest)
    .filter(({ artifactType = '' }) => isSignatureType(artifactType))
    .map((referrer) => referrer.digest)
    .toReversed();
  const names = new Set<string>();
  let left = SIGNATURES_MAX;
  let isAny = false;
  for (const carrier of [...(tagged ? [tagged.digest] : []), ...referrers]) {
    if (left <= 0) break;
    const found = await signaturesIn(repositories, carrier, digest, keys, left);
    left -= Math.max(1, found.looked);
    isAny ||= found.isWellFormed;
    for (const name of found.keys) names.add(name);
  }
  return { state: names.size > 0 ? 'valid' : isAny ? 'unknown' : 'none', keys: [...names].sort() };
}

export interface CarriedSignatures {
  /** There is one that speaks of the digest, whoever made it. */
  readonly isWellFormed: boolean;
  readonly keys: readonly string[];
  /** How many were looked at. */
  readonly looked: number;
}

/** Looks at the last `max` signatures that one manifest carries. */
export async function signaturesIn(
  repositories: ManifestReader & BlobReader,
  carrier: Digest,
  digest: Digest,
  keys: readonly NamedKey[],
  max = SIGNATURES_MAX,
): Promise<CarriedSignatures> {
  const layers = (await layersOf(repositories, carrier)).slice(-max);
  const names = new Set<string>();
  let isWellFormed = false;
  for (const layer of layers) {
    const claim = await claimIn(repositories, layer, digest);
    if (!claim) continue;
    isWellFormed = true;
    const manifest = claim.data ?? (await unlessGone(repositories.manifestBytes(digest)));
    const signer = manifest && signerOf(claim, manifest, keys);
    if (signer) names.add(signer.name);
  }
  return { isWellFormed, keys: [...names], looked: layers.length };
}

type Layer = Readonly<Record<string, unknown>>;

/** Layers that may be signatures. */
async function layersOf(repositories: ManifestReader & BlobReader, carrier: Digest): Promise<readonly Layer[]> {
  const bytes = await unlessGone(repositories.manifestBytes(carrier));
  const manifest: unknown = bytes && JSON.parse(bytes.toString());
  const layers: readonly unknown[] = isRecord(manifest) && Array.isArray(manifest.layers) ? manifest.layers : [];
  return layers.filter(
    (layer): layer is Layer =>
      isRecord(layer) &&
      typeof layer.mediaType === 'string' &&
      (layer.mediaType === SIMPLE_SIGNING || BUNDLE.test(layer.mediaType)),
  );
}

async function claimIn(
  repositories: ManifestReader & BlobReader,
  layer: Layer,
  digest: Digest,
): Promise<Claim | undefined> {
  const payload = await readSmall(repositories, layer);
  if (!payload) return undefined;
  if (layer.mediaType !== SIMPLE_SIGNING) return readBundle(payload, digest);
  const annotations = isRecord(layer.annotations) ? layer.annotations : {};
  const signature = annotations[SIGNATURE_ANNOTATION];
  return typeof signature === 'string' ? readSimpleSigning(payload, signature, digest) : undefined;
}

/** A payload, or undefined when it is too long or not there. */
async function readSmall(repositories: ManifestReader & BlobReader, layer: Layer): Promise<Buffer | undefined> {
  const digest = typeof layer.digest === 'string' ? parseAnyDigest(layer.digest) : undefined;
  if (!digest || Number(layer.size) > PAYLOAD_MAX_BYTES) return undefined;
  return readBlobUpTo(repositories, digest, PAYLOAD_MAX_BYTES);
}

/** A blob in memory, or undefined when it has over `maxBytes` or is not there. */
export async function readBlobUpTo(
  repositories: ManifestReader & BlobReader,
  digest: Digest,
  maxBytes: number,
): Promise<Buffer | undefined> {
  return unlessGone(collect(repositories, digest, maxBytes));
}

async function collect(
  repositories: ManifestReader & BlobReader,
  digest: Digest,
  maxBytes: number,
): Promise<Buffer | undefined> {
  const pieces: Buffer[] = [];
  let bytes = 0;
  for await (const piece of await repositories.readBlob(digest)) {
    bytes += (piece as Buffer).length;
    if (bytes > maxBytes) return undefined;
    pieces.push(piece as Buffer);
  }
  return Buffer.concat(pieces);
}

/** Undefined for missing content, which may be deleted while it is read. Other errors are thrown: they decide nothing. */
async function unlessGone<T>(reading: Promise<T>): Promise<T | undefined> {
  try {
    return await reading;
  } catch (error) {
    if (isGantryError(error, 'notFound')) return undefined;
    throw error;
  }
}
