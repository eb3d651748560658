// The face of the pull-through cache: repositories that mirror another registry. Content is fetched on demand and kept.

import { Readable } from 'node:stream';
import { LRUCache } from 'lru-cache';
import { GantryError, isGantryError, messageOf } from '../../lib/errors.ts';
import { VERSION } from '../../lib/package.ts';
import { RegistryClient, type Repository, type Timeouts } from '../../remote/index.ts';
import { type Digest, parseAnyDigest } from '../../spec/digest.ts';
import type { Database, Migrations } from '../../store/database.ts';
import { Periodic } from '../../store/jobs/index.ts';
import type { ProxyConfig } from '../config/types.ts';
import type { Origin } from '../distribution/index.ts';
import type {
  BlobReader,
  Deleter,
  ManifestReader,
  ManifestWriter,
  ReferrerDescriptor,
  RepositoryReader,
  TagReader,
  Uploads,
} from '../repositories/types.ts';
import { type Log, SYSTEM } from '../types.ts';
import { verdictOf } from './failures.ts';
import { Follower } from './follower.ts';
import { LISTS_STEP, type ListKind, Lists } from './lists.ts';
import { copyOf, fetchReferrers, fetchTags, headOf, manifestOf, referrersIn } from './origin.ts';
import { Upstream } from './upstream.ts';
import { USES_STEP, Uses } from './uses.ts';

const MIGRATIONS: Migrations = {
  name: 'proxy',
  steps: [
    `CREATE TABLE proxy_tags (repository TEXT NOT NULL, tag TEXT NOT NULL, checked_ms INTEGER NOT NULL,
       PRIMARY KEY (repository, tag)) STRICT, WITHOUT ROWID;`,
    USES_STEP,
    LISTS_STEP,
  ],
};

const DOER = { actor: SYSTEM };
const COMPLAIN_EVERY_MS = 60_000;
/** Content of a digest does not change. This is how often, at most, the origin is asked whether it still serves it to us. */
const DIGEST_FRESH_MS = 3_600_000;
/** Sweeps for unused content in one expiry time, within bounds. */
const SWEEPS = 8;
const SWEEP_MIN_MS = 100;
const SWEEP_MAX_MS = 3_600_000;
/** Origins where a single-word name belongs to `library/`. @source Docker Hub */
const HUB = /(?:^|\.)docker\.io$/;
const FORBIDDEN_MAX = 10_000;
const PAGE = 10_000;
const MANIFEST_MISSING = { code: 'MANIFEST_UNKNOWN', message: 'manifest unknown' } as const;
const BLOB_MISSING = { code: 'BLOB_UNKNOWN', message: 'blob unknown to registry' } as const;
const NAME_MISSING = { code: 'NAME_UNKNOWN', message: 'repository name not known to registry' } as const;

export interface ProxyOptions {
  readonly proxies: readonly ProxyConfig[];
  readonly repositories: ManifestReader &
    TagReader &
    RepositoryReader &
    BlobReader &
    ManifestWriter &
    Uploads &
    Deleter;
  readonly database: Database;
  readonly log: Log;
  /** Unix milliseconds. */
  readonly now?: (() => number) | undefined;
  readonly timeouts?: Timeouts | undefined;
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
  /** The longest prefix first. */
  readonly #upstreams: readonly Upstream[];
  /** Blobs that are being fetched: one fetch serves all clients. */
  readonly #blobs = new Map<string, Promise<void>>();
  /** Repositories that the origin denied at the last request. Their cached blobs are not served either. */
  readonly #forbidden = new LRUCache<string, true>({ max: FORBIDDEN_MAX });
  readonly #uses: Uses;
  readonly #lists: Lists;
  readonly #sweepers: readonly Periodic[];
  #complainedAtMs = 0;

  constructor(options: ProxyOptions) {
    this.#options = options;
    this.#now = options.now ?? Date.now;
    options.database.migrate(MIGRATIONS);
    this.#client = new RegistryClient(
      { mirrors: [], insecure: [], maxConcurrentDownloads: 4 },
      { userAgent: `gantry-registry/${VERSION}`, timeouts: options.timeouts },
    );
    this.#uses = new Uses(options.database);
    this.#lists = new Lists(options.database);
    this.#upstreams = options.proxies
      .toSorted((a, b) => b.prefix.length - a.prefix.length)
      .map((proxy) => new Upstream(proxy, this.#now, (message) => this.#complain(message)));
    this.#sweepers = this.#upstreams
      .filter(({ proxy }) => proxy.expiryMs > 0)
      .map((upstream) => {
        const everyMs = Math.min(Math.max(upstream.proxy.expiryMs / SWEEPS, SWEEP_MIN_MS), SWEEP_MAX_MS);
        const onError = (error: unknown): void =>
          options.log('error', `mirror ${upstream.proxy.url}: ${messageOf(error)}`);
        return new Periodic({ everyMs, run: (signal) => this.#sweep(upstream, signal), onError }).start();
      });
  }

  serves(repository: string): boolean {
    return this.#upstreamFor(repository) !== undefined;
  }

  nameFor(name: string, namespace: string): string {
    const upstream = this.#upstreams.find(({ proxy }) => proxy.namespaces.includes(namespace));
    const prefix = upstream === undefined ? '' : folderOf(upstream.proxy);
    return name.startsWith(prefix) ? name : `${prefix}${name}`;
  }

  async manifest(repository: string, reference: string): Promise<void> {
    const { repositories } = this.#options;
    const upstream = this.#require(repository);
    const local = repositories.findManifest(repository, reference);
    const isHere = local !== undefined && (await repositories.isStored(local.digest));
    if (!isHere || !this.#isFresh(upstream, repository, reference)) {
      await upstream.settle({
        kind: 'manifests',
        key: `manifest ${repository} ${reference}`,
        ask: () =>
          this.#judged(repository, upstream, () => this.#fetchManifest(upstream, repository, reference, isHere)),
        hasCopy: isHere,
        missing: MANIFEST_MISSING,
        drop: () => this.#drop(repository, reference),
      });
    }
    const found = repositories.findManifest(repository, reference);
    const { expiryMs } = upstream.proxy;
    if (found && expiryMs > 0) this.#uses.mark({ repository, digest: found.digest }, this.#now(), expiryMs);
  }

  async blob(
    repository: string,
    digest: Digest,
  ): Promise<{ readonly sizeBytes: number; readonly stream: Readable } | undefined> {
    const key = `${repository} ${digest}`;
    const running = this.#blobs.get(key);
    if (running || (await isHere(this.#options.repositories, repository, digest))) {
      if (this.#forbidden.has(repository))
        throw new GantryError('forbidden', 'DENIED', 'the origin forbids this repository');
      await running;
      return undefined;
    }
    const stored = Promise.withResolvers<void>();
    this.#blobs.set(key, stored.promise);
    stored.promise.catch(() => undefined).finally(() => this.#blobs.delete(key));
    try {
      const upstream = this.#require(repository);
      return await upstream.attempt('blobs', BLOB_MISSING, () => this.#fetchBlob(upstream, repository, digest, stored));
    } catch (error) {
      stored.reject(error);
      throw error;
    }
  }

  async tags(repository: string): Promise<readonly string[]> {
    const upstream = this.#require(repository);
    const local = localTags(this.#options.repositories, repository);
    const kept = await this.#list(upstream, repository, 'tags', '', local.length > 0, NAME_MISSING, () =>
      fetchTags(this.#client, this.#remote(upstream, repository)),
    );
    const known = kept?.filter((tag) => typeof tag === 'string') ?? [];
    // Except with `stale: always`, only what the origin lists is listed.
    const all = kept && upstream.proxy.stale !== 'always' ? known : [...known, ...local];
    return [...new Set(all)].sort();
  }

  async referrers(repository: string, digest: Digest): Promise<readonly ReferrerDescriptor[]> {
    const upstream = this.#require(repository);
    const kept = await this.#list(upstream, repository, 'referrers', digest, false, MANIFEST_MISSING, () =>
      fetchReferrers(this.#client, this.#remote(upstream, repository), digest),
    );
    // Referrers that were attached here, such as a scan's report, are added.
    const local = this.#options.repositories.referrers(repository, digest);
    const known = new Set(local.map((one) => one.digest));
    return [...local, ...referrersIn(kept ?? []).filter((one) => !known.has(one.digest))];
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#aborter.abort();
    for (const sweeper of this.#sweepers) await sweeper[Symbol.asyncDispose]();
    await Promise.allSettled([...this.#upstreams.map((upstream) => upstream.idle()), ...this.#blobs.values()]);
    this.#client[Symbol.dispose]();
  }

  #upstreamFor(repository: string): Upstream | undefined {
    return this.#upstreams.find(({ proxy }) => repository.startsWith(folderOf(proxy)));
  }

  #require(repository: string): Upstream {
    const upstream = this.#upstreamFor(repository);
    if (!upstream) throw new TypeError(`${repository} is no mirror`);
    return upstream;
  }

  #remote({ proxy }: Upstream, repository: string): Repository {
    const { url, username, password, isInsecure } = proxy;
    const rest = repository.slice(folderOf(proxy).length);
    const path = HUB.test(new URL(url).hostname) && !rest.includes('/') ? `library/${rest}` : rest;
    const endpoint = { base: url, insecure: isInsecure, mirror: false };
    return { endpoint, path, credentials: { username, password }, signal: this.#aborter.signal };
  }

  #isFresh({ proxy }: Upstream, repository: string, reference: string): boolean {
    const row = this.#options.database
      .sql('SELECT checked_ms FROM proxy_tags WHERE repository = ? AND tag = ?')
      .get(repository, reference);
    const freshMs = parseAnyDigest(reference) ? Math.max(DIGEST_FRESH_MS, proxy.freshMs) : proxy.freshMs;
    return row !== undefined && this.#now() - Number(row.checked_ms) < freshMs;
  }

  /** Records whether the origin denied the repository. */
  async #judged(repository: string, { proxy }: Upstream, ask: () => Promise<void>): Promise<void> {
    try {
      await ask();
      this.#forbidden.delete(repository);
    } catch (error) {
      if (verdictOf(error) === 'forbidden' && proxy.stale !== 'always') this.#forbidden.set(repository, true);
      throw error;
    }
  }

  async #fetchManifest(upstream: Upstream, repository: string, reference: string, isHere: boolean): Promise<void> {
    const { repositories, database } = this.#options;
    const remote = this.#remote(upstream, repository);
    const known = isHere ? repositories.findManifest(repository, reference)?.digest : undefined;
    const isSame = known !== undefined && (await headOf(this.#client, remote, reference)) === known;
    if (!isSame) {
      const { bytes, contentType: mediaType } = await manifestOf(this.#client, remote, reference);
      await copyOf(() =>
        repositories.putManifest({ repository, reference, mediaType, bytes, isPartial: true, ...DOER }),
      );
    }
    const digest = repositories.findManifest(repository, reference)?.digest;
    for (const checked of new Set([reference, digest ?? reference]))
      database
        .sql(`INSERT INTO proxy_tags (repository, tag, checked_ms) VALUES (?, ?, ?)
              ON CONFLICT DO UPDATE SET checked_ms = excluded.checked_ms`)
        .run(repository, checked, this.#now());
  }

  /** Deletes what the origin does not have any more. The manifest of a deleted tag stays, by digest, until it expires. */
  async #drop(repository: string, reference: string): Promise<void> {
    const { repositories, database, log } = this.#options;
    const digest = parseAnyDigest(reference);
    try {
      if (digest) await repositories.deleteManifest(repository, digest, DOER, true);
      else await repositories.deleteTag(repository, reference, DOER);
      database.sql('DELETE FROM proxy_tags WHERE repository = ? AND tag = ?').run(repository, reference);
    } catch (error) {
      if (!isGantryError(error)) throw error;
      log('debug', `${repository}:${reference} is gone at the origin, and stays here: ${error.message}`);
    }
  }

  /** A list of the origin, fetched again when it is old; undefined when the origin is unreachable and no list is cached. */
  async #list(
    upstream: Upstream,
    repository: string,
    kind: ListKind,
    key: string,
    hasOther: boolean,
    missing: typeof NAME_MISSING | typeof MANIFEST_MISSING,
    fetch: () => Promise<readonly unknown[]>,
  ): Promise<readonly unknown[] | undefined> {
    const kept = this.#lists.get(repository, kind, key);
    if (kept && this.#now() - kept.checkedMs < upstream.proxy.freshMs) return kept.entries;
    await upstream.settle({
      kind: 'manifests',
      key: `${kind} ${repository} ${key}`,
      ask: () =>
        this.#judged(repository, upstream, async () =>
          this.#lists.put(repository, kind, key, await fetch(), this.#now()),
        ),
      hasCopy: kept !== undefined || hasOther,
      missing,
      drop: async () => this.#lists.drop(repository, kind, key),
    });
    return this.#lists.get(repository, kind, key)?.entries;
  }

  #complain(message: string): void {
    if (this.#now() - this.#complainedAtMs < COMPLAIN_EVERY_MS) return;
    this.#complainedAtMs = this.#now();
    this.#options.log('warn', message);
  }

  /** Stores a blob while its first reader receives it. A slow reader, or one that disconnects, does not delay the store. */
  async #fetchBlob(
    upstream: Upstream,
    repository: string,
    digest: Digest,
    { promise: stored, resolve, reject }: PromiseWithResolvers<void>,
  ): Promise<{ readonly sizeBytes: number; readonly stream: Readable }> {
    const { repositories } = this.#options;
    const answer = await this.#client.openBlob(this.#remote(upstream, repository), digest, 0);
    const follower = new Follower();
    const keep = async (): Promise<void> => {
      const upload = await repositories.beginUpload(repository);
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
    // Without a length the client could not detect an interrupted response: the blob is stored first.
    if (announced === undefined) await stored;
    const sizeBytes = announced === undefined ? repositories.blobSize(repository, digest) : Number(announced);
    const rest = async (start: number): Promise<Readable> => {
      await stored;
      return repositories.readBlob(digest, { start, end: sizeBytes });
    };
    return { sizeBytes, stream: Readable.from(follower.read(rest), { objectMode: false }) };
  }

  /** Removes content that was not requested within the expiry of its proxy. */
  async #sweep(upstream: Upstream, signal: AbortSignal): Promise<void> {
    const { repositories, log } = this.#options;
    const beforeMs = this.#now() - upstream.proxy.expiryMs;
    const folder = folderOf(upstream.proxy);
    this.#lists.expire(folder, beforeMs);
    for (const use of this.#uses.unused(folder, beforeMs)) {
      if (signal.aborted) return;
      // A longer prefix has its own expiry, and a repository that is no mirror any more keeps its content.
      const isOurs = this.#upstreamFor(use.repository) === upstream;
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

/** The beginning of the names of a proxy's repositories: '' or `prefix/`. */
function folderOf({ prefix }: ProxyConfig): string {
  return prefix === '' ? '' : `${prefix.replace(/\/+$/, '')}/`;
}

function localTags(repositories: TagReader & RepositoryReader, repository: string): readonly string[] {
  if (!repositories.hasRepository(repository)) return [];
  const tags: string[] = [];
  for (let after = ''; ; after = tags.at(-1) ?? '') {
    const page = repositories.tags(repository, { after, limit: PAGE });
    tags.push(...page);
    if (page.length < PAGE) return tags;
  }
}

/** Passes pieces on, and a copy of each to the follower. */
async function* copyTo(follower: Follower, source: AsyncIterable<Buffer>): AsyncGenerator<Buffer> {
  for await (const piece of source) {
    follower.push(piece);
    yield piece;
  }
}

/** True when the blob is recorded here and is in the store. */
async function isHere(repositories: BlobReader, repository: string, digest: Digest): Promise<boolean> {
  try {
    repositories.blobSize(repository, digest);
  } catch {
    return false;
  }
  return repositories.isStored(digest);
}
