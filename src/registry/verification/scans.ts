// Owns the queue of scans, in the records: images that were pushed are scanned, over restarts, one at a time; reports are attached as
// referrers, and what failed for good is remembered until it is asked for again.

import { createHash, randomUUID } from 'node:crypto';
import { messageOf } from '../../lib/errors.ts';
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
    // What failed for good stays, with why; '' is still to be done.
    `ALTER TABLE verification_scans ADD COLUMN failure TEXT NOT NULL DEFAULT '';
     CREATE INDEX verification_scans_due ON verification_scans (due_ms) WHERE failure = '';`,
  ],
};

const ATTEMPTS_MAX = 5;
const BACKOFF_MS = 10_000;
/** After the records could not be read or written. */
const RECORDS_PAUSE_MS = 5000;
const FAILURE_MAX_CHARS = 1000;
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
  /** Unix milliseconds. */
  readonly now: () => number;
}

/** A scan that is to come, or that failed for good. */
export interface ScanState {
  readonly state: 'waiting' | 'failed';
  readonly attempts: number;
}

interface Due {
  readonly repository: string;
  readonly digest: string;
  readonly attempts: number;
  readonly dueMs: number;
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

  /** True when a scanner speaks of the repository. */
  covers(repository: string): boolean {
    return this.#scannerFor(repository) !== undefined;
  }

  /** Queues a scan where a scanner speaks of the repository; may be called inside a transaction. */
  queue(repository: string, digest: Digest): void {
    if (!this.covers(repository)) return;
    this.#options.database
      .sql(`INSERT INTO verification_scans (repository, digest, attempts, due_ms) VALUES (?, ?, 0, ?)
            ON CONFLICT DO UPDATE SET attempts = 0, due_ms = excluded.due_ms, failure = ''`)
      .run(repository, digest, this.#options.now());
    setImmediate(() => this.#wake());
  }

  /** What is known of a manifest's scan, while it has no end or a bad one. */
  state(repository: string, digest: Digest): ScanState | undefined {
    const row = this.#options.database
      .sql('SELECT attempts, failure FROM verification_scans WHERE repository = ? AND digest = ?')
      .get(repository, digest);
    return row && { state: row.failure === '' ? 'waiting' : 'failed', attempts: Number(row.attempts) };
  }

  /** For a manifest that is gone. */
  forget(repository: string, digest: Digest): void {
    this.#options.database
      .sql('DELETE FROM verification_scans WHERE repository = ? AND digest = ?')
      .run(repository, digest);
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
    this.#running = this.#round().then((pauseMs) => {
      this.#running = undefined;
      if (this.#isStarted && pauseMs !== undefined) this.#timer = setTimeout(() => this.#wake(), pauseMs);
    });
  }

  /** Does what is due; how long to sleep then, or undefined until something is queued. Never fails: the registry goes on. */
  async #round(): Promise<number | undefined> {
    const { database, now, log } = this.#options;
    try {
      for (let due = this.#next(); due && this.#isStarted; due = this.#next()) await this.#one(due);
      if (!this.#isStarted) return undefined;
      const row = database.sql("SELECT min(due_ms) AS due FROM verification_scans WHERE failure = ''").get();
      return row && row.due !== null ? Math.max(10, Number(row.due) - now()) : undefined;
    } catch (error) {
      log('error', `scans: ${messageOf(error)}`);
      return RECORDS_PAUSE_MS;
    }
  }

  #next(): Due | undefined {
    if (!this.#isStarted) return undefined;
    const row = this.#options.database
      .sql("SELECT * FROM verification_scans WHERE failure = '' AND due_ms <= ? ORDER BY due_ms LIMIT 1")
      .get(this.#options.now());
    if (!row) return undefined;
    const { repository, digest, attempts, due_ms: dueMs } = row;
    return {
      repository: String(repository),
      digest: String(digest),
      attempts: Number(attempts),
      dueMs: Number(dueMs),
    };
  }

  async #one(due: Due): Promise<void> {
    const { repositories, log } = this.#options;
    const { repository, digest } = due;
    const scanner = this.#scannerFor(repository);
    const record = repositories.findManifest(repository, digest);
    if (!scanner || !record) return this.#settle(due, undefined);
    try {
      await this.#scan(scanner, record);
      this.#settle(due, undefined);
    } catch (error) {
      // A scan that the registry's end cut short is no failure: it is due at the next start.
      if (!this.#isStarted) return;
      log('warn', `scan of ${repository}@${digest}: ${messageOf(error)}`);
      this.#settle(due, messageOf(error));
    }
  }

  /** Ends or defers what was taken up, unless it was asked for once more meanwhile. */
  #settle({ repository, digest, attempts, dueMs }: Due, failure: string | undefined): void {
    const { database, now } = this.#options;
    const where = 'WHERE repository = ? AND digest = ? AND due_ms = ?';
    if (failure === undefined) {
      database.sql(`DELETE FROM verification_scans ${where}`).run(repository, digest, dueMs);
      return;
    }
    const made = attempts + 1;
    const isLast = made >= ATTEMPTS_MAX;
    const next = now() + BACKOFF_MS * 2 ** attempts;
    database
      .sql(`UPDATE verification_scans SET attempts = ?, due_ms = ?, failure = ? ${where}`)
      .run(made, next, isLast ? failure.slice(0, FAILURE_MAX_CHARS) || 'failed' : '', repository, digest, dueMs);
  }

  /** Runs the scanner and attaches its report. @throws SCAN_FAILED, REPORT_INVALID */
  async #scan(scanner: ScannerConfig, record: ManifestRecord): Promise<void> {
    const { repositories, base, now } = this.#options;
    const { repository, digest } = record;
    const report = await runScanner(scanner, repositories, record, base(), this.#aborter.signal);
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
