// Owns the token endpoint: it exchanges credentials for a token with the scopes that they allow. Checks no password itself.
// @source distribution/docs/spec/auth/token.md, oauth.md

import { GantryError } from '../../lib/errors.ts';
import type { Exchange, Route } from '../http/types.ts';
import { cutDown, parseScopes } from './rights.ts';
import type { Tokens } from './tokens.ts';
import type { Grant } from './types.ts';

export const TOKEN_PATH = '/v2/_gantry/token';
const FORM_MAX_BYTES = 64 * 1024;

/** The checks of credentials that the endpoint uses. */
export interface Checks {
  /** @throws UNAUTHORIZED, TOOMANYREQUESTS */
  basic(authorization: string | undefined, address: string): Promise<Grant>;
  /** @throws UNAUTHORIZED, TOOMANYREQUESTS */
  password(user: string, password: string, address: string): Promise<Grant>;
  /** @throws UNAUTHORIZED */
  refresh(secret: string): Grant;
  /** The password version that refresh tokens of `name` are bound to. */
  version(name: string): string | undefined;
}

/** GET and POST of a token. */
export function tokenRoutes(tokens: Tokens, checks: Checks): readonly Route[] {
  const shared = { path: TOKEN_PATH, right: 'open', label: 'token' } as const;
  return [
    { ...shared, method: 'GET', handle: (exchange) => byGet(tokens, checks, exchange) },
    { ...shared, method: 'POST', handle: (exchange) => byPost(tokens, checks, exchange) },
  ];
}

async function byGet(tokens: Tokens, checks: Checks, exchange: Exchange): Promise<void> {
  const { query, request } = exchange;
  const grant = await checks.basic(request.headers.authorization, exchange.address).catch((error: unknown) => {
    exchange.response.setHeader('WWW-Authenticate', `Basic realm="${tokens.config.service.replace(/["\\\r\n]/g, '')}"`);
    throw error;
  });
  checkService(tokens, query.get('service'));
  const isOffline = query.get('offline_token') === 'true';
  await answer(tokens, checks, exchange, grant, query.getAll('scope'), isOffline ? 'new' : undefined);
}

async function byPost(tokens: Tokens, checks: Checks, exchange: Exchange): Promise<void> {
  const form = new URLSearchParams((await exchange.body(FORM_MAX_BYTES)).toString());
  checkService(tokens, form.get('service'));
  const refresh = form.get('refresh_token') ?? '';
  const scopes = form.getAll('scope');
  switch (form.get('grant_type')) {
    case 'refresh_token':
      return answer(tokens, checks, exchange, checks.refresh(refresh), scopes, refresh);
    case 'password': {
      const grant = await checks.password(form.get('username') ?? '', form.get('password') ?? '', exchange.address);
      return answer(tokens, checks, exchange, grant, scopes, form.get('access_type') === 'offline' ? 'new' : undefined);
    }
    default:
      throw new GantryError('invalid', 'UNSUPPORTED', 'grant_type is password or refresh_token');
  }
}

function checkService({ config }: Tokens, service: string | null): void {
  if (service === null || service === '' || service === config.service) return;
  throw new GantryError('invalid', 'UNSUPPORTED', `this token service is ${config.service}`);
}

/** `refresh`: 'new' makes a refresh token; any other text is returned unchanged. */
async function answer(
  tokens: Tokens,
  checks: Checks,
  exchange: Exchange,
  grant: Grant,
  scopes: readonly string[],
  refresh: string | undefined,
): Promise<void> {
  const { token, seconds, issuedAt } = await tokens.issue(grant.actor, cutDown(parseScopes(scopes), grant));
  const version = refresh === 'new' ? checks.version(grant.actor.name) : undefined;
  const kept =
    version === undefined ? (refresh === 'new' ? undefined : refresh) : tokens.issueRefresh(grant.actor.name, version);
  const body = { token, access_token: token, expires_in: seconds, issued_at: issuedAt };
  exchange.json(200, kept === undefined ? body : { ...body, refresh_token: kept }, { 'Cache-Control': 'no-store' });
}
