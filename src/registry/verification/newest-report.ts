// Owns finding the report that decides about a manifest: the one that was pushed last, by whoever may push to the repository. A team whose
// pipeline scans needs no scanner here.

import { isGantryError } from '../../lib/errors.ts';
import { type Digest, parseAnyDigest } from '../../spec/digest.ts';
import { isRecord } from '../../spec/oci/manifest.ts';
import type { BlobReader, ManifestReader, ReferrerDescriptor } from '../repositories/types.ts';
import { type Counts, countFindings, countsIn, REPORT_TYPE, SCANNER_ANNOTATION } from './report.ts';
import { readBlobUpTo } from './signatures.ts';

/** Reports that others attach are read while a client waits. */
const REPORT_MAX_BYTES = 4 << 20;
/** The most reports that are read for one manifest. */
const REPORTS_MAX = 20;
const CREATED = 'org.opencontainers.image.created';

export interface Report {
  readonly counts: Counts;
  readonly scanner: string;
  readonly digest: Digest;
  /** RFC 3339, as the report says; '' when it does not. */
  readonly scannedAt: string;
}

/** The newest report of a manifest; where it has none, of an index that it is an entry of. What is no report is none. */
export async function newestReport(
  repositories: ManifestReader & BlobReader,
  repository: string,
  digest: Digest,
): Promise<Report | undefined> {
  for (const candidate of [digest, ...repositories.parents(repository, digest)]) {
    const referrers = repositories
      .referrers(repository, candidate)
      .filter(({ artifactType = '' }) => formatOf(artifactType) !== undefined)
      .toReversed();
    for (const referrer of referrers.slice(0, REPORTS_MAX)) {
      const report = await readReport(repositories, referrer);
      if (report) return report;
    }
  }
  return undefined;
}

/** What an artifact type says of its content: a report of ours, or the scanner whose output it is. */
function formatOf(artifactType: string): 'own' | 'trivy' | 'grype' | undefined {
  if (artifactType === REPORT_TYPE) return 'own';
  const match = /\b(trivy|grype)\b/.exec(artifactType);
  return match ? (match[1] as 'trivy' | 'grype') : undefined;
}

async function readReport(
  repositories: ManifestReader & BlobReader,
  referrer: ReferrerDescriptor,
): Promise<Report | undefined> {
  const { digest, artifactType = '', annotations = {} } = referrer;
  const format = formatOf(artifactType);
  const counts =
    countsIn(annotations) ??
    (format === 'trivy' || format === 'grype' ? await countIn(repositories, digest, format) : undefined);
  if (!counts) return undefined;
  const scanner = annotations[SCANNER_ANNOTATION] ?? (format === 'own' ? '' : (format ?? ''));
  return { counts, scanner, digest, scannedAt: annotations[CREATED] ?? '' };
}

/** Counts what the only layer of an artifact reports. */
async function countIn(
  repositories: ManifestReader & BlobReader,
  digest: Digest,
  format: 'trivy' | 'grype',
): Promise<Counts | undefined> {
  try {
    const manifest: unknown = JSON.parse((await repositories.manifestBytes(digest)).toString());
    const layers: readonly unknown[] = isRecord(manifest) && Array.isArray(manifest.layers) ? manifest.layers : [];
    const [layer] = layers;
    const blob = isRecord(layer) ? parseAnyDigest(String(layer.digest)) : undefined;
    if (layers.length !== 1 || !blob) return undefined;
    const bytes = await readBlobUpTo(repositories, blob, REPORT_MAX_BYTES);
    return bytes && countFindings(format, bytes.toString());
  } catch (error) {
    // It went meanwhile, or is not what its type says.
    if (isGantryError(error, 'notFound') || isGantryError(error, 'invalid')) return undefined;
    throw error;
  }
}
