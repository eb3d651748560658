// Owns proving who we are to a registry: challenges, Basic, and Bearer tokens with a cache.
// @source distribution/docs/spec/auth/token.md; behaviour of dockerd 28.5

import { untilCancelled } from '../lib/abort.ts';
import { isGantryError } from '../lib/errors.ts';
import { isRecord } from '../spec/oci/manifest.ts';
import { RegistryError } from './errors.ts';
import { errorOf, type Http, readBody } from './http.ts';
import type { RegistryCredentials } from './types.ts';

/** What a registry asks for. */
export type Challenge =
  | { readonly scheme: 'none' }
  | { readonly scheme: 'basic' }
  | { readonly scheme: 'bearer'; readonly realm: string; readonly service: string };

/** Read on the main thread: hostile JSON of a megabyte would hold everything else up. */
const TOKEN_MAX_BYTES = 64 * 1024;
/** Looking for words in a header takes the square of its length. */
const CHALLENGE_MAX_CHARS = 4096;
/** Tokens live at least so long. @source token.md */
const TOKEN_DEFAULT_SECONDS = 60;
const TOKENS_MAX = 256;

/** Reads WWW-Authenticate; bearer wins where both are offered. */
export function parseChallenge(header: string | undefined): Challenge {
  if (header === undefined || header.length > CHALLENGE_MAX_CHARS) return { scheme: 'none' };
  const bearer = /(?:^|,)\s*bearer\s+(.*)/i.exec(header)?.[1];
  if (bearer !== undefined) {
    const facts = new Map<string, string>();
    for (const [, key = '', quoted, bare] of bearer.matchAll(/([a-z_]+)=(?:"((?:[^"\\]|\\.)*)"|([^\s,]+))/gi)) {
      facts.set(key.toLowerCase(), quoted?.replace(/\\(.)/g, '$1') ?? bare ?? '');
    }
    const realm = facts.get('realm') ?? '';
    if (URL.canParse(realm)) return { scheme: 'bearer', realm, service: facts.get('service') ?? '' };
  }
  return /(?:^|,)\s*basic\b/i.test(header) ? { scheme: 'basic' } : { scheme: 'none' };
}

export interface TokenRequest {
  readonly challenge: Challenge & { readonly scheme: 'bearer' };
  /** `repository:library/nginx:pull`, or '' to log in. */
  readonly scope: string;
  readonly credentials: RegistryCredentials;
  readonly insecure: boolean;
  /** Ask for a refresh token too. */
  readonly offline?: boolean;
  readonly signal: AbortSignal;
}

export interface Token {
  readonly token: string;
  readonly refreshToken: string;
}

/** Fetches tokens and keeps them while they last. */
export class Tokens {
  readonly #http: Http;
  readonly #now: () => number;
  readonly #kept = new Map<string, Token & { readonly until: number }>();
  readonly #asked = new Map<string, Promise<Token>>();

  constructor(http: Http, now: () => number = Date.now) {
    this.#http = http;
    this.#now = now;
  }

  /**
   * A token; another than `stale`, which a registry has refused. Asked for once, however many wait for it.
   * @throws RegistryError (401 when the credentials are wrong)
   */
  async get(request: TokenRequest, stale?: string): Promise<Token> {
    const key = keyOf(request);
    const kept = this.#kept.get(key);
    if (kept && kept.token !== stale && kept.until > this.#now()) return kept;
    for (let asked = this.#asked.get(key); asked; asked = this.#asked.get(key)) {
      try {
        return await untilCancelled(asked, request.signal);
      } catch (error) {
        // Called off by whoever asked, which is nothing to us.
        if (request.signal.aborted || !isGantryError(error, 'cancelled')) throw error;
      }
    }
    const asking = this.#ask(key, request).finally(() => this.#asked.delete(key));
    this.#asked.set(key, asking);
    return asking;
  }

  /** A token fetched just now, for checking credentials. @throws RegistryError */
  renew(request: TokenRequest): Promise<Token> {
    return this.#ask(keyOf(request), request);
  }

  async #ask(key: string, request: TokenRequest): Promise<Token> {
    const answer = await this.#fetch(request);
    const lifeMs = Math.max(0, answer.seconds - 10) * 1000;
    if (this.#kept.size >= TOKENS_MAX) this.#kept.clear();
    this.#kept.set(key, { ...answer, until: this.#now() + lifeMs });
    return answer;
  }

  async #fetch(request: TokenRequest): Promise<Token & { readonly seconds: number }> {
    const { insecure, signal, credentials } = request;
    const { realm } = request.challenge;
    if (!/^https?:$/.test(new URL(realm).protocol)) throw new RegistryError(`unsupported token realm ${realm}`);
    // A registry on HTTPS that sends us to a token server on plain HTTP would have us show the password to anyone.
    if (!insecure && realm.startsWith('http:') && (credentials.password || credentials.identityToken)) {
      throw new RegistryError(`refusing to send credentials to ${realm} without TLS`);
    }
    const byPost = credentials.identityToken ? postRequest(request) : undefined;
    const answer = await this.#http.open({ ...(byPost ?? getRequest(request)), insecure, signal });
    if ((answer.statusCode ?? 0) >= 400) throw await errorOf(answer);
    const body = await readBody(answer, TOKEN_MAX_BYTES, 'the token');
    return parseToken(body);
  }
}

function keyOf({ challenge, scope, credentials, offline }: TokenRequest): string {
  const who = [credentials.username, credentials.password, credentials.identityToken];
  return JSON.stringify([challenge.realm, challenge.service, scope, offline ?? false, ...who]);
}

type Part = {
  readonly method: 'GET' | 'POST';
  readonly url: string;
  readonly headers: Record<string, string>;
  readonly body?: string;
};

function getRequest({ challenge, scope, credentials, offline }: TokenRequest): Part {
  const url = new URL(challenge.realm);
  const { username, password } = credentials;
  if (username) url.searchParams.set('account', username);
  if (offline) {
    url.searchParams.set('client_id', 'docker');
    url.searchParams.set('offline_token', 'true');
  }
  if (scope) url.searchParams.set('scope', scope);
  if (challenge.service) url.searchParams.set('service', challenge.service);
  return { method: 'GET', url: url.href, headers: username ? { Authorization: basic(username, password ?? '') } : {} };
}

/** An identity token is a refresh token: OAuth 2. */
function postRequest({ challenge, scope, credentials }: TokenRequest): Part {
  const form = new URLSearchParams({
    grant_type: 'refresh_token',
    refresh_token: credentials.identityToken ?? '',
    service: challenge.service,
    client_id: 'docker',
    ...(scope ? { scope } : {}),
  });
  const headers = { 'Content-Type': 'application/x-www-form-urlencoded' };
  return { method: 'POST', url: challenge.realm, headers, body: form.toString() };
}

function parseToken(body: Buffer): Token & { readonly seconds: number } {
  let value: unknown;
  try {
    value = JSON.parse(body.toString());
  } catch {
    value = undefined;
  }
  const facts = isRecord(value) ? value : {};
  const token = [facts.token, facts.access_token].find((item) => typeof item === 'string' && item !== '');
  if (typeof token !== 'string' || /[\r\n]/.test(token))
    throw new RegistryError('authorization server did not include a token in the response');
  const seconds = typeof facts.expires_in === 'number' ? facts.expires_in : TOKEN_DEFAULT_SECONDS;
  return { token, seconds, refreshToken: typeof facts.refresh_token === 'string' ? facts.refresh_token : '' };
}

/** A Basic Authorization header. */
export function basic(username: string, password: string): string {
  return `Basic ${Buffer.from(`${username}:${password}`).toString('base64')}`;
}
