// Owns manifests and indexes (OCI and Docker schema 2): checked shapes out of hostile bytes. Pure.
// Refuses Docker's schema 1, and what is kept as an image but is none.

import { GantryError } from '../../lib/errors.ts';
import { type Digest, parseDigest } from '../digest.ts';
import { type Platform, platformIs, platformMatches, platformText, variantRank } from '../platform.ts';
import { decodeDocument, integer, listOf, mapOf, optional, type Shape, STRING, stringOf, structOf } from './go-json.ts';

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
  dockerPlugin: 'application/vnd.docker.plugin.v1+json',
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

/** A platform as it stands in documents. */
export const PLATFORM = structOf('v1.Platform', {
  architecture: STRING,
  os: STRING,
  'os.version': STRING,
  'os.features': listOf(STRING),
  variant: STRING,
});

/** A descriptor as it stands in documents: its digest is not looked at yet. */
export const DESCRIPTOR = structOf('distribution.Descriptor', {
  mediaType: STRING,
  digest: stringOf('digest.Digest'),
  size: integer('int64'),
  urls: listOf(STRING),
  annotations: mapOf(STRING),
  platform: optional(PLATFORM),
});

type RawDescriptor = typeof DESCRIPTOR extends Shape<infer T> ? T : never;

const MANIFEST = structOf('ocischema.Manifest', {
  schemaVersion: integer('int'),
  mediaType: STRING,
  config: optional(DESCRIPTOR),
  layers: listOf(DESCRIPTOR, LAYERS_MAX),
  manifests: listOf(DESCRIPTOR, ENTRIES_MAX),
  annotations: mapOf(STRING),
});

const INDEX_TYPES: readonly string[] = [MEDIA.ociIndex, MEDIA.dockerList];
const IMAGE_TYPES: readonly string[] = [MEDIA.ociManifest, MEDIA.dockerManifest];

/** @throws BAD_MANIFEST */
function descriptorOf(raw: RawDescriptor, what: string): Descriptor {
  const { digest: text, size, mediaType, annotations = {}, platform } = raw;
  const digest = parseDigest(text);
  if (!digest) throw badManifest(`could not validate ${what} digest ${JSON.stringify(text)}: ${digestFault(text)}`);
  if (size < 0) throw badManifest(`the size of ${what} ${digest} is negative: ${size}`);
  return { mediaType, digest, size, platform: platform && platformOf(platform), annotations };
}

/** @source github.com/opencontainers/go-digest, as dockerd 28.5 shows it */
function digestFault(text: string): string {
  if (!/^[a-z0-9]+(?:[.+_-][a-z0-9]+)*:[a-zA-Z0-9=_-]+$/.test(text)) return 'invalid checksum digest format';
  return text.startsWith('sha256:') ? 'invalid checksum digest length' : 'unsupported digest algorithm';
}

function platformOf({ os, architecture, variant }: NonNullable<RawDescriptor['platform']>): Platform | undefined {
  if (os === '' || architecture === '') return undefined;
  return variant === '' ? { os, architecture } : { os, architecture, variant };
}

/**
 * Reads a manifest or index. `contentType` (of the HTTP answer, or of the descriptor that led here) decides where the body
 * names no media type. A document that could be read as either is refused: two readers would see two images.
 * @throws BAD_MANIFEST with Docker's text, SCHEMA1
 * @source CVE-2021-41190; dockerd 28.5
 */
export function parseManifest(bytes: Uint8Array, contentType = '', name = 'the image'): Manifest {
  const body = decodeDocument(MANIFEST, 'Manifest', bytes, 'the manifest');
  const mediaType = mediaTypeOf(body.mediaType, contentType);
  const isSchema1 = body.schemaVersion === 1 && !body.config && !body.manifests;
  if (isSchema1 || mediaType === MEDIA.schema1 || mediaType === MEDIA.schema1Signed) throw schema1(name);
  const isIndex =
    INDEX_TYPES.includes(mediaType) || (!IMAGE_TYPES.includes(mediaType) && body.manifests && !body.layers);
  if (isIndex) {
    if (body.config || body.layers) throw badManifest('index: expected index but found manifest');
    return { kind: 'index', manifests: (body.manifests ?? []).map((entry) => descriptorOf(entry, 'manifest')) };
  }
  if (body.manifests) throw badManifest('ocimanifest: expected manifest but found index');
  if (!body.config) throw badManifest('the manifest names no configuration');
  return {
    kind: 'image',
    mediaType: mediaType || MEDIA.ociManifest,
    config: descriptorOf(body.config, 'configuration'),
    layers: (body.layers ?? []).map((layer) => descriptorOf(layer, 'layer')),
  };
}

/** @throws BAD_MANIFEST when the document says another type than it was served as */
function mediaTypeOf(said: string, served: string): string {
  const known = [...INDEX_TYPES, ...IMAGE_TYPES, MEDIA.schema1, MEDIA.schema1Signed];
  if (said === '' || said === served) return said || served;
  if (known.includes(served)) {
    throw badManifest(`if present, mediaType in manifest should be '${served}' not '${said}'`);
  }
  if (!known.includes(said)) throw badManifest(`unsupported manifest media type ${said}`);
  return said;
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
 * The entry of an index for `want`: the very platform first, else the newest variant that fits.
 * @throws NO_MATCHING_MANIFEST (notFound) with Docker's text
 */
export function choosePlatform(manifests: readonly Descriptor[], want: Platform): Descriptor {
  const images = manifests.filter(
    ({ annotations }) => annotations['vnd.docker.reference.type'] !== 'attestation-manifest',
  );
  const fits = images.filter(({ platform }) => platform !== undefined && platformMatches(platform, want));
  const exact = fits.find(({ platform }) => platform && platformIs(platform, want));
  const rank = ({ platform }: Descriptor): number => (platform ? variantRank(platform) : 0);
  const newest = fits.reduce<Descriptor | undefined>((a, b) => (a && rank(a) >= rank(b) ? a : b), undefined);
  const chosen = exact ?? newest ?? (images.length === 1 && !images[0]?.platform ? images[0] : undefined);
  if (chosen) return chosen;
  throw new GantryError(
    'notFound',
    'NO_MATCHING_MANIFEST',
    `no matching manifest for ${platformText(want)} in the manifest list entries`,
  );
}

/** Types that stand for an image's configuration and layers; a dot ends the prefixes. @source dockerd 28.5 */
const IMAGE_PART_PREFIXES: readonly string[] = ['application/vnd.oci.image', 'application/vnd.docker'];
const IMAGE_PART_TYPES: readonly string[] = ['', 'application/octet-stream', 'application/json', 'text/html'];

function isImagePart(mediaType: string): boolean {
  const lower = mediaType.toLowerCase();
  return IMAGE_PART_TYPES.includes(lower) || IMAGE_PART_PREFIXES.some((prefix) => lower.startsWith(`${prefix}.`));
}

/** A plugin is reported before anything else. @throws NOT_AN_IMAGE with Docker's text */
export function refusePlugin({ config: { mediaType } }: Manifest & { readonly kind: 'image' }): void {
  if (mediaType !== MEDIA.dockerPlugin) return;
  throw new GantryError('invalid', 'NOT_AN_IMAGE', `Encountered remote "${mediaType}"(plugin) when fetching`);
}

/**
 * Refuses what registries hold beside images: charts, signatures, policies, files. Where its layers lie is of no matter:
 * a layer that is said to be foreign may well be in this registry.
 * @throws NOT_AN_IMAGE with Docker's text
 */
export function refuseArtifact({ config, layers }: Manifest & { readonly kind: 'image' }): void {
  const foreign = [config, ...layers].find(({ mediaType }) => !isImagePart(mediaType));
  if (!foreign) return;
  throw new GantryError('invalid', 'NOT_AN_IMAGE', `unsupported media type ${foreign.mediaType}`, {
    hint: 'this is no image; fetch it with the tool it was made by (helm, oras, cosign)',
  });
}
