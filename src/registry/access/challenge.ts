// Owns the WWW-Authenticate header, which tells a client how to authenticate. Pure.
// @source distribution/docs/spec/auth/token.md; RFC 6750, section 3

import type { AccessConfig } from '../config/types.ts';
import { TOKEN_PATH } from './token-route.ts';

/** The header for a request that needs `scope`. See `Access.challenge`. */
export function challenge(
  config: AccessConfig,
  scope: string | undefined,
  base: string,
  isInsufficient: boolean,
): string {
  const { token } = config;
  if (!token) return `Basic realm=${quoted(config.realm)}`;
  const realm = token.kind === 'own' ? `${base}${TOKEN_PATH}` : (token.realm ?? '');
  const parts = [`realm=${quoted(realm)}`, `service=${quoted(token.service)}`];
  if (scope !== undefined) parts.push(`scope=${quoted(scope)}`);
  if (isInsufficient) parts.push(`error=${quoted(scope === undefined ? 'invalid_token' : 'insufficient_scope')}`);
  return `Bearer ${parts.join(',')}`;
}

/** A quoted string of a header, without the characters that would end it. */
function quoted(text: string): string {
  return `"${text.replace(/[^\x20-\x7e]|["\\]/g, '')}"`;
}
