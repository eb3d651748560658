// The face of replication: pushed content is copied to other registries, one way, across failures and restarts.

import { GantryError } from '../../lib/errors.ts';
import { VERSION } from '../../lib/package.ts';
import { RegistryClient, RegistryError, type Repository } from '../../remote/index.ts';
import { type Digest, parseAnyDigest } from '../../spec/digest.ts';
import type { Database, Migrations } from '../../store/database.ts';
import {
  copyIntoJobs,
  createQueue,
  type JobQueue,
  type Jobs,
  migrateJobs,
  type QueueStatus,
} from '../../store/jobs/index.ts';
import type { ReplicationConfig } from '../config/types.ts';
import { fitsAny } from '../glob.ts';
import type { Route } from '../http/types.ts';
import type { BlobReader, ManifestReader, RepositoryReader, TagReader } from '../repositories/types.ts';
import { BLOB_TYPE, type EventListener, type Log } from '../types.ts';

const MIGRATIONS: Migrations = {
  name: 'replication',
  steps: [
    `CREATE TABLE replication_jobs (
       target TEXT NOT NULL, repository TEXT NOT NULL, reference TEXT NOT NULL, is_delete INTEGER NOT NULL,
       attempts INTEGER NOT NULL, due_ms INTEGER NOT NULL, error TEXT NOT NULL, version INTEGER NOT NULL,
       PRIMARY KEY (target, repository, reference)) STRICT, WITHOUT ROWID;`,
    `${copyIntoJobs(
      `'replication/' || target AS queue, repository || ' ' || reference AS key, json_object('repository', repository, 'reference', reference,
         'isDelete', json(iif(is_delete, 'true', 'false'))) AS payload, 0 AS is_dead, attempts, due_ms, error`,
      'replication_jobs ORDER BY due_ms',
    )}
     DROP TABLE replication_jobs;`,
  ],
};

const PAUSE = { firstMs: 1000, longestMs: 600_000 };
const AT_ONCE = 2;
const PAGE = 500;

export interface ReplicationOptions {
  readonly replications: readonly ReplicationConfig[];
  readonly repositories: ManifestReader & TagReader & RepositoryReader & BlobReader;
  readonly database: Database;
  readonly log: Log;
  /** Unix milliseconds. */
  readonly now?: (() => number) | undefined;
}

export interface Replication extends AsyncDisposable {
  readonly listener: EventListener;
  readonly routes: readonly Route[];
  /** Pending copies and deletes of all targets. */
  pending(): number;
  start(): void;
}

/** A pending copy or delete. */
interface Copy {
  readonly repository: string;
  /** A tag, or a digest that no tag names. */
  readonly reference: string;
  readonly isDelete: boolean;
}

/** Makes the replication. Nothing is sent before `start`. */
export function createReplication(options: ReplicationOptions): Replication {
  return new Replicator(options);
}

class Replicator implements Replication {
  readonly #options: ReplicationOptions;
  readonly #client: RegistryClient;
  readonly #aborter = new AbortController();
  readonly #queues: ReadonlyMap<ReplicationConfig, JobQueue<Copy>>;

  constructor(options: ReplicationOptions) {
    this.#options = options;
    migrateJobs(options.database);
    options.database.migrate(MIGRATIONS);
    this.#client = new RegistryClient(
      { mirrors: [], insecure: [], maxConcurrentDownloads: 4 },
      { userAgent: `gantry-registry/${VERSION}` },
    );
    this.#queues = new Map(options.replications.map((target) => [target, this.#queueFor(target)]));
  }

  #queueFor(target: ReplicationConfig): JobQueue<Copy> {
    const { database, log, now } = this.#options;
    return createQueue<Copy>(database, {
      name: `replication/${target.name}`,
      work: ({ payload }) => (payload.isDelete ? this.#remove(target, payload) : this.#push(target, payload)),
      atOnce: AT_ONCE,
      pause: PAUSE,
      now,
      onTrouble: (message) => log('error', message),
      onOutcome: ({ payload: { repository, reference } }, outcome) => {
        if (outcome.kind === 'failed' && outcome.attempts === 1)
          log('warn', `replication to ${target.name} of ${repository}:${reference}: ${outcome.message}`);
      },
    });
  }

  readonly listener: EventListener = (event) => {
    const isDelete = event.action === 'delete' && event.tag !== undefined;
    const isPush = event.action === 'push' && event.mediaType !== BLOB_TYPE;
    if (!isDelete && !isPush) return;
    for (const [target, queue] of this.#queues) {
      if (!fitsAny(event.repository, target.repositories)) continue;
      ask(queue, { repository: event.repository, reference: event.tag ?? event.digest, isDelete });
    }
  };

  start(): void {
    for (const queue of this.#queues.values()) queue.start();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#aborter.abort();
    await Promise.all([...this.#queues.values()].map((queue) => queue[Symbol.asyncDispose]()));
    this.#client[Symbol.dispose]();
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

  /** Deletes at the target. A target that does not support deletes is left unchanged. */
  async #remove(target: ReplicationConfig, { repository, reference }: Copy): Promise<void> {
    await this.#client.deleteManifest(this.#remote(target, repository), reference).catch((error: unknown) => {
      if (!(error instanceof RegistryError) || (error.status !== 405 && error.status !== 400)) throw error;
      this.#options.log('warn', `replication target ${target.name} does not delete ${repository}:${reference}`);
    });
  }

  /** Copies to the target, unless the manifest was deleted here meanwhile. */
  async #push(target: ReplicationConfig, { repository, reference }: Copy): Promise<void> {
    const record = this.#options.repositories.findManifest(repository, reference);
    if (record)
      await this.#pushManifest(this.#remote(target, repository), repository, record.digest, reference, new Set());
  }

  /** Copies what a manifest refers to, then the manifest. */
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
          exchange.json(200, { replications: [...this.#queues].map(([target, queue]) => viewOf(target, queue)) }),
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
    return [...this.#queues.values()].reduce((total, queue) => total + queue.counts().pending, 0);
  }

  /** Queues everything that the target should have. @throws REPLICATION_UNKNOWN */
  #queueAll(name: string): number {
    const [target, queue] = [...this.#queues].find(([candidate]) => candidate.name === name) ?? [];
    if (!target || !queue)
      throw new GantryError('notFound', 'REPLICATION_UNKNOWN', `there is no replication ${name.slice(0, 100)}`);
    const { repositories, database } = this.#options;
    let queued = 0;
    database.transaction(() => {
      for (let last = ''; ; ) {
        const names = repositories.repositories({ after: last, limit: PAGE });
        for (const repository of names.filter((candidate) => fitsAny(candidate, target.repositories))) {
          for (let after = ''; ; ) {
            const tags = repositories.tags(repository, { after, limit: PAGE });
            for (const tag of tags) ask(queue, { repository, reference: tag, isDelete: false });
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

/** Queues a copy or delete, in place of an earlier one for the same reference. */
function ask(queue: Jobs<Copy>, copy: Copy): void {
  queue.replace(`${copy.repository} ${copy.reference}`, copy);
}

function viewOf({ name, url, repositories }: ReplicationConfig, queue: QueueStatus) {
  return { name, url, repositories, pending: queue.counts().pending, lastError: queue.lastError() };
}
