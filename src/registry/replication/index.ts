// The face of replication: what is pushed here goes on to other registries, one way, over failures and restarts.

import { GantryError, messageOf } from '../../lib/errors.ts';
import { VERSION } from '../../lib/package.ts';
import { RegistryClient, RegistryError, type Repository } from '../../remote/index.ts';
import { type Digest, parseAnyDigest } from '../../spec/digest.ts';
import type { Database, Migrations } from '../../store/database.ts';
import type { ReplicationConfig } from '../config/types.ts';
import { fitsAny } from '../glob.ts';
import type { Route } from '../http/types.ts';
import type { Repositories } from '../repositories/types.ts';
import { BLOB_TYPE, type EventListener, type Log } from '../types.ts';

const MIGRATIONS: Migrations = {
  name: 'replication',
  steps: [
    `CREATE TABLE replication_jobs (
       target TEXT NOT NULL, repository TEXT NOT NULL, reference TEXT NOT NULL, is_delete INTEGER NOT NULL,
       attempts INTEGER NOT NULL, due_ms INTEGER NOT NULL, error TEXT NOT NULL, version INTEGER NOT NULL,
       PRIMARY KEY (target, repository, reference)) STRICT, WITHOUT ROWID;`,
  ],
};

const FIRST_PAUSE_MS = 1000;
const LONGEST_PAUSE_MS = 600_000;
const AT_ONCE = 2;
const PAGE = 500;

export interface ReplicationOptions {
  readonly replications: readonly ReplicationConfig[];
  readonly repositories: Repositories;
  readonly database: Database;
  readonly log: Log;
  /** Unix milliseconds. */
  readonly now?: (() => number) | undefined;
}

export interface Replication extends AsyncDisposable {
  readonly listener: EventListener;
  readonly routes: readonly Route[];
  /** Copies and deletes that are still to be made, of all targets. */
  pending(): number;
  start(): void;
}

interface Job {
  readonly repository: string;
  /** A tag, or a digest that no tag names. */
  readonly reference: string;
  readonly isDelete: boolean;
  readonly attempts: number;
  readonly version: number;
}

/** Makes the replication; nothing is sent before `start`. */
export function createReplication(options: ReplicationOptions): Replication {
  return new Replicator(options);
}

class Replicator implements Replication {
  readonly #options: ReplicationOptions;
  readonly #now: () => number;
  readonly #client: RegistryClient;
  readonly #aborter = new AbortController();
  #isStarted = false;
  #timer: NodeJS.Timeout | undefined;
  #running: Promise<void> | undefined;
  #isWoken = false;

  constructor(options: ReplicationOptions) {
    this.#options = options;
    this.#now = options.now ?? Date.now;
    options.database.migrate(MIGRATIONS);
    this.#client = new RegistryClient(
      { mirrors: [], insecure: [], maxConcurrentDownloads: 4 },
      { userAgent: `gantry-registry/${VERSION}` },
    );
  }

  readonly listener: EventListener = (event) => {
    const isDelete = event.action === 'delete' && event.tag !== undefined;
    const isPush = event.action === 'push' && event.mediaType !== BLOB_TYPE;
    if (!isDelete && !isPush) return;
    for (const target of this.#options.replications) {
      if (fitsAny(event.repository, target.repositories))
        this.#queue(target.name, event.repository, event.tag ?? event.digest, isDelete);
    }
  };

  start(): void {
    this.#isStarted = true;
    this.#wake();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#isStarted = false;
    clearTimeout(this.#timer);
    this.#aborter.abort();
    await this.#running;
    this.#client[Symbol.dispose]();
  }

  /** The newest wish for a reference counts; `version` tells a job that ended from one that came meanwhile. */
  #queue(target: string, repository: string, reference: string, isDelete: boolean): void {
    this.#options.database
      .sql(`INSERT INTO replication_jobs VALUES (?, ?, ?, ?, 0, 0, '', 1) ON CONFLICT DO UPDATE SET
            is_delete = excluded.is_delete, attempts = 0, due_ms = 0, version = version + 1`)
      .run(target, repository, reference, isDelete ? 1 : 0);
    setImmediate(() => this.#wake());
  }

  #wake(): void {
    if (!this.#isStarted) return;
    this.#isWoken = true;
    clearTimeout(this.#timer);
    this.#running ??= this.#rounds().finally(() => {
      this.#running = undefined;
      if (this.#isWoken) this.#wake();
      else this.#sleep();
    });
  }

  #sleep(): void {
    const due = this.#isStarted
      ? this.#options.database.sql('SELECT min(due_ms) AS due FROM replication_jobs').get()?.due
      : null;
    if (due === null || due === undefined) return;
    this.#timer = setTimeout(() => this.#wake(), Math.max(10, Number(due) - this.#now()));
  }

  async #rounds(): Promise<void> {
    this.#isWoken = false;
    await Promise.all(this.#options.replications.map((target) => this.#drain(target)));
  }

  async #drain(target: ReplicationConfig): Promise<void> {
    while (this.#isStarted) {
      const jobs = this.#options.database
        .sql('SELECT * FROM replication_jobs WHERE target = ? AND due_ms <= ? ORDER BY due_ms LIMIT ?')
        .all(target.name, this.#now(), AT_ONCE)
        .map(jobOf);
      if (jobs.length === 0) return;
      await Promise.all(jobs.map((job) => this.#run(target, job)));
    }
  }

  async #run(target: ReplicationConfig, job: Job): Promise<void> {
    const { database, log } = this.#options;
    const { repository, reference, version } = job;
    try {
      await (job.isDelete ? this.#remove(target, job) : this.#push(target, job));
      database
        .sql('DELETE FROM replication_jobs WHERE target = ? AND repository = ? AND reference = ? AND version = ?')
        .run(target.name, repository, reference, version);
    } catch (error) {
      if (!this.#isStarted) return;
      const pauseMs = Math.min(FIRST_PAUSE_MS * 2 ** job.attempts, LONGEST_PAUSE_MS);
      if (job.attempts === 0)
        log('warn', `replication to ${target.name} of ${repository}:${reference}: ${messageOf(error)}`);
      database
        .sql(
          'UPDATE replication_jobs SET attempts = attempts + 1, due_ms = ?, error = ? WHERE target = ? AND repository = ? AND reference = ? AND version = ?',
        )
        .run(this.#now() + pauseMs, messageOf(error).slice(0, 500), target.name, repository, reference, version);
    }
  }

  #remote({ url, isInsecure, username, password, prefix }: ReplicationConfig, repository: string): Repository {
    const endpoint = { base: url, insecure: isInsecure, mirror: false };
    return {
      endpoint,
      path: `${prefix}${repository}`,
      credentials: { username, password },
      signal: this.#aborter.signal,
    };
  }

  /** A target that deletes nothing is left as it is. */
  async #remove(target: ReplicationConfig, { repository, reference }: Job): Promise<void> {
    await this.#client.deleteManifest(this.#remote(target, repository), reference).catch((error: unknown) => {
      if (!(error instanceof RegistryError) || (error.status !== 405 && error.status !== 400)) throw error;
      this.#options.log('warn', `replication target ${target.name} does not delete ${repository}:${reference}`);
    });
  }

  /** What is gone here meanwhile needs no push. */
  async #push(target: ReplicationConfig, { repository, reference }: Job): Promise<void> {
    const record = this.#options.repositories.findManifest(repository, reference);
    if (record)
      await this.#pushManifest(this.#remote(target, repository), repository, record.digest, reference, new Set());
  }

  /** What a manifest needs first, then the manifest. */
  async #pushManifest(
    remote: Repository,
    repository: string,
    digest: Digest,
    reference: string,
    seen: Set<string>,
  ): Promise<void> {
    const { repositories } = this.#options;
    seen.add(digest);
    const record = repositories.manifest(repository, digest);
    if (!parseAnyDigest(reference) || !(await this.#client.head(remote, digest))) {
      for (const child of repositories.references(repository, digest)) {
        if (seen.has(child.digest)) continue;
        if (child.kind === 'manifest') await this.#pushManifest(remote, repository, child.digest, child.digest, seen);
        else await this.#pushBlob(remote, repository, child.digest);
      }
    }
    await this.#client.putManifest(remote, reference, await repositories.manifestBytes(digest), record.mediaType);
  }

  async #pushBlob(remote: Repository, repository: string, digest: Digest): Promise<void> {
    const { repositories } = this.#options;
    if (await this.#client.hasBlob(remote, digest)) return;
    const sizeBytes = repositories.blobSize(repository, digest);
    await this.#client.pushBlob(remote, { digest, sizeBytes }, () => repositories.readBlob(digest));
  }

  get routes(): readonly Route[] {
    return [
      {
        method: 'GET',
        path: '/v2/_gantry/replications',
        right: 'admin',
        label: 'replication',
        handle: (exchange) =>
          exchange.json(200, { replications: this.#options.replications.map((target) => this.#view(target)) }),
      },
      {
        method: 'POST',
        path: '/v2/_gantry/replications/{replication}/sync',
        right: 'admin',
        label: 'replication',
        handle: (exchange) => {
          exchange.json(202, { queued: this.#queueAll(exchange.parameters.replication ?? '') });
        },
      },
    ];
  }

  pending(): number {
    return Number(this.#options.database.sql('SELECT count(*) AS count FROM replication_jobs').get()?.count);
  }

  #view({ name, url, repositories }: ReplicationConfig) {
    const row = this.#options.database
      .sql(`SELECT count(*) AS pending, max(error) AS error FROM replication_jobs WHERE target = ?`)
      .get(name);
    return { name, url, repositories, pending: Number(row?.pending), lastError: String(row?.error ?? '') };
  }

  /** Everything that the target should have. @throws REPLICATION_UNKNOWN */
  #queueAll(name: string): number {
    const target = this.#options.replications.find((candidate) => candidate.name === name);
    if (!target)
      throw new GantryError('notFound', 'REPLICATION_UNKNOWN', `there is no replication ${name.slice(0, 100)}`);
    const { repositories, database } = this.#options;
    let queued = 0;
    database.transaction(() => {
      for (let last = ''; ; ) {
        const names = repositories.repositories({ after: last, limit: PAGE });
        for (const repository of names.filter((candidate) => fitsAny(candidate, target.repositories))) {
          for (let after = ''; ; ) {
            const tags = repositories.tags(repository, { after, limit: PAGE });
            for (const tag of tags) this.#queue(target.name, repository, tag, false);
            queued += tags.length;
            after = tags.at(-1) ?? '';
            if (tags.length < PAGE) break;
          }
        }
        last = names.at(-1) ?? '';
        if (names.length < PAGE) break;
      }
    });
    return queued;
  }
}

function jobOf(row: Readonly<Record<string, unknown>>): Job {
  return {
    repository: String(row.repository),
    reference: String(row.reference),
    isDelete: row.is_delete === 1,
    attempts: Number(row.attempts),
    version: Number(row.version),
  };
}
