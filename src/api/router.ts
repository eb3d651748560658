// Owns the way from a path to a route, with Docker's rules (a name may hold slashes, doubled slashes redirect). Runs nothing.

import { ROUTES, type RouteId } from '../spec/docker/routes.ts';

/** Where a request goes. */
export type Match =
  | {
      readonly kind: 'route';
      readonly id: RouteId;
      /** What `{name}` stood for; '' when the path has none. */
      readonly name: string;
      /** `1.43` of `/v1.43/...`; undefined for a bare path. */
      readonly version: string | undefined;
    }
  | { readonly kind: 'redirect'; readonly path: string }
  | { readonly kind: 'none' };

interface Entry {
  readonly id: RouteId;
  /** Text before `{name}`, or the whole path. */
  readonly head: string;
  /** Text after `{name}`; undefined for a path without name. */
  readonly tail: string | undefined;
  /** Finds the name in a path with a second variable part. */
  readonly pattern: RegExp | undefined;
}

const VERSION = /^\/v([0-9.]+)(?=\/)/;
const tables = new Map<string, Map<string, Entry[]>>();
for (const { id, method, path } of ROUTES) {
  const [head = '', tail] = path.split('{name}');
  const byNoun = tables.get(method) ?? new Map<string, Entry[]>();
  tables.set(method, byNoun);
  const noun = nounOf(path);
  const entries = byNoun.get(noun) ?? [];
  byNoun.set(noun, entries);
  const pattern = tail?.includes('{') ? new RegExp(`^${head}(.+)${tail.replace(/\{\w+\}/, '[^/]+')}$`) : undefined;
  entries.push({ id, head, tail, pattern });
}

/** Finds the route of `method` and the unescaped `path`. @source gorilla/mux as dockerd 28.5.2 sets it up */
export function matchRoute(method: string, path: string): Match {
  const clean = cleanPath(path);
  if (clean !== path) return { kind: 'redirect', path: clean };
  const version = VERSION.exec(path)?.[1];
  const rest = version === undefined ? path : path.slice(version.length + 2);
  const entries = tables.get(method)?.get(nounOf(rest));
  if (entries) {
    for (const { id, head, tail, pattern } of entries) {
      if (tail === undefined) {
        if (rest === head) return { kind: 'route', id, name: '', version };
      } else if (pattern) {
        const name = pattern.exec(rest)?.[1];
        if (name !== undefined) return { kind: 'route', id, name, version };
      } else if (rest.length >= head.length + tail.length && rest.startsWith(head) && rest.endsWith(tail)) {
        return { kind: 'route', id, name: rest.slice(head.length, rest.length - tail.length), version };
      }
    }
  }
  return { kind: 'none' };
}

function nounOf(path: string): string {
  const slash = path.indexOf('/', 1);
  return slash < 0 ? path.slice(1) : path.slice(1, slash);
}

/** The path without `.`, `..` and doubled slashes; a slash at the end stays. */
function cleanPath(path: string): string {
  if (!path.includes('//') && !path.includes('/.')) return path;
  const parts: string[] = [];
  for (const part of path.split('/')) {
    if (part === '..') parts.pop();
    else if (part !== '' && part !== '.') parts.push(part);
  }
  return `/${parts.join('/')}${path.endsWith('/') && parts.length > 0 ? '/' : ''}`;
}
