// Owns the verb that adds a manifest: parse, check its references, store, tag.

import { algorithmOf, type Digest, parseAnyDigest } from '../../spec/digest.ts';
import { MEDIA } from '../../spec/oci/manifest.ts';
import { digestBytes, digestMismatch } from '../storage/index.ts';
import type { Context } from './context.ts';
import { manifestBlobUnknown } from './errors.ts';
import { type BodyReference, invalid, isManifestType, type ManifestBody, parseManifestBody } from './manifest-body.ts';
import { summarise } from './summary.ts';
import type { ManifestRecord, ManifestSummary, PutManifest } from './types.ts';

/** @throws MANIFEST_INVALID, MANIFEST_BLOB_UNKNOWN, DIGEST_INVALID, and what guards throw */
export async function putManifest(context: Context, put: PutManifest): Promise<ManifestRecord> {
  const { repository, reference, bytes } = put;
  if (bytes.length > context.options.maxManifestBytes)
    throw invalid(`it is over ${context.options.maxManifestBytes} bytes`);
  const asked = parseAnyDigest(reference);
  const digest = digestBytes(asked ? algorithmOf(asked) : 'sha256', bytes);
  if (asked && asked !== digest) throw digestMismatch(asked, digest);
  const body = resolved(context, put, parseManifestBody(bytes, put.mediaType));
  const repositoryId = context.queries.repositoryId(repository);
  if (!put.isPartial) checkReferences(context, repository, body);
  for (const one of asked ? [reference, ...(put.tags ?? [])] : [reference]) {
    const previous = parseAnyDigest(one) ? undefined : context.queries.findManifest(repository, one)?.digest;
    for (const guard of context.guards) await guard.beforePut?.({ ...put, reference: one }, digest, previous);
  }
  const summary = await summarise(body, context.storage, (child) => context.queries.findManifest(repository, child));
  await context.queue.run(digest, async () => {
    const isKnown = repositoryId !== undefined && context.queries.findManifest(repository, digest) !== undefined;
    if (!isKnown || !(await isWhole(context, digest))) await context.storage.put(digest, bytes);
    context.database.transaction(() => settle(context, put, digest, body, summary));
  });
  return context.queries.manifest(repository, digest);
}

/** True when the store has an undamaged copy. Otherwise the manifest is written again. */
async function isWhole({ storage, options }: Context, digest: Digest): Promise<boolean> {
  return storage.readSmall(digest, options.maxManifestBytes).then(
    () => true,
    () => false,
  );
}

/** All changes to the records. References are checked again: a collection may have run since the first check. */
function settle(
  context: Context,
  put: PutManifest,
  digest: Digest,
  body: ManifestBody,
  summary: ManifestSummary,
): void {
  const { repository, reference, bytes, actor } = put;
  const nowMs = context.now();
  const { changes } = context;
  if (!put.isPartial) checkReferences(context, repository, body);
  const repositoryId = changes.ensureRepository(repository, nowMs);
  changes.ensureBlob(digest, bytes.length);
  const id = changes.putManifest({
    repositoryId,
    digest,
    sizeBytes: bytes.length,
    body,
    summary,
    nowMs,
    by: actor.name,
  });
  const happening = { repository, digest, mediaType: body.mediaType, sizeBytes: bytes.length, subject: body.subject };
  const tags = parseAnyDigest(reference) ? (put.tags ?? []) : [reference];
  for (const tag of tags) changes.setTag(repositoryId, tag, id, digest, nowMs, actor.name);
  for (const tag of tags.length === 0 ? [undefined] : tags)
    context.happened({ action: 'push', ...happening, tag }, put);
}

/** Treats entries of an index that are no manifests as layers: BuildKit's cache lists layers and its configuration as entries. */
function resolved(context: Context, { repository, isPartial = false }: PutManifest, body: ManifestBody): ManifestBody {
  const isBlob = ({ kind, mediaType, digest }: BodyReference): boolean =>
    kind === 'manifest' &&
    !isIndexed(mediaType) &&
    !(isPartial && isManifestType(mediaType)) &&
    !context.queries.findManifest(repository, digest);
  const references = body.references.map((one) => (isBlob(one) ? { ...one, kind: 'layer' as const } : one));
  return { ...body, references };
}

/** True for media types whose entry must be a manifest. Any other JSON may be a manifest or a blob. */
const isIndexed = (mediaType: string): boolean =>
  ([MEDIA.ociManifest, MEDIA.ociIndex, MEDIA.dockerManifest, MEDIA.dockerList, ''] as readonly string[]).includes(
    mediaType,
  );

/** @throws MANIFEST_BLOB_UNKNOWN for what is not in the repository, MANIFEST_INVALID for a wrong size */
function checkReferences(context: Context, repository: string, body: ManifestBody): void {
  for (const reference of body.references) {
    if (reference.isForeign) continue;
    const sizeBytes = sizeHere(context, repository, reference);
    if (sizeBytes === undefined) throw manifestBlobUnknown(reference.digest);
    if (sizeBytes !== reference.sizeBytes) {
      throw invalid(`${reference.digest} is said to have ${reference.sizeBytes} bytes, it has ${sizeBytes}`);
    }
  }
}

function sizeHere(context: Context, repository: string, reference: BodyReference): number | undefined {
  if (reference.kind === 'manifest') return context.queries.findManifest(repository, reference.digest)?.sizeBytes;
  return context.queries.findBlobSize(repository, reference.digest);
}
