// Owns the difference between what is run and what speaks of it: images, indexes and other artifacts here, signatures,
// attestations, SBOMs and reports there. Judged by content: a tag's name or a `subject` alone exempts nothing. Pure.

import { companionOf } from '../../spec/oci/companion-tag.ts';
import { isRecord, MEDIA } from '../../spec/oci/manifest.ts';
import type { ManifestRecord, ManifestReference } from '../repositories/types.ts';

/** Layers that no client unpacks to run them. @source cosign pkg/types/media.go and pkg/oci/remote; in-toto; SPDX; CycloneDX; syft */
const EVIDENCE_LAYER = new RegExp(
  [
    '^application/vnd\\.dev\\.cosign\\.',
    '^application/vnd\\.dev\\.sigstore\\.bundle',
    '^application/vnd\\.dsse\\.envelope\\.',
    '^application/vnd\\.in-toto\\+',
    '^application/vnd\\.cyclonedx\\+',
    '^application/vnd\\.syft\\+',
    '^(?:text|application)/spdx',
    '^spdx\\+',
    '^application/vnd\\.gantry\\.[a-z]+\\.report\\+json$',
  ].join('|'),
);

/** Configurations that clients take for an image's; docker takes none and octets for one as well. @source moby distribution/pull_v2.go */
const IMAGE_CONFIGS: ReadonlySet<string> = new Set([
  MEDIA.ociConfig,
  MEDIA.dockerConfig,
  'application/octet-stream',
  '',
]);

/** What a manifest is made of, as far as judging needs it. */
export interface Shape {
  readonly isIndex: boolean;
  /** It could be run: an image's configuration, and layers other than evidence. */
  readonly isImage: boolean;
  /** Every layer is a signature, attestation, SBOM or report. */
  readonly isEvidence: boolean;
}

/** The shape of a manifest that is kept. */
export function shapeOf(mediaType: string, references: readonly ManifestReference[]): Shape {
  const isIndex =
    mediaType === MEDIA.ociIndex ||
    mediaType === MEDIA.dockerList ||
    references.some(({ kind }) => kind === 'manifest');
  const layers = references.filter(({ kind }) => kind === 'layer');
  const isEvidence = !isIndex && layers.length > 0 && layers.every((layer) => EVIDENCE_LAYER.test(layer.mediaType));
  const config = references.find(({ kind }) => kind === 'config');
  const hasImageConfig =
    mediaType === MEDIA.dockerManifest || (config !== undefined && IMAGE_CONFIGS.has(config.mediaType));
  return { isIndex, isImage: !isIndex && !isEvidence && hasImageConfig, isEvidence };
}

/** The shape of a manifest that is about to be kept; `bytes` were found to be one. */
export function shapeOfBytes(mediaType: string, bytes: Buffer): Shape {
  const body: unknown = JSON.parse(bytes.toString());
  if (!isRecord(body)) return { isIndex: false, isImage: true, isEvidence: false };
  const list = (value: unknown, kind: ManifestReference['kind']) =>
    (Array.isArray(value) ? (value as readonly unknown[]) : []).map((entry) => referenceIn(entry, kind));
  const stated = typeof body.mediaType === 'string' && body.mediaType !== '' ? body.mediaType : mediaType;
  return shapeOf(stated, [
    ...(isRecord(body.config) ? [referenceIn(body.config, 'config')] : []),
    ...list(body.layers, 'layer'),
    ...list(body.blobs, 'layer'),
    ...list(body.manifests, 'manifest'),
  ]);
}

function referenceIn(entry: unknown, kind: ManifestReference['kind']): ManifestReference {
  const mediaType = isRecord(entry) && typeof entry.mediaType === 'string' ? entry.mediaType : '';
  return { kind, mediaType, digest: '' as ManifestReference['digest'], sizeBytes: 0 };
}

/**
 * True for what is served whatever the policies say: evidence, and artifacts that refer to a manifest, found by their digest or by
 * cosign's tags. What carries a tag of its own is asked for as something in itself and judged like anything else.
 */
export function isCompanion(record: ManifestRecord, shape: Shape, tags: readonly string[]): boolean {
  if (shape.isIndex || shape.isImage || tags.some((tag) => !companionOf(tag))) return false;
  return shape.isEvidence || record.subject !== undefined;
}
