// The face of the pull-through cache: repositories that mirror another registry, fetched when they are asked for and kept.

import { PassThrough, type Readable } from 'node:stream';
import { GantryError, messageOf } from '../../lib/errors.ts';
import { VERSION } from '../../lib/package.ts';
import { ACCEPT_ANY, RegistryClient, RegistryError, type Repository } from '../../remote/index.ts';
import { type Digest, parseAnyDigest } from '../../spec/digest.ts';
import type { Database, Migrations } from '../../store/database.ts';
import type { ProxyConfig } from '../config/types.ts';
import type { Origin } from '../distribution/index.ts';
import type { Repositories } from '../repositories/types.ts';
import { type Log, SYSTEM } from '../types.ts';

const MIGRATIONS: Migrations = {
  name: 'proxy',
  steps: [
    `CREATE TABLE proxy_tags (repository TEXT NOT NULL, tag TEXT NOT NULL, checked_ms INTEGER NOT NULL,
       PRIMARY KEY (repository, tag)) STRICT, WITHOUT ROWID;`,
  ],
};

const DOER = { actor: SYSTEM };
/** Of what a client is behind the store at most; then it is let go, and the store goes on. */
const LAG_MAX_BYTES = 8 << 20;
const COMPLAIN_EVERY_MS = 60_000;
/** Single-word names there belong to this one. @source Docker Hub */
const HUB = /(?:^|\.)docker\.io$/;

export interface ProxyOptions {
  readonly proxies: readonly ProxyConfig[];
  readonly repositories: Repositories;
  readonly database: Database;
  readonly log: Log;
  /** Unix milliseconds. */
  readonly now?: (() => number) | undefined;
}

/** Makes the cache; undefined without a proxy in the configuration. */
export function createProxy(options: ProxyOptions): (Origin & AsyncDisposable) | undefined {
  return options.proxies.length === 0 ? undefined : new PullThrough(options);
}

class PullThrough implements Origin, AsyncDisposable {
  readonly #options: ProxyOptions;
  readonly #client: RegistryClient;
  readonly #now: () => number;
  readonly #aborter = new AbortController();
  /** Fetches under way: one for each, however many ask. */
  readonly #manifests = new Map<string, Promise<void>>();
  readonly #blobs = new Map<string, Promise<void>>();
  #complainedAtMs = 0;

  constructor(options: ProxyOptions) {
    this.#options = options;
    this.#now = options.now ?? Date.now;
    options.database.migrate(MIGRATIONS);
    this.#client = new RegistryClient(
      { mirrors: [], insecure: [], maxConcurrentDownloads: 4 },
      { userAgent: `gantry-registry/${VERSION}` },
    );
  }

  serves(repository: string): boolean {
    return this.#proxyFor(repository) !== undefined;
  }

  async manifest(repository: string, reference: string): Promise<void> {
    const { repositories } = this.#options;
    const local = repositories.findManifest(repository, reference);
    if (local && (parseAnyDigest(reference) || this.#isFresh(repository, reference))) return;
    const key = `${repository} ${reference}`;
    const running =
      this.#manifests.get(key) ?? this.#fetchManifest(repository, reference).finally(() => this.#manifests.delete(key));
    this.#manifests.set(key, running);
    await running.catch((error: unknown) => this.#forgive(error, repository, reference, local !== undefined));
  }

  async blob(
    repository: string,
    digest: Digest,
  ): Promise<{ readonly sizeBytes: number; readonly stream: Readable } | undefined> {
    const key = `${repository} ${digest}`;
    const running = this.#blobs.get(key);
    if (running || isHere(this.#options.repositories, repository, digest)) {
      await running;
      return undefined;
    }
    const { promise, resolve, reject } = Promise.withResolvers<void>();
    this.#blobs.set(key, promise);
    promise.catch(() => undefined).finally(() => this.#blobs.delete(key));
    try {
      return await this.#tee(repository, digest, promise, resolve, reject);
    } catch (error) {
      reject(error);
      throw inWords(error, 'BLOB_UNKNOWN', 'blob unknown to registry');
    }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#aborter.abort();
    await Promise.allSettled([...this.#manifests.values(), ...this.#blobs.values()]);
    this.#client[Symbol.dispose]();
  }

  /** The longest prefix wins. */
  #proxyFor(repository: string): ProxyConfig | undefined {
    return this.#options.proxies
      .filter(({ prefix }) => prefix === '' || repository.startsWith(`${prefix.replace(/\/+$/, '')}/`))
      .sort((a, b) => b.prefix.length - a.prefix.length)[0];
  }

  #remote(repository: string): Repository {
    const proxy = this.#proxyFor(repository);
    if (!proxy) throw new TypeError(`${repository} is no mirror`);
    const { url, prefix, username, password, isInsecure } = proxy;
    const rest = prefix === '' ? repository : repository.slice(prefix.replace(/\/+$/, '').length + 1);
    const path = HUB.test(new URL(url).hostname) && !rest.includes('/') ? `library/${rest}` : rest;
    const endpoint = { base: url, insecure: isInsecure, mirror: false };
    return { endpoint, path, credentials: { username, password }, signal: this.#aborter.signal };
  }

  #isFresh(repository: string, tag: string): boolean {
    const row = this.#options.database
      .sql('SELECT checked_ms FROM proxy_tags WHERE repository = ? AND tag = ?')
      .get(repository, tag);
    return row !== undefined && this.#now() - Number(row.checked_ms) < (this.#proxyFor(repository)?.ttlMs ?? 0);
  }

  async #fetchManifest(repository: string, reference: string): Promise<void> {
    const { repositories, database } = this.#options;
    const remote = this.#remote(repository);
    const isTag = parseAnyDigest(reference) === undefined;
    const known = repositories.findManifest(repository, reference)?.digest;
    const isSame = isTag && known !== undefined && (await this.#client.head(remote, reference))?.digest === known;
    if (!isSame) {
      const { bytes, contentType } = await this.#client.manifest(remote, reference, ACCEPT_ANY);
      await repositories.putManifest({
        repository,
        reference,
        mediaType: contentType,
        bytes,
        isPartial: true,
        ...DOER,
      });
    }
    if (isTag) {
      database
        .sql('INSERT INTO proxy_tags VALUES (?, ?, ?) ON CONFLICT DO UPDATE SET checked_ms = excluded.checked_ms')
        .run(repository, reference, this.#now());
    }
  }

  /** An origin that is down costs nothing where there is a copy, however old. @throws MANIFEST_UNKNOWN, UNAVAILABLE */
  #forgive(error: unknown, repository: string, reference: string, hasCopy: boolean): void {
    if (!hasCopy) throw inWords(error, 'MANIFEST_UNKNOWN', 'manifest unknown');
    if (this.#now() - this.#complainedAtMs < COMPLAIN_EVERY_MS) return;
    this.#complainedAtMs = this.#now();
    this.#options.log(
      'warn',
      `the origin of ${repository}:${reference} failed, an older copy is served: ${messageOf(error)}`,
    );
  }

  /** Stores a blob while its first reader gets it; a reader that falls behind or goes away does not hold up the store. */
  async #tee(
    repository: string,
    digest: Digest,
    stored: Promise<void>,
    resolve: () => void,
    reject: (error: unknown) => void,
  ): Promise<{ readonly sizeBytes: number; readonly stream: Readable }> {
    const { repositories } = this.#options;
    const answer = await this.#client.openBlob(this.#remote(repository), digest, 0);
    const length = answer.headers['content-length'];
    const reader = new PassThrough({ highWaterMark: LAG_MAX_BYTES });
    const keep = async (): Promise<void> => {
      const upload = await repositories.beginUpload(repository, DOER);
      const copied = copyTo(reader, answer as AsyncIterable<Buffer>);
      await repositories.appendUpload(repository, upload.id, copied, 0);
      await repositories.finishUpload(repository, upload.id, digest, DOER);
    };
    keep().then(
      () => {
        reader.end();
        resolve();
      },
      (error: unknown) => {
        answer.destroy();
        reader.destroy(error instanceof Error ? error : new Error(messageOf(error)));
        reject(error);
      },
    );
    if (length === undefined) {
      // Without a length the answer could not be told from one that broke off: it is stored first.
      reader.resume();
      await stored;
      return { sizeBytes: repositories.blobSize(repository, digest), stream: await repositories.readBlob(digest) };
    }
    return { sizeBytes: Number(length), stream: reader };
  }
}

/** Passes pieces on and copies them to a reader that keeps up. */
async function* copyTo(reader: PassThrough, source: AsyncIterable<Buffer>): AsyncGenerator<Buffer> {
  for await (const piece of source) {
    if (!reader.destroyed) {
      reader.write(piece);
      if (reader.writableLength + reader.readableLength > LAG_MAX_BYTES)
        reader.destroy(new Error('the reader is too slow'));
    }
    yield piece;
  }
}

function isHere(repositories: Repositories, repository: string, digest: Digest): boolean {
  try {
    repositories.blobSize(repository, digest);
    return true;
  } catch {
    return false;
  }
}

function inWords(error: unknown, code: string, message: string): unknown {
  if (!(error instanceof RegistryError)) return error;
  if (error.status === 404) return new GantryError('notFound', code, message, { cause: error });
  return new GantryError('unavailable', 'UNAVAILABLE', `the origin failed: ${error.message}`, { cause: error });
}
