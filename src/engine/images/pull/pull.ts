// Owns pulling an image: resolve its manifest, bring what is missing, name it. @source wording and order: dockerd 28.5

import { cancelled, throwIfCancelled } from '../../../lib/abort.ts';
import { GantryError } from '../../../lib/errors.ts';
import type { Semaphore } from '../../../lib/semaphore.ts';
import {
  type FetchedManifest,
  pullError,
  type RegistryClient,
  RegistryError,
  type Repository,
} from '../../../remote/index.ts';
import type { Digest } from '../../../spec/digest.ts';
import type { ImageFacts } from '../../../spec/oci/image-config.ts';
import {
  badManifest,
  choosePlatform,
  type Manifest,
  refuseArtifact,
  refusePlugin,
} from '../../../spec/oci/manifest.ts';
import { hostPlatform, platformMatches, platformText } from '../../../spec/platform.ts';
import {
  canonicalReference,
  familiarName,
  familiarReference,
  parseReference,
  type Reference,
  withDefaultTag,
} from '../../../spec/reference.ts';
import type { ImageContext } from '../context.ts';
import type { ImageRecord, PullRequest, ReportProgress } from '../types.ts';
import { pullLayers } from './layers.ts';

/** Indexes within indexes. */
const INDEX_DEPTH_MAX = 3;

export interface PullControl {
  readonly report: ReportProgress;
  readonly signal: AbortSignal;
  /** Downloads at once, of all pulls together. */
  readonly slots: Semaphore;
  /** First pause before a layer is tried again. */
  readonly retryPauseMs: number;
}

/** @throws INVALID_REFERENCE, MANIFEST_UNKNOWN, PULL_DENIED, NO_MATCHING_MANIFEST, DIGEST_MISMATCH, NO_SPACE, REGISTRY_FAILED, CANCELLED */
export async function pullImage(
  context: ImageContext,
  client: RegistryClient,
  request: PullRequest,
  control: PullControl,
): Promise<ImageRecord> {
  const named = parseReference(request.reference);
  const reference = request.allTags ? { ...named, tag: undefined } : withDefaultTag(named);
  let failed = true;
  try {
    await using _bringing = await context.bringing();
    const { record, updated } = await throughEndpoints(client, reference, request, control.signal, (repository) => {
      const pull: Pull = { context, client, repository, request, control };
      return request.allTags ? pullAllTags(pull, reference) : pullOne(pull, reference);
    });
    failed = false;
    const news = updated ? 'Downloaded newer image for' : 'Image is up to date for';
    control.report({ status: `Status: ${news} ${familiarReference(reference)}` });
    warnOfPlatform(request, record, reference, control.report);
    context.event('pull', familiarReference(reference), familiarName(reference), record.config.Labels);
    return context.records.get(record.id) ?? record;
  } finally {
    if (failed) await context.trySweep();
  }
}

/** One pull from one place. */
interface Pull {
  readonly context: ImageContext;
  readonly client: RegistryClient;
  readonly repository: Repository;
  readonly request: PullRequest;
  readonly control: PullControl;
}

interface Pulled {
  readonly record: ImageRecord;
  /** The name points elsewhere than before. */
  readonly updated: boolean;
}

/** Mirrors, then the origin; HTTPS, then HTTP where allowed. The last failure is reported; an origin that answers ends the search. */
async function throughEndpoints(
  client: RegistryClient,
  reference: Reference,
  { credentials = {} }: PullRequest,
  signal: AbortSignal,
  work: (repository: Repository) => Promise<Pulled>,
): Promise<Pulled> {
  let failure: unknown;
  for (const endpoint of client.endpoints(reference.domain)) {
    try {
      return await work({ endpoint, path: reference.path, credentials: endpoint.mirror ? {} : credentials, signal });
    } catch (error) {
      failure = error;
      const absent = error instanceof RegistryError && (endpoint.mirror || error.status === 0);
      if (!absent) break;
    }
  }
  throw signal.aborted ? cancelled() : pullError(ofRegistry(failure), reference);
}

/** What a registry serves is no fault of the request. @source dockerd 28.5 answers 500 */
function ofRegistry(error: unknown): unknown {
  if (!(error instanceof GantryError) || error.code !== 'BAD_MANIFEST') return error;
  return error.ofKind('system');
}

async function pullAllTags(pull: Pull, name: Reference): Promise<Pulled> {
  let last: Pulled | undefined;
  for (const tag of await pull.client.tags(pull.repository)) {
    const pulled = await pullOne(pull, { ...name, tag });
    last = { record: pulled.record, updated: pulled.updated || (last?.updated ?? false) };
  }
  if (!last) throw new RegistryError('manifest unknown: no tags', { status: 404, code: 'MANIFEST_UNKNOWN' });
  return last;
}

/** A manifest with the index it was chosen from. */
interface Resolved {
  readonly image: Extract<Manifest, { kind: 'image' }>;
  /** What the name stands for: the index where there is one. */
  readonly digest: Digest;
  readonly kept: readonly FetchedManifest[];
}

/** The image that the name stands for; of an index the one for the platform. Tells that the pull has begun. @throws BAD_MANIFEST, NOT_AN_IMAGE, NO_MATCHING_MANIFEST */
async function resolve(
  { context, client, repository, request, control }: Pull,
  reference: Reference,
): Promise<Resolved> {
  const name = familiarReference(reference);
  const first = await client.manifest(repository, reference.digest ?? reference.tag ?? 'latest');
  const kept = [first];
  let manifest = await context.documents.manifest(first.bytes, first.contentType, name);
  if (manifest.kind === 'image') refusePlugin(manifest);
  control.report({ id: lineId(reference), status: `Pulling from ${reference.path}` });
  while (manifest.kind === 'index') {
    if (kept.length > INDEX_DEPTH_MAX) throw badManifest(`${name}: indexes are nested too deeply`);
    const chosen = choosePlatform(manifest.manifests, request.platform ?? hostPlatform());
    const inner = await client.manifest(repository, chosen.digest);
    kept.push(inner);
    manifest = await context.documents.manifest(inner.bytes, inner.contentType || chosen.mediaType, name);
  }
  refuseArtifact(manifest);
  return { image: manifest, digest: first.digest, kept };
}

async function pullOne(pull: Pull, reference: Reference): Promise<Pulled> {
  const { context, client, repository, request, control } = pull;
  const { image, digest, kept } = await resolve(pull, reference);
  const id = image.config.digest;
  const config = await configOf(pull, id);
  const facts = await context.documents.config(config);
  checkFacts(facts, image.layers.length, request);
  using _hold = context.layers.hold(facts.diffIds);
  const whole = await wholeLayers(context, facts.diffIds);
  // An image that is all there is up to date, and its layers are not reported.
  if (!context.records.stored(id) || facts.diffIds.some((diffId) => !whole.has(diffId))) {
    await pullLayers(context, client, repository, image.layers, facts.diffIds, whole, control);
  }
  throwIfCancelled(control.signal);
  await context.blobs.put(config, id);
  for (const { bytes, digest: expected } of kept) await context.blobs.put(bytes, expected);
  const record = context.register(
    id,
    facts,
    kept.map((manifest) => manifest.digest),
  );
  const updated = nameIt(context, reference, digest, id);
  control.report({ status: `Digest: ${digest}` });
  return { record, updated };
}

/** Those that are here, and still what they were. */
async function wholeLayers(context: ImageContext, diffIds: readonly Digest[]): Promise<ReadonlySet<Digest>> {
  const whole = new Set<Digest>();
  const look = async (diffId: Digest): Promise<void> => {
    if (await context.layers.isWhole(diffId)) whole.add(diffId);
  };
  await Promise.all([...new Set(diffIds)].map(look));
  return whole;
}

/** What Docker's line of the pull itself is called by: the tag, or the whole name with its digest. @source dockerd 28.5 */
function lineId(reference: Reference): string | undefined {
  return reference.digest === undefined ? reference.tag : canonicalReference({ ...reference, tag: undefined });
}

/** The configuration, ours where it is known and whole. */
async function configOf({ context, client, repository }: Pull, id: Digest): Promise<Buffer> {
  const known = context.records.stored(id) && (await context.blobs.read(id).catch(() => undefined));
  return known ?? client.smallBlob(repository, id);
}

function checkFacts({ diffIds, platform }: ImageFacts, layers: number, request: PullRequest): void {
  if (diffIds.length !== layers) throw badManifest(`layers from manifest don't match image configuration`);
  if (platform.os !== 'linux') {
    throw wrongSystem(`image operating system "${platform.os}" cannot be used on this platform`);
  }
  // The image is for linux, but that is not what was asked for. @source dockerd 28.5
  if (request.platform && request.platform.os !== 'linux') throw wrongSystem('operating system is not supported');
}

function wrongSystem(message: string): GantryError {
  return new GantryError('invalid', 'WRONG_OS', message);
}

/** Points the digest, and the tag when one was asked for, at the image. True when the name is news. */
function nameIt(context: ImageContext, reference: Reference, digest: Digest, id: Digest): boolean {
  const { tag } = reference;
  const byDigest = canonicalReference({ ...reference, tag: undefined, digest });
  const named =
    reference.digest === undefined && tag !== undefined
      ? canonicalReference({ ...reference, digest: undefined })
      : byDigest;
  const updated = context.records.resolve(named) !== id;
  context.records.setRef(byDigest, id);
  if (named !== byDigest && updated) context.setTag({ ...reference, digest: undefined }, id);
  return updated;
}

function warnOfPlatform(
  { platform }: PullRequest,
  record: ImageRecord,
  reference: Reference,
  report: ReportProgress,
): void {
  if (!platform || platformMatches(record.platform, platform)) return;
  const name = familiarReference(reference);
  const [got, wanted] = [platformText(record.platform), platformText(platform)];
  report({
    status: `WARNING: image with reference ${name} was found but its platform (${got}) does not match the specified platform (${wanted})`,
  });
}
