// Owns image references: Docker's grammar, defaults (docker.io, library, latest) and familiar forms. Pure.
// @source github.com/distribution/reference v0.6 (grammar), dockerd 28.5 (wording)

import { GantryError } from '../lib/errors.ts';
import { type Digest, parseDigest } from './digest.ts';

export const DEFAULT_DOMAIN = 'docker.io';
const LIBRARY = 'library/';
const NAME_MAX = 255;
/** Longer texts are refused before any pattern sees them. */
const TEXT_MAX = 4096;

/** A name in full, with a tag, a digest, both or none. */
export interface Reference {
  /** Registry host[:port], e.g. `docker.io`. */
  readonly domain: string;
  /** Repository in that registry, e.g. `library/nginx`. */
  readonly path: string;
  readonly tag?: string | undefined;
  readonly digest?: Digest | undefined;
}

const LABEL = '(?:[a-zA-Z0-9]|[a-zA-Z0-9][a-zA-Z0-9-]*[a-zA-Z0-9])';
const DOMAIN = new RegExp(`^(?:${LABEL}(?:\\.${LABEL})*|\\[[a-fA-F0-9:]+\\])(?::[0-9]+)?$`);
const PATH = /^[a-z0-9]+(?:(?:\.|_|__|-+)[a-z0-9]+)*$/;
const TAG = /^\w[\w.-]{0,127}$/;
const DIGEST = /^[A-Za-z][A-Za-z0-9]*(?:[-_+.][A-Za-z][A-Za-z0-9]*)*:[0-9a-fA-F]{32,}$/;

function invalid(message: string): GantryError {
  return new GantryError('invalid', 'INVALID_REFERENCE', message);
}

const badFormat = (): GantryError => invalid('invalid reference format');

/** Splits off the registry as Docker does: the first component is one when it looks like a host. */
function splitDomain(name: string): { readonly domain: string; readonly rest: string } {
  const slash = name.indexOf('/');
  const first = name.slice(0, Math.max(0, slash));
  const isHost = slash > 0 && (/[.:]/.test(first) || first === 'localhost' || first.toLowerCase() !== first);
  let [domain, rest] = isHost ? [first, name.slice(slash + 1)] : [DEFAULT_DOMAIN, name];
  if (domain === 'index.docker.io') domain = DEFAULT_DOMAIN;
  if (domain === DEFAULT_DOMAIN && !rest.includes('/')) rest = `${LIBRARY}${rest}`;
  return { domain, rest };
}

/**
 * Parses a name as a user writes it. Nothing is added but the default registry and `library/`.
 * @throws INVALID_REFERENCE with Docker's wording
 */
export function parseReference(text: string): Reference {
  if (text.length > TEXT_MAX) throw badFormat();
  if (/^[a-f0-9]{64}$/.test(text)) {
    throw invalid(`invalid repository name (${text}), cannot specify 64-byte hexadecimal strings`);
  }
  const { domain, rest } = splitDomain(text);
  const remote = rest.split(':', 1)[0] ?? '';
  if (remote.toLowerCase() !== remote) {
    const message = `invalid reference format: repository name (${remote}) must be lowercase`;
    throw invalid(message).withHint('write the name in lower case');
  }
  const at = rest.indexOf('@');
  const named = at < 0 ? rest : rest.slice(0, at);
  const digestText = at < 0 ? undefined : rest.slice(at + 1);
  const colon = named.indexOf(':');
  const path = colon < 0 ? named : named.slice(0, colon);
  const tag = colon < 0 ? undefined : named.slice(colon + 1);
  if (!DOMAIN.test(domain) || !path.split('/').every((part) => PATH.test(part))) throw badFormat();
  if (tag !== undefined && !TAG.test(tag)) throw badFormat();
  if (path.length > NAME_MAX) throw invalid(`repository name must not be more than ${NAME_MAX} characters`);
  return { domain, path, tag, digest: digestText === undefined ? undefined : referenceDigest(digestText) };
}

function referenceDigest(text: string): Digest {
  if (!DIGEST.test(text)) throw badFormat();
  if (!text.startsWith('sha256:')) throw invalid('unsupported digest algorithm');
  const digest = parseDigest(text);
  if (!digest) throw invalid(/[A-F]/.test(text) ? 'invalid checksum digest format' : 'invalid checksum digest length');
  return digest;
}

/**
 * Refuses a name that would read as a digest: `sha256:abc` is the image of that id.
 * @throws INVALID_REFERENCE with Docker's text
 */
export function requireTaggable(reference: Reference): void {
  if (familiarName(reference) !== 'sha256') return;
  throw invalid('refusing to create an ambiguous tag using digest algorithm as name');
}

/** True when `tag` may stand after the colon. */
export function isTag(tag: string): boolean {
  return TAG.test(tag);
}

/** `reference` with tag `latest` when it has neither tag nor digest. */
export function withDefaultTag(reference: Reference): Reference {
  return reference.tag === undefined && reference.digest === undefined ? { ...reference, tag: 'latest' } : reference;
}

/** Registry and repository, in full: `docker.io/library/nginx`. */
export function canonicalName({ domain, path }: Reference): string {
  return `${domain}/${path}`;
}

/** Registry and repository as people write them: `nginx`. */
export function familiarName({ domain, path }: Reference): string {
  if (domain !== DEFAULT_DOMAIN) return `${domain}/${path}`;
  const short = path.startsWith(LIBRARY) ? path.slice(LIBRARY.length) : path;
  return short.includes('/') && path.startsWith(LIBRARY) ? path : short;
}

function withSuffix(name: string, { tag, digest }: Reference): string {
  return `${name}${tag === undefined ? '' : `:${tag}`}${digest === undefined ? '' : `@${digest}`}`;
}

/** Everything in full: `docker.io/library/nginx:latest`. */
export function canonicalReference(reference: Reference): string {
  return withSuffix(canonicalName(reference), reference);
}

/** As people write it, with tag and digest: `nginx:latest`. */
export function familiarReference(reference: Reference): string {
  return withSuffix(familiarName(reference), reference);
}
