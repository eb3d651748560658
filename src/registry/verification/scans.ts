// Owns the queue of scans, in the records: images that were pushed are scanned, over restarts, one at a time; reports are attached as
// referrers, and what failed for good is remembered until it is asked for again.

import { createHash, randomUUID } from 'node:crypto';
import type { Digest } from '../../spec/digest.ts';
import { MEDIA } from '../../spec/oci/manifest.ts';
import type { Database, Migrations } from '../../store/database.ts';
import { copyIntoJobs, createQueue, type JobQueue, migrateJobs } from '../../store/jobs/index.ts';
import type { ScannerConfig } from '../config/types.ts';
import { fitsAny } from '../glob.ts';
import type {
  BlobReader,
  BlobWriter,
  ManifestReader,
  ManifestRecord,
  ManifestWriter,
  Publisher,
} from '../repositories/types.ts';
import { type Log, SYSTEM } from '../types.ts';
import { COUNTS_ANNOTATION, countFindings, countsText, REPORT_TYPE, SCANNER_ANNOTATION } from './report.ts';
import { runScanner } from './scanner.ts';

const MIGRATIONS: Migrations = {
  name: 'verification',
  steps: [
    `CREATE TABLE verification_scans (
       repository TEXT NOT NULL, digest TEXT NOT NULL, attempts INTEGER NOT NULL, due_ms INTEGER NOT NULL,
       PRIMARY KEY (repository, digest)) STRICT, WITHOUT ROWID;`,
    // What failed for good stays, with why; '' is still to be done.
    `ALTER TABLE verification_scans ADD COLUMN failure TEXT NOT NULL DEFAULT '';
     CREATE INDEX verification_scans_due ON verification_scans (due_ms) WHERE failure = '';`,
    `${copyIntoJobs(
      `'scans' AS queue, repository || ' ' || digest AS key, json_object('repository', repository, 'digest', digest) AS payload,
       failure != '' AS is_dead, attempts, due_ms, failure AS error`,
      'verification_scans ORDER BY due_ms',
    )}
     DROP TABLE verification_scans;`,
  ],
};

const ATTEMPTS_MAX = 5;
const PAUSE = { firstMs: 10_000, longestMs: 3_600_000 };
/** Failures for good that are remembered. */
const FAILED_MAX = 10_000;
const EMPTY = Buffer.from('{}');
const EMPTY_TYPE = 'application/vnd.oci.empty.v1+json';
const DOER = { actor: SYSTEM };

export interface ScansOptions {
  readonly scanners: readonly ScannerConfig[];
  readonly repositories: ManifestReader & BlobReader & ManifestWriter & BlobWriter & Publisher;
  readonly database: Database;
  readonly log: Log;
  /** This registry's URL. */
  readonly base: () => string;
  /** Unix milliseconds. */
  readonly now: () => number;
}

/** A scan that is to come, or that failed for good. */
export interface ScanState {
  readonly state: 'waiting' | 'failed';
  readonly attempts: number;
}

/** An image that is to be scanned. */
interface Scan {
  readonly repository: string;
  readonly digest: string;
}

const keyOf = (repository: string, digest: string): string => `${repository} ${digest}`;

/** Scans images, one after the other. */
export class Scans implements AsyncDisposable {
  readonly #options: ScansOptions;
  readonly #queue: JobQueue<Scan>;

  constructor(options: ScansOptions) {
    this.#options = options;
    const { database, log, now } = options;
    migrateJobs(database);
    database.migrate(MIGRATIONS);
    this.#queue = createQueue<Scan>(database, {
      name: 'scans',
      work: ({ payload }, signal) => this.#one(payload, signal),
      atOnce: 1,
      pause: PAUSE,
      attemptsMax: ATTEMPTS_MAX,
      deadMax: FAILED_MAX,
      now,
      onTrouble: (message) => log('error', message),
      onOutcome: ({ payload: { repository, digest } }, outcome) => {
        if (outcome.kind !== 'done') log('warn', `scan of ${repository}@${digest}: ${outcome.message}`);
      },
    });
  }

  /** True when a scanner speaks of the repository. */
  covers(repository: string): boolean {
    return this.#scannerFor(repository) !== undefined;
  }

  /** Queues a scan where a scanner speaks of the repository; may be called inside a transaction. */
  queue(repository: string, digest: Digest): void {
    if (this.covers(repository)) this.#queue.replace(keyOf(repository, digest), { repository, digest });
  }

  /** What is known of a manifest's scan, while it has no end or a bad one. */
  state(repository: string, digest: Digest): ScanState | undefined {
    const found = this.#queue.state(keyOf(repository, digest));
    return found && { state: found.isDead ? 'failed' : 'waiting', attempts: found.attempts };
  }

  /** Cancels the scan of a deleted manifest. */
  forget(repository: string, digest: Digest): void {
    this.#queue.cancel(keyOf(repository, digest));
  }

  start(): void {
    this.#queue.start();
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.#queue[Symbol.asyncDispose]();
  }

  #scannerFor(repository: string): ScannerConfig | undefined {
    return this.#options.scanners.find((scanner) => fitsAny(repository, scanner.repositories));
  }

  /** Skips manifests that were deleted meanwhile or have no scanner any more. */
  async #one({ repository, digest }: Scan, signal: AbortSignal): Promise<void> {
    const scanner = this.#scannerFor(repository);
    const record = this.#options.repositories.findManifest(repository, digest);
    if (scanner && record) await this.#scan(scanner, record, signal);
  }

  /** Runs the scanner and attaches its report. @throws SCAN_FAILED, REPORT_INVALID */
  async #scan(scanner: ScannerConfig, record: ManifestRecord, signal: AbortSignal): Promise<void> {
    const { repositories, base, now } = this.#options;
    const { repository, digest } = record;
    const report = await runScanner(scanner, repositories, record, base(), signal);
    const counts = countFindings(scanner.format, report.toString());
    if (!repositories.findManifest(repository, digest)) return;
    const reportDigest = await repositories.putBlob(repository, report, DOER);
    const emptyDigest = await repositories.putBlob(repository, EMPTY, DOER);
    const at = new Date(now()).toISOString();
    const bytes = reportManifest(record, {
      config: { mediaType: EMPTY_TYPE, digest: emptyDigest, size: EMPTY.length },
      layer: {
        mediaType: `application/vnd.gantry.${scanner.format}.report+json`,
        digest: reportDigest,
        size: report.length,
      },
      annotations: {
        'org.opencontainers.image.created': at,
        [SCANNER_ANNOTATION]: scanner.format,
        [COUNTS_ANNOTATION]: countsText(counts),
      },
    });
    const reference = `sha256:${createHash('sha256').update(bytes).digest('hex')}`;
    const kept = await repositories.putManifest({
      repository,
      reference,
      mediaType: MEDIA.ociManifest,
      bytes,
      ...DOER,
    });
    const { mediaType, sizeBytes } = kept;
    const event = { repository, digest: kept.digest, mediaType, sizeBytes, subject: digest, actor: SYSTEM };
    repositories.publish({ id: randomUUID(), action: 'scan', at, ...event });
  }
}

interface ReportParts {
  readonly config: object;
  readonly layer: object;
  readonly annotations: Readonly<Record<string, string>>;
}

/** @source OCI image specification 1.1, guidelines for artifact usage */
function reportManifest(subject: ManifestRecord, { config, layer, annotations }: ReportParts): Buffer {
  const { mediaType, digest, sizeBytes } = subject;
  const manifest = {
    schemaVersion: 2,
    mediaType: MEDIA.ociManifest,
    artifactType: REPORT_TYPE,
    config,
    layers: [layer],
    subject: { mediaType, digest, size: sizeBytes },
    annotations,
  };
  return Buffer.from(JSON.stringify(manifest));
}
