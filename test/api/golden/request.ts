// Owns one request whose answer is compared with a real dockerd's, and short forms to write it. Sends nothing.

import type { RawRequest } from '../support/raw-http.ts';

/** One request. `name` is its key in the recorded answers. */
export interface GoldenCase extends RawRequest {
  readonly name: string;
  /** Stop reading after this long: the answer does not end by itself. */
  readonly timeoutMs?: number;
}

export const get = (path: string): GoldenCase => ({ name: `GET ${path}`, method: 'GET', path });
export const post = (path: string, body?: string, contentType?: string): GoldenCase => ({
  name: `POST ${path}${body === undefined ? '' : ` ${body}`}${contentType === undefined ? '' : ` as ${JSON.stringify(contentType)}`}`,
  method: 'POST',
  path,
  body,
  contentType,
});
export const remove = (path: string): GoldenCase => ({ name: `DELETE ${path}`, method: 'DELETE', path });
export const filter = (path: string, filters: string): GoldenCase =>
  get(`${path}?filters=${encodeURIComponent(filters)}`);
