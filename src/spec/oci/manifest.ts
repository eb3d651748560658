// Owns manifests and indexes (OCI and Docker schema 2): checked shapes out of hostile bytes. Pure.
// Refuses Docker's schema 1 and layers that are not distributable.

import { GantryError } from '../../lib/errors.ts';
import { type Digest, parseDigest } from '../digest.ts';
import { type Platform, platformMatches, platformText } from '../platform.ts';

export const MEDIA = {
  ociIndex: 'application/vnd.oci.image.index.v1+json',
  ociManifest: 'application/vnd.oci.image.manifest.v1+json',
  ociConfig: 'application/vnd.oci.image.config.v1+json',
  ociLayer: 'application/vnd.oci.image.layer.v1.tar',
  dockerList: 'application/vnd.docker.distribution.manifest.list.v2+json',
  dockerManifest: 'application/vnd.docker.distribution.manifest.v2+json',
  dockerConfig: 'application/vnd.docker.container.image.v1+json',
  schema1: 'application/vnd.docker.distribution.manifest.v1+json',
  schema1Signed: 'application/vnd.docker.distribution.manifest.v1+prettyjws',
} as const;

/** What a client says it reads, best first. */
export const MANIFEST_ACCEPT: readonly string[] = [
  MEDIA.ociIndex,
  MEDIA.ociManifest,
  MEDIA.dockerList,
  MEDIA.dockerManifest,
];

/** More layers than overlayfs mounts can never run. @source Linux: OVL_MAX_STACK 500; Docker: 127 */
const LAYERS_MAX = 500;
const ENTRIES_MAX = 10_000;

export interface Descriptor {
  readonly mediaType: string;
  readonly digest: Digest;
  readonly size: number;
  readonly platform?: Platform | undefined;
  readonly annotations: Readonly<Record<string, string>>;
}

export type Manifest =
  | { readonly kind: 'index'; readonly manifests: readonly Descriptor[] }
  | {
      readonly kind: 'image';
      readonly mediaType: string;
      readonly config: Descriptor;
      readonly layers: readonly Descriptor[];
    };

type Json = Readonly<Record<string, unknown>>;

export function isRecord(value: unknown): value is Json {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

/** Bytes as JSON of an object. @throws BAD_MANIFEST */
export function parseObject(bytes: Uint8Array, what: string): Json {
  let value: unknown;
  try {
    value = JSON.parse(new TextDecoder('utf-8', { fatal: true }).decode(bytes));
  } catch (cause) {
    throw badManifest(`${what} is no JSON`, cause);
  }
  if (!isRecord(value)) throw badManifest(`${what} is no JSON object`);
  return value;
}

export function badManifest(message: string, cause?: unknown): GantryError {
  return new GantryError('invalid', 'BAD_MANIFEST', message, { cause });
}

/** Only string members. */
export function stringMap(value: unknown): Record<string, string> {
  if (!isRecord(value)) return {};
  return Object.fromEntries(
    Object.entries(value).filter((pair): pair is [string, string] => typeof pair[1] === 'string'),
  );
}

/** @throws BAD_MANIFEST */
export function parseDescriptor(value: unknown, what: string): Descriptor {
  if (!isRecord(value)) throw badManifest(`${what} is no descriptor`);
  const digest = typeof value.digest === 'string' ? parseDigest(value.digest) : undefined;
  const { size, mediaType } = value;
  if (!digest) throw badManifest(`${what} has no sha256 digest`);
  if (typeof size !== 'number' || !Number.isSafeInteger(size) || size < 0) throw badManifest(`${what} has no size`);
  return {
    mediaType: typeof mediaType === 'string' ? mediaType : '',
    digest,
    size,
    platform: parseEntryPlatform(value.platform),
    annotations: stringMap(value.annotations),
  };
}

function parseEntryPlatform(value: unknown): Platform | undefined {
  if (!isRecord(value)) return undefined;
  const { os, architecture, variant } = value;
  if (typeof os !== 'string' || typeof architecture !== 'string') return undefined;
  return typeof variant === 'string' && variant !== '' ? { os, architecture, variant } : { os, architecture };
}

function list(value: unknown, what: string, max: number): readonly unknown[] {
  if (!Array.isArray(value)) throw badManifest(`${what} is no list`);
  if (value.length > max) throw badManifest(`${what} has over ${max} entries`);
  return value;
}

/**
 * Reads a manifest or index. `contentType` (of the HTTP answer) decides where the body names no media type.
 * @throws BAD_MANIFEST, SCHEMA1
 */
export function parseManifest(bytes: Uint8Array, contentType = '', name = 'the image'): Manifest {
  const body = parseObject(bytes, 'manifest');
  const mediaType = typeof body.mediaType === 'string' ? body.mediaType : contentType;
  if (body.schemaVersion === 1 || mediaType === MEDIA.schema1 || mediaType === MEDIA.schema1Signed) throw schema1(name);
  const isIndex = mediaType === MEDIA.ociIndex || mediaType === MEDIA.dockerList;
  if (isIndex || (body.manifests !== undefined && body.layers === undefined)) {
    const entries = list(body.manifests, 'manifests', ENTRIES_MAX);
    return { kind: 'index', manifests: entries.map((entry, i) => parseDescriptor(entry, `manifests[${i}]`)) };
  }
  if (body.config === undefined || body.layers === undefined)
    throw badManifest(`unsupported manifest: ${mediaType || 'no media type'}`);
  const layers = list(body.layers, 'layers', LAYERS_MAX).map((layer, i) => parseDescriptor(layer, `layers[${i}]`));
  return {
    kind: 'image',
    mediaType: mediaType || MEDIA.ociManifest,
    config: parseDescriptor(body.config, 'config'),
    layers,
  };
}

/** @source dockerd 28.5 */
function schema1(name: string): GantryError {
  return new GantryError(
    'invalid',
    'SCHEMA1',
    `Docker Image Format v1 and Docker Image manifest version 2, schema 1 support has been removed. ` +
      `Suggest the author of ${name} to upgrade the image to the OCI Format or Docker Image manifest v2, schema 2. ` +
      `More information at https://docs.docker.com/go/deprecated-image-specs/`,
  );
}

/**
 * The entry of an index for `want`: an exact variant first, else the first that fits.
 * @throws NO_MATCHING_MANIFEST (notFound) with Docker's text
 */
export function choosePlatform(manifests: readonly Descriptor[], want: Platform): Descriptor {
  const images = manifests.filter(
    ({ annotations }) => annotations['vnd.docker.reference.type'] !== 'attestation-manifest',
  );
  const fits = images.filter(({ platform }) => platform !== undefined && platformMatches(platform, want));
  const exact = fits.find(({ platform }) => platform?.variant === want.variant);
  const chosen = exact ?? fits[0] ?? (images.length === 1 && !images[0]?.platform ? images[0] : undefined);
  if (chosen) return chosen;
  throw new GantryError(
    'notFound',
    'NO_MATCHING_MANIFEST',
    `no matching manifest for ${platformText(want)} in the manifest list entries`,
  );
}

/** @throws UNSUPPORTED_LAYER for layers that must be fetched from elsewhere or that are no tar */
export function checkLayerType(layer: Descriptor): void {
  const { mediaType } = layer;
  if (/nondistributable|foreign/.test(mediaType)) {
    throw new GantryError('invalid', 'UNSUPPORTED_LAYER', `layer ${layer.digest} is not distributable (${mediaType})`);
  }
  if (mediaType !== '' && !/\.tar($|[.+])|rootfs\.diff\.tar/.test(mediaType)) {
    throw new GantryError(
      'invalid',
      'UNSUPPORTED_LAYER',
      `unsupported media type ${mediaType} of layer ${layer.digest}`,
    );
  }
}
