// Owns image names as people write them: normal form, familiar form, default tag. @source distribution/reference
import { CommandFailure } from './failure.ts';

/** A name in parts. `path` holds the `library/` of Docker Hub's own images. */
export interface ImageName {
  readonly domain: string;
  readonly path: string;
  readonly tag: string | undefined;
  readonly digest: string | undefined;
}

const HUB = 'docker.io';
const PATH_PART = '[a-z0-9]+(?:(?:[._]|__|-+)[a-z0-9]+)*';
const PATH = new RegExp(`^${PATH_PART}(?:/${PATH_PART})*$`);
const DOMAIN_PART = '(?:[a-zA-Z0-9]|[a-zA-Z0-9][a-zA-Z0-9-]*[a-zA-Z0-9])';
const DOMAIN = new RegExp(`^(?:${DOMAIN_PART}(?:\\.${DOMAIN_PART})*|\\[[a-fA-F0-9:]+\\])(?::[0-9]+)?$`);
const TAG = /^[\w][\w.-]{0,127}$/;
const DIGEST = /^[A-Za-z][A-Za-z0-9]*(?:[-_+.][A-Za-z][A-Za-z0-9]*)*:[0-9a-fA-F]{32,}$/;
const BARE_ID = /^[a-f0-9]{64}$/;

/**
 * The parts of `text`.
 * @throws CommandFailure (1) `invalid reference format` in Docker's words
 */
export function parseImageName(text: string): ImageName {
  if (BARE_ID.test(text)) {
    throw new CommandFailure(1, `invalid repository name (${text}), cannot specify 64-byte hexadecimal strings`);
  }
  const at = text.indexOf('@');
  const digest = at === -1 ? undefined : text.slice(at + 1);
  const { domain, rest } = splitDomain(at === -1 ? text : text.slice(0, at));
  const colon = rest.lastIndexOf(':');
  const tag = colon === -1 ? undefined : rest.slice(colon + 1);
  const path = colon === -1 ? rest : rest.slice(0, colon);
  if (path !== path.toLowerCase() && PATH.test(path.toLowerCase())) {
    throw new CommandFailure(1, `invalid reference format: repository name (${path}) must be lowercase`);
  }
  const valid =
    PATH.test(path) &&
    DOMAIN.test(domain) &&
    (tag === undefined || TAG.test(tag)) &&
    (digest === undefined || DIGEST.test(digest));
  if (!valid) throw new CommandFailure(1, 'invalid reference format');
  return { domain, path, tag, digest };
}

function splitDomain(name: string): { readonly domain: string; readonly rest: string } {
  const slash = name.indexOf('/');
  const first = slash === -1 ? '' : name.slice(0, slash);
  const isDomain = first !== '' && (/[.:]/.test(first) || first === 'localhost' || first !== first.toLowerCase());
  let domain = isDomain ? first : HUB;
  let rest = isDomain ? name.slice(slash + 1) : name;
  if (domain === 'index.docker.io') domain = HUB;
  if (domain === HUB && !rest.includes('/')) rest = `library/${rest}`;
  return { domain, rest };
}

/** The short form that Docker shows: Docker Hub's domain and `library/` left out. */
export function familiarName(name: ImageName): string {
  const bare = name.domain === HUB ? name.path.replace(/^library\/(?=[^/]+$)/, '') : `${name.domain}/${name.path}`;
  const tag = name.tag === undefined ? '' : `:${name.tag}`;
  return bare + tag + (name.digest === undefined ? '' : `@${name.digest}`);
}

/** Domain and path, nothing shortened. */
export function fullRepository(name: ImageName): string {
  return `${name.domain}/${name.path}`;
}

/** The same name, with `latest` when it has neither tag nor digest. */
export function withDefaultTag(name: ImageName): ImageName {
  return name.tag === undefined && name.digest === undefined ? { ...name, tag: 'latest' } : name;
}

/** How lists show the image of a container: familiar, digest left out; text that is no name stays. */
export function familiarImage(text: string): string {
  try {
    return familiarName({ ...parseImageName(text), digest: undefined });
  } catch {
    return text;
  }
}
