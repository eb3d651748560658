// Owns the Basic scheme of the Authorization header. Checks no password. @source RFC 7617

import { GantryError } from '../../lib/errors.ts';

const HEADER_MAX_CHARS = 20 * 1024;

/** User and password of a Basic header. @throws UNAUTHORIZED for anything else */
export function parseBasic(authorization: string): readonly [user: string, password: string] {
  const found = readBasic(authorization);
  if (!found) throw unauthorized();
  return found;
}

/** User and password of a Basic header; undefined for anything else. */
export function readBasic(authorization: string): readonly [user: string, password: string] | undefined {
  const match = /^basic\s+([A-Za-z0-9+/=_-]+)\s*$/i.exec(authorization.slice(0, HEADER_MAX_CHARS));
  const text = Buffer.from(match?.[1] ?? '', 'base64').toString();
  const colon = text.indexOf(':');
  return colon < 1 ? undefined : [text.slice(0, colon), text.slice(colon + 1)];
}

/** @returns UNAUTHORIZED */
export function unauthorized(): GantryError {
  return new GantryError('unauthorized', 'UNAUTHORIZED', 'authentication required');
}
