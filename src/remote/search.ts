// Owns searching a registry by Docker's old index protocol, which Docker Hub and our registry answer. Knows no filters.
// @source dockerd 28.5, its requests and texts recorded

import { GantryError, messageOf } from '../lib/errors.ts';
import { isRecord } from '../spec/oci/manifest.ts';
import { DEFAULT_DOMAIN } from '../spec/reference.ts';
import { basic } from './auth.ts';
import { isInsecure } from './endpoints.ts';
import { RegistryError } from './errors.ts';
import { discard, type Http, readBody } from './http.ts';
import type { RegistryCredentials, RegistryOptions } from './types.ts';

export interface SearchRequest {
  /** What to look for; `host[:port]/text` asks that registry, other text Docker Hub. */
  readonly term: string;
  /** Of results, at most. */
  readonly limit: number;
  readonly credentials: RegistryCredentials;
  readonly signal: AbortSignal;
}

export interface SearchResult {
  readonly name: string;
  readonly description: string;
  readonly stars: number;
  readonly official: boolean;
}

const HUB = 'https://index.docker.io';
const ANSWER_MAX_BYTES = 4 << 20;

/** @throws RegistryError; BAD_TERM and BAD_ENDPOINT (invalid) with Docker's texts */
export async function searchRegistry(
  http: Http,
  options: RegistryOptions,
  request: SearchRequest,
): Promise<readonly SearchResult[]> {
  const { domain, text } = splitTerm(request.term);
  const base = domain === DEFAULT_DOMAIN ? HUB : await endpointOf(http, options, domain, request.signal);
  const { username, password = '' } = request.credentials;
  const answer = await http.open({
    method: 'GET',
    url: `${base}/v1/search?${new URLSearchParams({ q: text, n: String(request.limit) })}`,
    headers: { 'X-Docker-Token': 'true', ...(username ? { Authorization: basic(username, password) } : {}) },
    insecure: domain !== DEFAULT_DOMAIN && isInsecure(domain, options),
    signal: request.signal,
  });
  const status = answer.statusCode ?? 0;
  if (status !== 200) {
    discard(answer);
    throw new RegistryError(`Unexpected status code ${status}`, { status });
  }
  return resultsIn(await readBody(answer, ANSWER_MAX_BYTES, 'the list of search results'));
}

/** A first part with a dot, a colon or the name localhost is a registry. */
function splitTerm(term: string): { readonly domain: string; readonly text: string } {
  if (term.includes('://')) {
    const message = `invalid repository name: repository name (${term}) should not have a scheme`;
    throw new GantryError('invalid', 'BAD_TERM', message);
  }
  const slash = term.indexOf('/');
  const first = term.slice(0, Math.max(slash, 0));
  if (slash < 0 || !(/[.:]/.test(first) || first === 'localhost')) return hub(term);
  if (first === DEFAULT_DOMAIN || first === 'index.docker.io') return hub(term.slice(slash + 1));
  if (!/^(?:[\w.-]+|\[[\da-fA-F:.]+\])(?::\d+)?$/.test(first)) {
    throw new GantryError('invalid', 'BAD_TERM', `invalid index name (${first})`);
  }
  return { domain: first, text: term.slice(slash + 1) };
}

function hub(text: string): { readonly domain: string; readonly text: string } {
  return { domain: DEFAULT_DOMAIN, text: text.replace(/^library\//, '') };
}

/** HTTPS; HTTP after it where that is allowed. Any answer shows that somebody is there. */
async function endpointOf(http: Http, options: RegistryOptions, domain: string, signal: AbortSignal): Promise<string> {
  const insecure = isInsecure(domain, options);
  const failures: string[] = [];
  for (const base of insecure ? [`https://${domain}`, `http://${domain}`] : [`https://${domain}`]) {
    try {
      discard(await http.open({ method: 'GET', url: `${base}/v1/_ping`, insecure, signal }));
      return base;
    } catch (error) {
      if (!(error instanceof RegistryError)) throw error;
      failures.push(messageOf(error));
    }
  }
  const [byHttps = '', byHttp] = failures;
  const message =
    byHttp === undefined
      ? `invalid registry endpoint https://${domain}/v1/: ${byHttps}. If this private registry supports only HTTP or HTTPS with an unknown CA certificate, add \`--insecure-registry ${domain}\` to the daemon's arguments`
      : `invalid registry endpoint "http://${domain}/v1/". HTTPS attempt: ${byHttps}. HTTP attempt: ${byHttp}`;
  throw new GantryError('invalid', 'BAD_ENDPOINT', message);
}

function resultsIn(body: Buffer): readonly SearchResult[] {
  let answer: unknown;
  try {
    answer = JSON.parse(body.toString());
  } catch (cause) {
    throw new RegistryError(`error decoding registry search results: ${messageOf(cause)}`, { cause });
  }
  const results: readonly unknown[] = isRecord(answer) && Array.isArray(answer.results) ? answer.results : [];
  return results.filter(isRecord).map((result) => ({
    name: typeof result.name === 'string' ? result.name : '',
    description: typeof result.description === 'string' ? result.description : '',
    stars: typeof result.star_count === 'number' ? result.star_count : 0,
    official: result.is_official === true,
  }));
}
