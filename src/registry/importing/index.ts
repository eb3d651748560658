// Owns the import of a docker-registry's data folder: every blob verified, children before indexes, tags last. Only reads the folder.

import { GantryError, messageOf } from '../../lib/errors.ts';
import type { Digest } from '../../spec/digest.ts';
import type { BlobReader, BlobWriter, ManifestReader, ManifestWriter, Uploads } from '../repositories/types.ts';
import { SYSTEM } from '../types.ts';
import { DistributionTree } from './tree.ts';

const MANIFEST_MAX_BYTES = 4 << 20;
const DOER = { actor: SYSTEM };

/** What was imported, and what was skipped. */
export interface ImportReport {
  repositories: number;
  blobs: number;
  manifests: number;
  tags: number;
  bytes: number;
  /** One line each. */
  readonly skipped: string[];
}

/** What imported content goes into. */
type Target = ManifestReader & BlobReader & ManifestWriter & BlobWriter & Uploads;

export interface ImportOptions {
  /** The `rootdirectory` of the docker-registry. */
  readonly from: string;
  readonly repositories: Target;
  readonly signal: AbortSignal;
  readonly onProgress?: ((line: string) => void) | undefined;
}

/** True when `root` holds a docker-registry's data. */
export function looksLikeDistributionRoot(root: string): Promise<boolean> {
  return new DistributionTree(root).exists();
}

/** Imports everything. A second run adds what is new. @throws NO_SUCH_TREE (notFound) */
export async function importDistribution({
  from,
  repositories,
  signal,
  onProgress,
}: ImportOptions): Promise<ImportReport> {
  const tree = new DistributionTree(from);
  if (!(await tree.exists())) {
    throw new GantryError(
      'notFound',
      'NO_SUCH_TREE',
      `${from} holds no docker-registry: there is no docker/registry/v2/repositories`,
    );
  }
  const report: ImportReport = { repositories: 0, blobs: 0, manifests: 0, tags: 0, bytes: 0, skipped: [] };
  for await (const name of tree.repositories()) {
    signal.throwIfAborted();
    onProgress?.(name);
    report.repositories++;
    for (const digest of await tree.layers(name)) await importBlob(tree, repositories, name, digest, report, signal);
    await importManifests(tree, repositories, name, report);
    await importTags(tree, repositories, name, report);
  }
  return report;
}

async function importBlob(
  tree: DistributionTree,
  repositories: Target,
  name: string,
  digest: Digest,
  report: ImportReport,
  signal: AbortSignal,
): Promise<void> {
  signal.throwIfAborted();
  if ((await repositories.isStored(digest)) && repositories.mount(name, digest, undefined, DOER) !== undefined) return;
  const found = await tree.blob(digest);
  if (!found) {
    report.skipped.push(`${name}@${digest}: the blob is missing`);
    return;
  }
  const upload = await repositories.beginUpload(name);
  try {
    await repositories.appendUpload(name, upload.id, found.file.createReadStream({ highWaterMark: 1 << 20 }), {
      offsetBytes: 0,
    });
    report.bytes += await repositories.finishUpload(name, upload.id, digest, DOER);
    report.blobs++;
  } catch (error) {
    if (!(error instanceof GantryError) || error.kind !== 'invalid') throw error;
    report.skipped.push(`${name}@${digest}: ${error.message}`);
  } finally {
    await found.file.close();
  }
}

/** Imports in rounds, one for each level: a manifest waits until those that it needs are imported. Ends after a round without progress. */
async function importManifests(
  tree: DistributionTree,
  repositories: Target,
  name: string,
  report: ImportReport,
): Promise<void> {
  let waiting = (await tree.manifests(name)).filter((digest) => !repositories.findManifest(name, digest));
  for (;;) {
    const failures: { readonly digest: Digest; readonly why: string }[] = [];
    for (const digest of waiting) {
      const why = await importManifest(tree, repositories, name, digest);
      if (why === undefined) report.manifests++;
      else failures.push({ digest, why });
    }
    if (failures.length === waiting.length) {
      report.skipped.push(...failures.map(({ digest, why }) => `${name}@${digest}: ${why}`));
      return;
    }
    waiting = failures.map(({ digest }) => digest);
  }
}

/** Undefined when the manifest is imported, else the reason why not. */
async function importManifest(
  tree: DistributionTree,
  repositories: Target,
  name: string,
  digest: Digest,
): Promise<string | undefined> {
  const found = await tree.blob(digest);
  if (!found) return 'the manifest is missing';
  try {
    if (found.sizeBytes > MANIFEST_MAX_BYTES) return 'the manifest is too large';
    const bytes = await found.file.readFile();
    await repositories.putManifest({ repository: name, reference: digest, mediaType: '', bytes, ...DOER });
    return undefined;
  } catch (error) {
    if (error instanceof GantryError) return messageOf(error);
    throw error;
  } finally {
    await found.file.close();
  }
}

async function importTags(
  tree: DistributionTree,
  repositories: Target,
  name: string,
  report: ImportReport,
): Promise<void> {
  for (const [tag, digest] of await tree.tags(name)) {
    const now = repositories.findManifest(name, tag);
    const record = repositories.findManifest(name, digest);
    if (!record || now?.digest === digest) continue;
    const bytes = await repositories.manifestBytes(digest);
    await repositories.putManifest({ repository: name, reference: tag, mediaType: record.mediaType, bytes, ...DOER });
    report.tags++;
  }
}
