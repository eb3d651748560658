// Owns finding the signatures of a manifest in its repository: cosign's tag and the referrers. Bounded in number and size.

import type { Digest } from '../../spec/digest.ts';
import { isRecord } from '../../spec/oci/manifest.ts';
import type { ManifestRecord, Repositories } from '../repositories/types.ts';
import {
  BUNDLE,
  type NamedKey,
  SIGNATURE_ANNOTATION,
  SIMPLE_SIGNING,
  verifyBundle,
  verifySimpleSigning,
} from './cosign.ts';

const MANIFESTS_MAX = 50;
const LAYERS_MAX = 50;
const PAYLOAD_MAX_BYTES = 1 << 20;

/** The tags under which cosign keeps what belongs to a manifest. */
export const COMPANION_TAG = /^(sha256|sha512)-([0-9a-f]{64,128})\.(sig|att|sbom)$/;

/** What was found. */
export interface SignatureStatus {
  /** `unknown`: there are signatures, and no configured key made one. */
  readonly state: 'valid' | 'unknown' | 'none';
  /** Names of the keys whose signature is there. */
  readonly keys: readonly string[];
}

/** True for manifests that say something about another and are no image themselves. */
export function isCompanion(record: ManifestRecord, tags: readonly string[]): boolean {
  return record.subject !== undefined || tags.some((tag) => COMPANION_TAG.test(tag));
}

/** The manifest that a signature is about. */
export function subjectOf(record: ManifestRecord, tag: string | undefined): string | undefined {
  if (record.subject !== undefined)
    return BUNDLE.test(record.artifactType) || isCosign(record) ? record.subject : undefined;
  const match = COMPANION_TAG.exec(tag ?? '');
  return match?.[3] === 'sig' ? `${match[1]}:${match[2]}` : undefined;
}

function isCosign(record: ManifestRecord): boolean {
  return record.artifactType.startsWith('application/vnd.dev.cosign.');
}

/** Looks at every signature of `digest`. */
export async function signaturesOf(
  repositories: Repositories,
  repository: string,
  digest: Digest,
  keys: readonly NamedKey[],
): Promise<SignatureStatus> {
  const tagged = repositories.findManifest(repository, `${digest.replace(':', '-')}.sig`);
  const referrers = repositories
    .referrers(repository, digest)
    .filter(
      ({ artifactType = '' }) => BUNDLE.test(artifactType) || artifactType.startsWith('application/vnd.dev.cosign.'),
    );
  const carriers = [...(tagged ? [tagged.digest] : []), ...referrers.map((referrer) => referrer.digest)].slice(
    0,
    MANIFESTS_MAX,
  );
  const signers = new Set<string>();
  for (const carrier of carriers) {
    for (const name of await signersIn(repositories, carrier, digest, keys)) signers.add(name);
  }
  const state = signers.size > 0 ? 'valid' : carriers.length > 0 ? 'unknown' : 'none';
  return { state, keys: [...signers].sort() };
}

async function signersIn(
  repositories: Repositories,
  carrier: Digest,
  digest: Digest,
  keys: readonly NamedKey[],
): Promise<string[]> {
  const manifest: unknown = JSON.parse((await repositories.manifestBytes(carrier)).toString());
  const layers = isRecord(manifest) && Array.isArray(manifest.layers) ? manifest.layers.slice(0, LAYERS_MAX) : [];
  const names: string[] = [];
  for (const layer of layers as readonly unknown[]) {
    if (!isRecord(layer) || typeof layer.digest !== 'string' || Number(layer.size) > PAYLOAD_MAX_BYTES) continue;
    const mediaType = String(layer.mediaType);
    if (mediaType !== SIMPLE_SIGNING && !BUNDLE.test(mediaType)) continue;
    const payload = await readSmall(repositories, layer.digest as Digest);
    const annotations = isRecord(layer.annotations) ? layer.annotations : {};
    const signature = String(annotations[SIGNATURE_ANNOTATION] ?? '');
    const signer =
      mediaType === SIMPLE_SIGNING
        ? verifySimpleSigning(payload, signature, digest, keys)
        : verifyBundle(payload, digest, keys);
    if (signer) names.push(signer.name);
  }
  return names;
}

/** A blob of at most a payload's size; what is longer is cut, and verifies nothing. */
async function readSmall(repositories: Repositories, digest: Digest): Promise<Buffer> {
  const pieces: Buffer[] = [];
  const stream = await repositories.readBlob(digest, { start: 0, end: PAYLOAD_MAX_BYTES });
  for await (const piece of stream) pieces.push(piece as Buffer);
  return Buffer.concat(pieces);
}
