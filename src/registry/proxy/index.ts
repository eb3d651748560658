// The face of the pull-through cache: repositories that mirror another registry, fetched when they are asked for and kept.

import { Readable } from 'node:stream';
import { GantryError, messageOf } from '../../lib/errors.ts';
import { VERSION } from '../../lib/package.ts';
import { ACCEPT_ANY, RegistryClient, RegistryError, type Repository } from '../../remote/index.ts';
import { type Digest, parseAnyDigest } from '../../spec/digest.ts';
import type { Database, Migrations } from '../../store/database.ts';
import type { ProxyConfig } from '../config/types.ts';
import type { Origin } from '../distribution/index.ts';
import type { Repositories } from '../repositories/types.ts';
import { type Log, SYSTEM } from '../types.ts';
import { Follower } from './follower.ts';
import { USES_STEP, Uses } from './uses.ts';

const MIGRATIONS: Migrations = {
  name: 'proxy',
  steps: [
    `CREATE TABLE proxy_tags (repository TEXT NOT NULL, tag TEXT NOT NULL, checked_ms INTEGER NOT NULL,
       PRIMARY KEY (repository, tag)) STRICT, WITHOUT ROWID;`,
    USES_STEP,
  ],
};

const DOER = { actor: SYSTEM };
const COMPLAIN_EVERY_MS = 60_000;
/** What nobody asks for is looked for so often within its expiry, within bounds. */
const SWEEPS = 8;
const SWEEP_MIN_MS = 100;
const SWEEP_MAX_MS = 3_600_000;
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
  readonly #uses: Uses;
  readonly #sweepers: readonly NodeJS.Timeout[];
  #complainedAtMs = 0;

  constructor(options: ProxyOptions) {
    this.#options = options;
    this.#now = options.now ?? Date.now;
    options.database.migrate(MIGRATIONS);
    this.#client = new RegistryClient(
      { mirrors: [], insecure: [], maxConcurrentDownloads: 4 },
      { userAgent: `gantry-registry/${VERSION}` },
    );
    this.#uses = new Uses(options.database);
    this.#sweepers = options.proxies
      .filter(({ expiryMs }) => expiryMs > 0)
      .map((proxy) => {
        const everyMs = Math.min(Math.max(proxy.expiryMs / SWEEPS, SWEEP_MIN_MS), SWEEP_MAX_MS);
        return setInterval(() => void this.#sweep(proxy), everyMs).unref();
      });
  }

  serves(repository: string): boolean {
    return this.#proxyFor(repository) !== undefined;
  }

  async manifest(repository: string, reference: string): Promise<void> {
    const { repositories } = this.#options;
    const local = repositories.findManifest(repository, reference);
    if (!local || !(parseAnyDigest(reference) || this.#isFresh(repository, reference)))
      await this.#refresh(repository, reference, local !== undefined);
    const found = repositories.findManifest(repository, reference);
    const expiryMs = this.#proxyFor(repository)?.expiryMs ?? 0;
    if (found && expiryMs > 0) this.#uses.mark({ repository, digest: found.digest }, this.#now(), expiryMs);
  }

  /** @throws MANIFEST_UNKNOWN, UNAVAILABLE where there is no copy */
  async #refresh(repository: string, reference: string, hasCopy: boolean): Promise<void> {
    const key = `${repository} ${reference}`;
    const running =
      this.#manifests.get(key) ?? this.#fetchManifest(repository, reference).finally(() => this.#manifests.delete(key));
    this.#manifests.set(key, running);
    await running.catch((error: unknown) => this.#forgive(error, repository, reference, hasCopy));
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
    const stored = Promise.withResolvers<void>();
    this.#blobs.set(key, stored.promise);
    stored.promise.catch(() => undefined).finally(() => this.#blobs.delete(key));
    try {
      return await this.#fetchBlob(repository, digest, stored);
    } catch (error) {
      stored.reject(error);
      throw inWords(error, 'BLOB_UNKNOWN', 'blob unknown to registry');
    }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    for (const sweeper of this.#sweepers) clearInterval(sweeper);
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
    return row !== undefined && this.#now() - Number(row.checked_ms) < (this.#proxyFor(repository)?.freshMs ?? 0);
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

  /** Stores a blob while its first reader gets it; a reader that is slow or goes away does not hold up the store. */
  async #fetchBlob(
    repository: string,
    digest: Digest,
    { promise: stored, resolve, reject }: PromiseWithResolvers<void>,
  ): Promise<{ readonly sizeBytes: number; readonly stream: Readable }> {
    const { repositories } = this.#options;
    const answer = await this.#client.openBlob(this.#remote(repository), digest, 0);
    const follower = new Follower();
    const keep = async (): Promise<void> => {
      const upload = await repositories.beginUpload(repository, DOER);
      await repositories.appendUpload(repository, upload.id, copyTo(follower, answer as AsyncIterable<Buffer>), {
        offsetBytes: 0,
      });
      await repositories.finishUpload(repository, upload.id, digest, DOER);
    };
    keep()
      .then(resolve, (error: unknown) => {
        answer.destroy();
        reject(error);
      })
      .finally(() => follower.end());
    const announced = answer.headers['content-length'];
    // Without a length the answer could not be told from one that broke off: it is stored first.
    if (announced === undefined) await stored;
    const sizeBytes = announced === undefined ? repositories.blobSize(repository, digest) : Number(announced);
    const rest = async (start: number): Promise<Readable> => {
      await stored;
      return repositories.readBlob(digest, { start, end: sizeBytes });
    };
    return { sizeBytes, stream: Readable.from(follower.read(rest), { objectMode: false }) };
  }

  /** Lets go what nobody asked for in the time that its proxy is told to keep it. */
  async #sweep(proxy: ProxyConfig): Promise<void> {
    const { repositories, log } = this.#options;
    const prefix = proxy.prefix === '' ? '' : `${proxy.prefix.replace(/\/+$/, '')}/`;
    for (const use of this.#uses.unused(prefix, this.#now() - proxy.expiryMs)) {
      if (this.#aborter.signal.aborted) return;
      // A longer prefix may have a say of its own; and a repository that is no mirror any more keeps what it has.
      const isOurs = this.#proxyFor(use.repository) === proxy;
      try {
        if (isOurs && repositories.findManifest(use.repository, use.digest))
          await repositories.deleteManifest(use.repository, use.digest, DOER, true);
        if (isOurs) this.#uses.forget(use);
      } catch (error) {
        this.#uses.forget(use);
        log('debug', `${use.repository}@${use.digest} stays in the cache: ${messageOf(error)}`);
      }
    }
  }
}

/** Passes pieces on, and a copy to one who follows. */
async function* copyTo(follower: Follower, source: AsyncIterable<Buffer>): AsyncGenerator<Buffer> {
  for await (const piece of source) {
    follower.push(piece);
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
