// Owns parsing a manifest: its references, subject, types and annotations. Pure.
// Refuses Docker's schema 1, anything but a JSON object, and media types that are not JSON: a browser could render or run them.
// @source OCI image specification 1.1 (manifest, index, descriptor); Docker image manifest version 2, schema 2

import { GantryError } from '../../lib/errors.ts';
import { type Digest, parseAnyDigest } from '../../spec/digest.ts';
import { isRecord, MEDIA, stringMap } from '../../spec/oci/manifest.ts';
import type { ManifestReference } from './types.ts';

/** The most descriptors of one manifest. */
const REFERENCES_MAX = 10_000;
const MEDIA_TYPE_MAX_CHARS = 255;
const EMPTY_TYPE = 'application/vnd.oci.empty.v1+json';
/** Content-Types that tools send by default. They say nothing about the body. */
const GENERIC_TYPES: ReadonlySet<string> = new Set(['application/json', 'application/octet-stream']);
/** RFC 6838, with parameters cut off; a JSON type by WHATWG MIME Sniffing, "JSON MIME type". */
const JSON_TYPE = /^[A-Za-z0-9][A-Za-z0-9!#$&^_.+-]*\/(?:json|[A-Za-z0-9][A-Za-z0-9!#$&^_.+-]*\+json)$/i;

/** A reference. `isForeign`: its bytes may be stored outside the registry. */
export interface BodyReference extends ManifestReference {
  readonly isForeign: boolean;
  /** `os/architecture[/variant]` of an index's entry. */
  readonly platform?: string | undefined;
}

export interface ManifestBody {
  readonly mediaType: string;
  readonly artifactType: string;
  readonly subject: Digest | undefined;
  readonly annotations: Readonly<Record<string, string>>;
  readonly references: readonly BodyReference[];
}

/** True for media types that a manifest may have. */
export function isManifestType(mediaType: string): boolean {
  return mediaType.length <= MEDIA_TYPE_MAX_CHARS && JSON_TYPE.test(mediaType);
}

/** Parses a manifest with its Content-Type. @throws MANIFEST_INVALID naming the wrong member */
export function parseManifestBody(bytes: Uint8Array, contentType: string): ManifestBody {
  const body = parseJson(bytes);
  const given = contentType.split(';', 1)[0]?.trim() ?? '';
  const stated = typeof body.mediaType === 'string' ? body.mediaType : '';
  const mediaType = stated || (GENERIC_TYPES.has(given) ? '' : given) || guessType(body);
  if (!isManifestType(mediaType))
    throw invalid(
      `the media type ${JSON.stringify(mediaType.slice(0, 100))} is not one of a manifest, nor another JSON type`,
    );
  if (stated !== '' && given !== '' && given !== stated && !GENERIC_TYPES.has(given)) {
    throw invalid(`the manifest says mediaType ${stated.slice(0, MEDIA_TYPE_MAX_CHARS)}, the Content-Type is ${given}`);
  }
  if (body.schemaVersion === 1 || mediaType === MEDIA.schema1 || mediaType === MEDIA.schema1Signed) {
    throw invalid('Docker image manifest version 2, schema 1 is not supported');
  }
  if (body.manifests !== undefined && body.layers !== undefined)
    throw invalid('a manifest has layers or manifests, not both');
  checkShape(body, mediaType);
  const subject =
    body.subject === undefined || body.subject === null ? undefined : descriptor(body.subject, 'subject', 'manifest');
  return {
    mediaType,
    artifactType: artifactTypeOf(body),
    subject: subject?.digest,
    annotations: stringMap(body.annotations),
    references: referencesOf(body),
  };
}

type Json = Readonly<Record<string, unknown>>;

function parseJson(bytes: Uint8Array): Json {
  let value: unknown;
  try {
    value = JSON.parse(new TextDecoder('utf-8', { fatal: true }).decode(bytes));
  } catch (cause) {
    throw invalid('the manifest is no JSON', cause);
  }
  if (!isRecord(value)) throw invalid('the manifest is no JSON object');
  return value;
}

function guessType(body: Json): string {
  return body.manifests === undefined ? MEDIA.ociManifest : MEDIA.ociIndex;
}

/** Checks the members that a known type requires. */
function checkShape(body: Json, mediaType: string): void {
  if (mediaType === MEDIA.ociIndex || mediaType === MEDIA.dockerList) {
    if (!Array.isArray(body.manifests)) throw invalid('manifests is no list');
  } else if (mediaType === MEDIA.ociManifest || mediaType === MEDIA.dockerManifest) {
    if (!isRecord(body.config)) throw invalid('config is no descriptor');
    if (!Array.isArray(body.layers)) throw invalid('layers is no list');
    if (body.schemaVersion !== 2) throw invalid('schemaVersion is not 2');
  }
}

/** @source OCI distribution specification 1.1, listing referrers: an absent artifactType is the config's media type */
function artifactTypeOf(body: Json): string {
  const { artifactType, config } = body;
  const own = typeof artifactType === 'string' ? artifactType : '';
  const configType = isRecord(config) && typeof config.mediaType === 'string' ? config.mediaType : '';
  const type = own || (configType === EMPTY_TYPE ? '' : configType);
  return type.slice(0, MEDIA_TYPE_MAX_CHARS);
}

function referencesOf(body: Json): BodyReference[] {
  const references: BodyReference[] = [];
  if (body.config !== undefined && body.config !== null) references.push(descriptor(body.config, 'config', 'config'));
  for (const [member, kind] of [
    ['layers', 'layer'],
    ['blobs', 'layer'],
    ['manifests', 'manifest'],
  ] as const) {
    const entries = body[member];
    if (entries === undefined || entries === null) continue;
    if (!Array.isArray(entries)) throw invalid(`${member} is no list`);
    if (entries.length > REFERENCES_MAX) throw invalid(`${member} has over ${REFERENCES_MAX} entries`);
    for (const [i, entry] of entries.entries()) references.push(descriptor(entry, `${member}[${i}]`, kind));
  }
  return references;
}

function descriptor(value: unknown, what: string, kind: ManifestReference['kind']): BodyReference {
  if (!isRecord(value)) throw invalid(`${what} is no descriptor`);
  const { digest: text, size, mediaType, urls, platform } = value;
  const digest = typeof text === 'string' ? parseAnyDigest(text) : undefined;
  if (!digest) throw invalid(`${what} has no sha256 or sha512 digest`);
  if (typeof size !== 'number' || !Number.isSafeInteger(size) || size < 0) throw invalid(`${what} has no size`);
  const type = typeof mediaType === 'string' ? mediaType.slice(0, MEDIA_TYPE_MAX_CHARS) : '';
  const isForeign =
    kind === 'layer' && (/nondistributable|\.foreign\./.test(type) || (Array.isArray(urls) && urls.length > 0));
  return { digest, kind, mediaType: type, sizeBytes: size, isForeign, platform: platformText(platform) };
}

function platformText(value: unknown): string | undefined {
  if (!isRecord(value)) return undefined;
  const parts = [value.os, value.architecture, value.variant].filter((part) => typeof part === 'string' && part !== '');
  return parts.length < 2 ? undefined : parts.join('/').slice(0, 100);
}

/** @returns MANIFEST_INVALID */
export function invalid(message: string, cause?: unknown): GantryError {
  return new GantryError('invalid', 'MANIFEST_INVALID', `manifest invalid: ${message}`, { cause });
}
