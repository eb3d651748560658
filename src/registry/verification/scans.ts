// Owns the queue of scans, in the records: images that were pushed are scanned once each, over restarts, one at a time; reports are
// attached as referrers.

import { createHash, randomUUID } from 'node:crypto';
import { GantryError, messageOf } from '../../lib/errors.ts';
import type { Digest } from '../../spec/digest.ts';
import { MEDIA } from '../../spec/oci/manifest.ts';
import type { Database, Migrations } from '../../store/database.ts';
import type { ScannerConfig } from '../config/types.ts';
import { fitsAny } from '../glob.ts';
import type { ManifestRecord, Repositories } from '../repositories/types.ts';
import { type Log, SYSTEM } from '../types.ts';
import { COUNTS_ANNOTATION, countFindings, countsText, REPORT_TYPE, SCANNER_ANNOTATION } from './report.ts';
import { runScanner } from './scanner.ts';

const MIGRATIONS: Migrations = {
  name: 'verification',
  steps: [
    `CREATE TABLE verification_scans (
       repository TEXT NOT NULL, digest TEXT NOT NULL, attempts INTEGER NOT NULL, due_ms INTEGER NOT NULL,
       PRIMARY KEY (repository, digest)) STRICT, WITHOUT ROWID;`,
  ],
};

const ATTEMPTS_MAX = 5;
const BACKOFF_MS = 10_000;
const EMPTY = Buffer.from('{}');
const EMPTY_TYPE = 'application/vnd.oci.empty.v1+json';
const DOER = { actor: SYSTEM };

export interface ScansOptions {
  readonly scanners: readonly ScannerConfig[];
  readonly repositories: Repositories;
  readonly database: Database;
  readonly log: Log;
  /** This registry's URL. */
  readonly base: () => string;
  readonly now: () => number;
}

/** Scans images, one after the other. */
export class Scans implements AsyncDisposable {
  readonly #options: ScansOptions;
  readonly #aborter = new AbortController();
  #isStarted = false;
  #timer: NodeJS.Timeout | undefined;
  #running: Promise<void> | undefined;

  constructor(options: ScansOptions) {
    this.#options = options;
    options.database.migrate(MIGRATIONS);
  }

  /** Queues a scan where a scanner speaks of the repository; may be called inside a transaction. */
  queue(repository: string, digest: Digest): void {
    if (!this.#scannerFor(repository)) return;
    this.#options.database
      .sql('INSERT INTO verification_scans VALUES (?, ?, 0, 0) ON CONFLICT DO UPDATE SET attempts = 0, due_ms = 0')
      .run(repository, digest);
    setImmediate(() => this.#wake());
  }

  start(): void {
    this.#isStarted = true;
    this.#wake();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#isStarted = false;
    clearTimeout(this.#timer);
    this.#aborter.abort();
    await this.#running;
  }

  #scannerFor(repository: string): ScannerConfig | undefined {
    return this.#options.scanners.find((scanner) => fitsAny(repository, scanner.repositories));
  }

  #wake(): void {
    if (!this.#isStarted || this.#running) return;
    clearTimeout(this.#timer);
    this.#running = this.#work().finally(() => {
      this.#running = undefined;
      const row =
        this.#isStarted && this.#options.database.sql('SELECT min(due_ms) AS due FROM verification_scans').get();
      if (!row || row.due === null) return;
      this.#timer = setTimeout(() => this.#wake(), Math.max(10, Number(row.due) - this.#options.now()));
    });
  }

  async #work(): Promise<void> {
    while (this.#isStarted) {
      const row = this.#options.database
        .sql('SELECT * FROM verification_scans WHERE due_ms <= ? ORDER BY due_ms LIMIT 1')
        .get(this.#options.now());
      if (!row) return;
      await this.#one(String(row.repository), String(row.digest), Number(row.attempts) + 1);
    }
  }

  async #one(repository: string, digest: string, attempt: number): Promise<void> {
    const { database, repositories, log, now } = this.#options;
    const done = (): void =>
      void database.sql('DELETE FROM verification_scans WHERE repository = ? AND digest = ?').run(repository, digest);
    const scanner = this.#scannerFor(repository);
    const record = repositories.findManifest(repository, digest);
    if (!scanner || !record) return done();
    try {
      await this.#scan(scanner, record);
      done();
    } catch (error) {
      if (!this.#isStarted) return;
      log('warn', `scan of ${repository}@${digest}: ${messageOf(error)}`);
      if (attempt >= ATTEMPTS_MAX) return done();
      database
        .sql('UPDATE verification_scans SET attempts = ?, due_ms = ? WHERE repository = ? AND digest = ?')
        .run(attempt, now() + BACKOFF_MS * 2 ** (attempt - 1), repository, digest);
    }
  }

  /** Runs the scanner and attaches its report. @throws SCAN_FAILED, REPORT_INVALID */
  async #scan(scanner: ScannerConfig, record: ManifestRecord): Promise<void> {
    const { repositories, base, now } = this.#options;
    const { repository, digest, mediaType, sizeBytes } = record;
    const text = await runScanner(scanner, repositories, record, base(), this.#aborter.signal);
    const counts = countFindings(scanner.format, text);
    const report = Buffer.from(text);
    const reportDigest = await repositories.putBlob(repository, report, DOER);
    const emptyDigest = await repositories.putBlob(repository, EMPTY, DOER);
    const manifest = {
      schemaVersion: 2,
      mediaType: MEDIA.ociManifest,
      artifactType: REPORT_TYPE,
      config: { mediaType: EMPTY_TYPE, digest: emptyDigest, size: EMPTY.length },
      layers: [
        {
          mediaType: `application/vnd.gantry.${scanner.format}.report+json`,
          digest: reportDigest,
          size: report.length,
        },
      ],
      subject: { mediaType, digest, size: sizeBytes },
      annotations: {
        'org.opencontainers.image.created': new Date(now()).toISOString(),
        [SCANNER_ANNOTATION]: scanner.format,
        [COUNTS_ANNOTATION]: countsText(counts),
      },
    };
    const bytes = Buffer.from(JSON.stringify(manifest));
    const reference = `sha256:${createHash('sha256').update(bytes).digest('hex')}`;
    const kept = await repositories.putManifest({
      repository,
      reference,
      mediaType: MEDIA.ociManifest,
      bytes,
      ...DOER,
    });
    if (!repositories.findManifest(repository, digest))
      throw new GantryError('notFound', 'MANIFEST_UNKNOWN', 'the image is gone');
    repositories.publish({
      id: randomUUID(),
      action: 'scan',
      at: new Date(now()).toISOString(),
      repository,
      digest: kept.digest,
      mediaType: kept.mediaType,
      sizeBytes: kept.sizeBytes,
      subject: digest,
      actor: SYSTEM,
    });
  }
}
