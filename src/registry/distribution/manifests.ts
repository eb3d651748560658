// Owns the verbs on manifests and tags: GET, HEAD, PUT, DELETE, and the list of referrers.
// @source OCI distribution specification 1.1: pull, push, content discovery, content management

import { randomUUID } from 'node:crypto';
import { GantryError } from '../../lib/errors.ts';
import { parseAnyDigest } from '../../spec/digest.ts';
import { MEDIA } from '../../spec/oci/manifest.ts';
import type { Exchange } from '../http/types.ts';
import { isManifestType } from '../repositories/index.ts';
import type { ManifestRecord } from '../repositories/types.ts';
import { digestOf, referenceOf, tagOf } from './parse.ts';
import type { DistributionOptions } from './types.ts';
import { refuseDelete, refuseWrite } from './writable.ts';

/** In one request; more make a URL that is too long. */
const TAGS_MAX = 100;

/** GET and HEAD of a manifest. */
export async function getManifest(options: DistributionOptions, exchange: Exchange): Promise<void> {
  const { repositories, origin } = options;
  const { name = '', reference: text = '' } = exchange.parameters;
  const reference = referenceOf(text, false);
  if (origin?.serves(name)) await origin.manifest(name, reference, exchange.signal);
  const record = repositories.manifest(name, reference);
  await options.checkServe?.(name, record, exchange.grant);
  const headers = {
    // Earlier versions kept manifests of any type.
    'Content-Type': isManifestType(record.mediaType) ? record.mediaType : 'application/octet-stream',
    'Docker-Content-Digest': record.digest,
    ETag: `"${record.digest}"`,
    // What a digest names never changes; what a tag names must be asked for.
    'Cache-Control': parseAnyDigest(reference) ? 'max-age=31536000' : 'no-cache',
  };
  if (hasIt(exchange.request.headers['if-none-match'], record)) return exchange.send(304, headers);
  if (exchange.request.method === 'HEAD') {
    // A client that gets this answer does not push it.
    if (!(await repositories.isStored(record.digest))) throw manifestUnknown(reference);
    exchange.response.writeHead(200, { ...headers, 'Content-Length': String(record.sizeBytes) });
    exchange.response.end();
    return;
  }
  const bytes = await repositories.manifestBytes(record.digest);
  exchange.send(200, headers, bytes);
  tellPull(options, exchange, record, parseAnyDigest(reference) ? undefined : reference);
}

function manifestUnknown(reference: string): GantryError {
  return new GantryError('notFound', 'MANIFEST_UNKNOWN', 'manifest unknown', { params: { reference } });
}

function hasIt(header: string | undefined, record: ManifestRecord): boolean {
  return (
    header !== undefined &&
    header.length < 4096 &&
    header.split(',').some((tag) => tag.trim().replace(/^W\//, '') === `"${record.digest}"`)
  );
}

function tellPull(
  { repositories }: DistributionOptions,
  exchange: Exchange,
  record: ManifestRecord,
  tag: string | undefined,
): void {
  const { repository, digest, mediaType, sizeBytes } = record;
  const at = new Date().toISOString();
  repositories.publish({
    id: randomUUID(),
    action: 'pull',
    at,
    repository,
    digest,
    mediaType,
    sizeBytes,
    tag,
    ...exchange.doer,
  });
}

/** PUT of a manifest by tag or digest. */
export async function putManifest(options: DistributionOptions, exchange: Exchange): Promise<void> {
  const { name = '', reference: text = '' } = exchange.parameters;
  refuseWrite(options, name);
  const reference = referenceOf(text, true);
  const tags = tagsIn(exchange, reference);
  const bytes = await exchange.body(options.maxManifestBytes);
  const mediaType = (exchange.request.headers['content-type'] ?? '').slice(0, 255);
  const record = await options.repositories.putManifest({
    repository: name,
    reference,
    tags,
    mediaType,
    bytes,
    ...exchange.doer,
  });
  exchange.send(201, {
    Location: exchange.link(`/v2/${name}/manifests/${record.digest}`),
    'Docker-Content-Digest': record.digest,
    ...(record.subject === undefined ? {} : { 'OCI-Subject': record.subject }),
    ...(tags.length === 0 ? {} : { 'OCI-Tag': tags }),
  });
}

/** Tags that a manifest gets besides its digest. @source OCI distribution specification after 1.1, end-7b @throws TAG_INVALID, also 414 for too many */
function tagsIn({ query }: Exchange, reference: string): string[] {
  const tags = query.getAll('tag');
  if (tags.length === 0) return [];
  if (!parseAnyDigest(reference))
    throw new GantryError('invalid', 'TAG_INVALID', 'tags beside the reference go with a digest as reference only');
  if (tags.length > TAGS_MAX)
    throw new GantryError('exhausted', 'TAG_INVALID', `a manifest gets at most ${TAGS_MAX} tags at once`);
  return [...new Set(tags.map(tagOf))];
}

/** DELETE of a tag, or of a manifest with all its tags. */
export async function deleteManifest(options: DistributionOptions, exchange: Exchange): Promise<void> {
  const { name = '', reference: text = '' } = exchange.parameters;
  refuseDelete(options);
  const reference = referenceOf(text, false);
  const digest = parseAnyDigest(reference);
  const isForced = exchange.query.get('force') === 'true';
  if (digest) await options.repositories.deleteManifest(name, digest, exchange.doer, isForced);
  else await options.repositories.deleteTag(name, reference, exchange.doer);
  exchange.send(202, {});
}

/** GET of the referrers of a digest; none are an empty index, also where the repository or the digest is unknown. */
export async function getReferrers({ repositories, origin }: DistributionOptions, exchange: Exchange): Promise<void> {
  const { name = '', digest: text = '' } = exchange.parameters;
  const digest = digestOf(text);
  const artifactType = exchange.query.get('artifactType') ?? undefined;
  const manifests = origin?.serves(name)
    ? (await origin.referrers(name, digest)).filter(
        (one) => artifactType === undefined || one.artifactType === artifactType,
      )
    : repositories.referrers(name, digest, artifactType);
  const body = JSON.stringify({ schemaVersion: 2, mediaType: MEDIA.ociIndex, manifests });
  const filters = artifactType === undefined ? {} : { 'OCI-Filters-Applied': 'artifactType' };
  exchange.send(200, { 'Content-Type': MEDIA.ociIndex, ...filters }, body);
}
