// Owns the way from a method and a path to a row of the route tables. Runs nothing.

import type { Method, Route } from './types.ts';

/** Where a request goes. */
export type Match =
  | { readonly kind: 'route'; readonly route: Route; readonly parameters: Readonly<Record<string, string>> }
  | { readonly kind: 'wrongMethod'; readonly allow: readonly Method[] }
  | { readonly kind: 'none' };

interface Row {
  readonly route: Route;
  readonly pattern: RegExp;
}

/** Finds routes; built once. */
export class Router {
  readonly #rows: readonly Row[];

  constructor(routes: readonly Route[]) {
    // Fixed beginnings first: `/v2/_gantry/…` is never taken for a repository, whose name cannot begin so.
    const rank = ({ path }: Route): number => (path.startsWith('/v2/{name}') ? 1 : 0);
    this.#rows = [...routes]
      .sort((a, b) => rank(a) - rank(b))
      .map((route) => ({ route, pattern: patternOf(route.path) }));
  }

  /** `path` is percent-decoded and has no query. */
  match(method: string, path: string): Match {
    const allow: Method[] = [];
    for (const { route, pattern } of this.#rows) {
      if (
        route.method !== method &&
        !(method === 'HEAD' && route.method === 'GET' && !route.path.startsWith('/v2/{name}'))
      ) {
        if (pattern.test(path)) allow.push(route.method);
        continue;
      }
      const found = pattern.exec(path);
      if (found) return { kind: 'route', route, parameters: found.groups ?? {} };
    }
    return allow.length > 0 ? { kind: 'wrongMethod', allow } : { kind: 'none' };
  }
}

/** `{name}` spans slashes and is read from the right, as the rest of a path cannot; other parameters are one segment. */
function patternOf(path: string): RegExp {
  const source = path
    .replace(/[.*+?^$()|[\]\\]/g, '\\$&')
    .replace(/\{(\w+)\}/g, (_, parameter: string) =>
      parameter === 'name' ? '(?<name>[^_/].*)' : `(?<${parameter}>[^/]+)`,
    );
  return new RegExp(`^${source}$`, 's');
}
