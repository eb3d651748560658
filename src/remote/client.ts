// Owns the registry client: finds an endpoint that answers, authenticates, fetches and pushes manifests, tags and blobs.

import type { IncomingMessage } from 'node:http';
import { Readable } from 'node:stream';
import type { Digest } from '../spec/digest.ts';
import { MANIFEST_ACCEPT, MEDIA } from '../spec/oci/manifest.ts';
import { isTag } from '../spec/reference.ts';
import { digestOf, MANIFEST_MAX_BYTES } from '../store/blobs.ts';
import { basic, type Challenge, parseChallenge, Tokens } from './auth.ts';
import { type Endpoint, endpointsFor } from './endpoints.ts';
import { RegistryError } from './errors.ts';
import { createHttp, DEFAULT_TIMEOUTS, discard, errorOf, type Http, readBody, type Timeouts } from './http.ts';
import { type SearchRequest, type SearchResult, searchRegistry } from './search.ts';
import type { RegistryCredentials, RegistryOptions } from './types.ts';

const PING_KEPT_MS = 60_000;
const REDIRECTS_MAX = 5;
const TAG_PAGES_MAX = 1000;
const TAGS_MAX = 100_000;
/** Read on the main thread, see TOKEN_MAX_BYTES. */
const TAGS_PAGE_MAX_BYTES = 1 << 20;
const REFERRER_PAGES_MAX = 100;
/** Longer headers are no use to us; patterns that look for something in them take the square of their length. */
const LINK_MAX_CHARS = 4096;

/** A registry may hold anything: the usual types first. */
export const ACCEPT_ANY: readonly string[] = [...MANIFEST_ACCEPT, '*/*'];

/** Opens the bytes of a body; called once for every try. */
export type Source = () => Promise<Readable>;

interface Call {
  readonly method?: 'GET' | 'HEAD' | 'POST' | 'PUT' | 'DELETE';
  readonly url: string;
  readonly headers?: Readonly<Record<string, string>>;
  readonly body?: Source;
  /** Asks for a token that may push. */
  readonly isPush?: boolean;
}

/** One repository at one endpoint, as one user. */
export interface Repository {
  readonly endpoint: Endpoint;
  readonly path: string;
  readonly credentials: RegistryCredentials;
  readonly signal: AbortSignal;
}

export interface FetchedManifest {
  readonly bytes: Buffer;
  readonly digest: Digest;
  readonly contentType: string;
}

export interface RegistryClientOptions {
  readonly userAgent: string;
  readonly timeouts?: Timeouts | undefined;
}

/** The tags of one page that are tags: others would become names that nobody can type. */
function tagsIn(body: Buffer): readonly string[] {
  let found: unknown;
  try {
    found = (JSON.parse(body.toString()) as { tags?: unknown } | null)?.tags;
  } catch (cause) {
    throw new RegistryError('the tag list is no JSON', { cause });
  }
  return Array.isArray(found) ? found.filter((tag) => typeof tag === 'string' && isTag(tag)) : [];
}

/** @source dockerd 28.5 */
const DOWNLOAD_ATTEMPTS = 5;
function withPrefix(prefix: string, error: RegistryError): RegistryError {
  const { status, code, transient } = error;
  return new RegistryError(`${prefix}${error.message}`, { status, code, transient, cause: error });
}

/** Where a list goes on, on the same host. @source RFC 5988 */
function nextPage(answer: IncomingMessage, url: string): string | undefined {
  const link = String(answer.headers.link ?? '').slice(0, LINK_MAX_CHARS);
  const next = /<([^>]+)>;\s*rel="?next/.exec(link)?.[1];
  if (next === undefined || !URL.canParse(next, url)) return undefined;
  const absolute = new URL(next, url);
  return absolute.host === new URL(url).host ? absolute.href : undefined;
}

/** The entries of an index; undefined for what is none: some registries answer every path with a page. */
function manifestsIn(body: Buffer): readonly unknown[] | undefined {
  try {
    const index = JSON.parse(body.toString()) as { manifests?: unknown } | null;
    return Array.isArray(index?.manifests) ? index.manifests : undefined;
  } catch {
    return undefined;
  }
}

/** Talks to registries. All methods throw RegistryError, or CANCELLED when the signal fires. */
export class RegistryClient implements Disposable {
  readonly #options: RegistryOptions;
  readonly #http: Http;
  readonly #tokens: Tokens;
  readonly #pings = new Map<string, { readonly challenge: Challenge; readonly until: number }>();

  constructor(options: RegistryOptions, { userAgent, timeouts = DEFAULT_TIMEOUTS }: RegistryClientOptions) {
    this.#options = options;
    this.#http = createHttp(userAgent, timeouts);
    this.#tokens = new Tokens(this.#http);
  }

  [Symbol.dispose](): void {
    this.#http[Symbol.dispose]();
  }

  /** How often a download is tried before it fails. */
  get downloadAttempts(): number {
    return this.#options.maxDownloadAttempts ?? DOWNLOAD_ATTEMPTS;
  }

  endpoints(domain: string): readonly Endpoint[] {
    return endpointsFor(domain, this.#options);
  }

  /** A manifest by tag or digest, of the types in `accept`; by digest its bytes are verified. */
  async manifest(repository: Repository, reference: string, accept = MANIFEST_ACCEPT): Promise<FetchedManifest> {
    const url = `${repository.endpoint.base}/v2/${repository.path}/manifests/${reference}`;
    const answer = await this.#send(repository, { url, headers: { Accept: accept.join(', ') } });
    const contentType = (answer.headers['content-type'] ?? '').split(';', 1)[0] ?? '';
    const bytes = await readBody(answer, MANIFEST_MAX_BYTES, 'the manifest');
    const digest = digestOf(bytes);
    if (reference.startsWith('sha256:') && digest !== reference) {
      throw new RegistryError(`manifest verification failed for digest ${reference}`);
    }
    return { bytes, digest, contentType };
  }

  /** An image's configuration, verified. */
  async smallBlob(repository: Repository, digest: Digest): Promise<Buffer> {
    const answer = await this.openBlob(repository, digest, 0).catch((error) => {
      throw error instanceof RegistryError ? withPrefix('error pulling image configuration: ', error) : error;
    });
    const bytes = await readBody(answer, MANIFEST_MAX_BYTES, 'the image configuration');
    if (digestOf(bytes) !== digest) throw new RegistryError(`image config verification failed for digest ${digest}`);
    return bytes;
  }

  /** A blob from `offset` on: 206, or 200 with the whole blob where ranges are not served. */
  async openBlob(repository: Repository, digest: Digest, offset: number): Promise<IncomingMessage> {
    const url = `${repository.endpoint.base}/v2/${repository.path}/blobs/${digest}`;
    try {
      return await this.#send(repository, { url, headers: offset > 0 ? { Range: `bytes=${offset}-` } : {} });
    } catch (error) {
      if (!(error instanceof RegistryError) || error.status !== 404) throw error;
      // @source dockerd 28.5
      throw new RegistryError('unknown blob', { status: 404, code: 'BLOB_UNKNOWN', cause: error });
    }
  }

  /** All tags of a repository. */
  async tags(repository: Repository): Promise<readonly string[]> {
    const tags: string[] = [];
    let url: string | undefined = `${repository.endpoint.base}/v2/${repository.path}/tags/list`;
    for (let page = 0; url !== undefined && page < TAG_PAGES_MAX; page++) {
      const answer: IncomingMessage = await this.#send(repository, { url });
      const next: string | undefined = nextPage(answer, url);
      for (const tag of tagsIn(await readBody(answer, TAGS_PAGE_MAX_BYTES, 'the tag list'))) tags.push(tag);
      if (tags.length > TAGS_MAX) throw new RegistryError(`the repository has over ${TAGS_MAX} tags`);
      url = next;
    }
    return tags;
  }

  /**
   * Descriptors of everything that refers to a manifest, as an OCI index lists them, unchecked; undefined where the registry has no such
   * API. @source OCI distribution specification 1.1, listing referrers
   */
  async referrers(repository: Repository, digest: Digest): Promise<readonly unknown[] | undefined> {
    const found: unknown[] = [];
    let url: string | undefined = `${repository.endpoint.base}/v2/${repository.path}/referrers/${digest}`;
    for (let page = 0; url !== undefined && page < REFERRER_PAGES_MAX; page++) {
      const answer: IncomingMessage | undefined = await this.#find(repository, {
        url,
        headers: { Accept: MEDIA.ociIndex },
      });
      if (!answer) return undefined;
      const next = nextPage(answer, url);
      const manifests = manifestsIn(await readBody(answer, MANIFEST_MAX_BYTES, 'the referrers'));
      if (!manifests) return undefined;
      found.push(...manifests);
      url = next;
    }
    return found;
  }

  /** What the endpoint asks for; remembered for a minute. This is the exchange that shows whether it is there at all. */
  async ping({ endpoint, signal }: Pick<Repository, 'endpoint' | 'signal'>): Promise<Challenge> {
    const kept = this.#pings.get(endpoint.base);
    if (kept && kept.until > Date.now()) return kept.challenge;
    const answer = await this.#http.open({
      method: 'GET',
      url: `${endpoint.base}/v2/`,
      insecure: endpoint.insecure,
      signal,
    });
    const status = answer.statusCode ?? 0;
    const challenge = parseChallenge(status === 401 ? answer.headers['www-authenticate'] : undefined);
    if (status >= 500 || status === 429) throw await errorOf(answer);
    discard(answer);
    this.#pings.set(endpoint.base, { challenge, until: Date.now() + PING_KEPT_MS });
    return challenge;
  }

  /** Tries credentials. Resolves to a refresh token ('' when there is none). @throws RegistryError with status 401 when they are wrong */
  async login(repository: Omit<Repository, 'path'>): Promise<string> {
    const { endpoint, credentials, signal } = repository;
    const challenge = await this.ping(repository);
    if (challenge.scheme === 'none') return '';
    const url = `${endpoint.base}/v2/`;
    if (challenge.scheme === 'basic') {
      const headers = { Authorization: basic(credentials.username ?? '', credentials.password ?? '') };
      const answer = await this.#http.open({ method: 'GET', url, headers, insecure: endpoint.insecure, signal });
      const status = answer.statusCode ?? 0;
      discard(answer);
      if (status < 400) return '';
      throw new RegistryError(`login attempt to ${url} failed with status: ${status} ${answer.statusMessage ?? ''}`, {
        status,
      });
    }
    const request = { challenge, scope: '', credentials, insecure: endpoint.insecure, offline: true, signal };
    try {
      return (await this.#tokens.renew(request)).refreshToken;
    } catch (error) {
      if (!(error instanceof RegistryError) || error.status === 0) throw error;
      throw new RegistryError(`Get "${url}": ${error.message}`, { status: error.status, code: error.code });
    }
  }

  search(request: SearchRequest): Promise<readonly SearchResult[]> {
    return searchRegistry(this.#http, this.#options, request);
  }

  /** What a tag or digest stands for, without its bytes; undefined when it is not there. */
  async head(repository: Repository, reference: string): Promise<{ readonly digest: string } | undefined> {
    const url = `${repository.endpoint.base}/v2/${repository.path}/manifests/${reference}`;
    const answer = await this.#find(repository, { method: 'HEAD', url, headers: { Accept: ACCEPT_ANY.join(', ') } });
    const digest = answer?.headers['docker-content-digest'];
    return answer && { digest: typeof digest === 'string' ? digest : '' };
  }

  async hasBlob(repository: Repository, digest: Digest): Promise<boolean> {
    const url = `${repository.endpoint.base}/v2/${repository.path}/blobs/${digest}`;
    return (await this.#find(repository, { method: 'HEAD', url, isPush: true })) !== undefined;
  }

  /** Pushes a blob whole; `open` gives its bytes, again when a try failed for its token. */
  async pushBlob(repository: Repository, blob: { digest: Digest; sizeBytes: number }, open: Source): Promise<void> {
    const { base } = repository.endpoint;
    const begun = await this.#send(repository, {
      method: 'POST',
      url: `${base}/v2/${repository.path}/blobs/uploads/`,
      isPush: true,
    });
    discard(begun);
    const location = begun.headers.location ?? '';
    if (!URL.canParse(location, base)) throw new RegistryError('the registry began an upload without saying where');
    const where = new URL(location, base);
    // An upload elsewhere would take our credentials, or our content, with it.
    if (where.host !== new URL(base).host)
      throw new RegistryError(`the registry sends uploads to another host, ${where.host}`);
    where.searchParams.set('digest', blob.digest);
    const headers = { 'Content-Type': 'application/octet-stream', 'Content-Length': String(blob.sizeBytes) };
    discard(await this.#send(repository, { method: 'PUT', url: where.href, headers, body: open, isPush: true }));
  }

  async putManifest(repository: Repository, reference: string, bytes: Buffer, mediaType: string): Promise<void> {
    const url = `${repository.endpoint.base}/v2/${repository.path}/manifests/${reference}`;
    const headers = { 'Content-Type': mediaType, 'Content-Length': String(bytes.length) };
    const body: Source = async () => Readable.from([bytes]);
    discard(await this.#send(repository, { method: 'PUT', url, headers, body, isPush: true }));
  }

  /** Deletes a tag or manifest; false when it is not there. */
  async deleteManifest(repository: Repository, reference: string): Promise<boolean> {
    const url = `${repository.endpoint.base}/v2/${repository.path}/manifests/${reference}`;
    const answer = await this.#find(repository, { method: 'DELETE', url, isPush: true });
    if (answer) discard(answer);
    return answer !== undefined;
  }

  /** As #send; undefined for 404. */
  async #find(repository: Repository, call: Call): Promise<IncomingMessage | undefined> {
    try {
      return await this.#send(repository, call);
    } catch (error) {
      if (error instanceof RegistryError && error.status === 404) return undefined;
      throw error;
    }
  }

  async #send(repository: Repository, call: Call): Promise<IncomingMessage> {
    const challenge = await this.ping(repository);
    let authorization = '';
    for (let attempt = 0; ; attempt++) {
      authorization = await this.#authorization(repository, challenge, call, authorization);
      const shown = authorization === '' ? {} : { Authorization: authorization };
      const answer = await this.#follow(repository, { ...call, headers: { ...call.headers, ...shown } });
      const status = answer.statusCode ?? 0;
      if (status < 300) return answer;
      const failure = await errorOf(answer);
      // A token may have been taken back before its time: one fresh one is worth the try.
      if (status !== 401 || attempt > 0 || challenge.scheme !== 'bearer') throw failure;
    }
  }

  /** Follows redirects; another host never sees our credentials. */
  async #follow({ endpoint, signal }: Repository, call: Call): Promise<IncomingMessage> {
    const { method = 'GET', url: start, headers = {}, body } = call;
    let url = start;
    for (let hop = 0; ; hop++) {
      const foreign = new URL(url).host !== new URL(endpoint.base).host;
      const { Authorization: _, ...others } = headers;
      const insecure = endpoint.insecure && !foreign;
      const answer = await this.#http.open({
        method,
        url,
        headers: foreign ? others : headers,
        body: await body?.(),
        insecure,
        signal,
      });
      const { location } = answer.headers;
      const isRedirect = [301, 302, 303, 307, 308].includes(answer.statusCode ?? 0) && location !== undefined;
      // Writes go where the caller said, or nowhere.
      if (!isRedirect || (method !== 'GET' && method !== 'HEAD')) return answer;
      discard(answer);
      if (hop === REDIRECTS_MAX || !URL.canParse(location, url))
        throw new RegistryError(`Get "${start}": stopped after ${hop} redirects`);
      const next = new URL(location, url);
      if (next.protocol === 'http:' && url.startsWith('https:'))
        throw new RegistryError(`Get "${start}": refused a redirect to plain HTTP`);
      if (!/^https?:$/.test(next.protocol))
        throw new RegistryError(`Get "${start}": unsupported protocol scheme "${next.protocol}"`);
      url = next.href;
    }
  }

  /** The Authorization header, '' for none; another than the one that was `refused`. */
  async #authorization(repository: Repository, challenge: Challenge, call: Call, refused: string): Promise<string> {
    const { credentials, endpoint, path, signal } = repository;
    if (credentials.registryToken) return `Bearer ${credentials.registryToken}`;
    if (challenge.scheme === 'none') return '';
    if (challenge.scheme === 'basic') {
      if (!credentials.username)
        throw new RegistryError(`Get "${call.url}": no basic auth credentials`, {
          status: 401,
          hint: 'log in first with "gantry login SERVER"',
        });
      return basic(credentials.username, credentials.password ?? '');
    }
    const scope = `repository:${path}:pull${call.isPush ? ',push' : ''}`;
    const request = { challenge, scope, credentials, insecure: endpoint.insecure, signal };
    const { token } = await this.#tokens.get(request, refused.replace(/^Bearer /, ''));
    return `Bearer ${token}`;
  }
}
