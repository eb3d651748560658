// Owns what a call is, and the request that it becomes: path, query, headers and body. Sends nothing.
import type { Readable } from 'node:stream';
import type { BodyOf } from '../spec/docker/route-replies.ts';
import { ROUTES, type RouteId } from '../spec/docker/routes.ts';
import type { WireRequest } from './sender.ts';

/** Query values. Undefined ones are left out, lists repeat the key. */
type Query = Readonly<Record<string, string | number | boolean | readonly string[] | undefined>>;

/** One call of `Route`. `name` is what its path is about; `body` is sent as JSON, `stream` as it is. */
export interface Call<Route extends RouteId = RouteId> {
  readonly route: Route;
  readonly name?: string | undefined;
  readonly query?: Query | undefined;
  readonly body?: BodyOf<Route> | undefined;
  readonly stream?: Readable | Buffer | undefined;
  readonly contentType?: string | undefined;
  readonly headers?: Readonly<Record<string, string>> | undefined;
  readonly signal?: AbortSignal | undefined;
}

/** The request for `call`. `prefix` is the version part of the path, `headers` are those of every call. */
export function requestOf(call: Call, prefix: string, ...headers: (Call['headers'] | undefined)[]): WireRequest {
  const body = call.stream ?? (call.body === undefined ? undefined : jsonBytes(call.body));
  const { method, path } = endpointOf(call);
  const contentType = body === undefined ? {} : { 'Content-Type': call.contentType ?? 'application/json' };
  return {
    method,
    path: `${prefix}${path}${queryText(call.query)}`,
    headers: Object.assign({ 'User-Agent': 'gantry' }, ...headers, contentType),
    body,
    signal: call.signal,
  };
}

const ENDPOINTS = new Map<RouteId, { readonly method: WireRequest['method']; readonly path: string }>(
  ROUTES.map(({ id, method, path }) => [id, { method, path }]),
);

/** The method and the path, without version and query, of a call. */
export function endpointOf({ route, name = '' }: Pick<Call, 'route' | 'name'>): Pick<WireRequest, 'method' | 'path'> {
  const { method, path } = ENDPOINTS.get(route) as Pick<WireRequest, 'method' | 'path'>;
  return { method, path: path.replace('{name}', () => encode(name)) };
}

/** An id or name as a path part; image names keep their slashes readable. */
function encode(id: string): string {
  return encodeURIComponent(id).replaceAll('%2F', '/').replaceAll('%3A', ':').replaceAll('%40', '@');
}

function jsonBytes(value: unknown): Uint8Array<ArrayBuffer> {
  return new TextEncoder().encode(JSON.stringify(value));
}

/** `?a=1&b=2` with Docker's spellings (booleans as 1), or nothing. */
function queryText(query: Query | undefined): string {
  const search = new URLSearchParams();
  for (const [key, value] of Object.entries(query ?? {})) {
    if (value === undefined) continue;
    if (typeof value === 'object') for (const item of value) search.append(key, item);
    else search.append(key, typeof value === 'boolean' ? (value ? '1' : '0') : String(value));
  }
  const textForm = search.toString();
  return textForm === '' ? '' : `?${textForm}`;
}
