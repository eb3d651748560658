// Owns what the tests of access control share: users, a clock, and calls of the token endpoint.

import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after } from 'node:test';
import { openDatabase } from '../../store/database.ts';
import type { AccessConfig, TokenConfig } from '../config/types.ts';
import { htpasswdLine, type OpenAccess, openAccess } from './index.ts';

/** Removed after the tests. */
export const folder = mkdtempSync(join(tmpdir(), 'gantry-test-access-'));
after(() => rmSync(folder, { recursive: true }));
const file = join(folder, 'htpasswd');
writeFileSync(file, `${await htpasswdLine('ann', 'right')}\n${await htpasswdLine('bob', 'bobs')}\nold:{SHA}x\n`);
/** Tokens of our own. */
export const OWN: TokenConfig = { kind: 'own', service: 'svc', issuer: 'iss', lifetimeSeconds: 300 };
/** A configuration with the users ann and bob. */
export const config = (more: Partial<AccessConfig> = {}): AccessConfig => ({
  anonymous: 'none',
  htpasswdFile: file,
  realm: 'r',
  rights: [],
  admins: [],
  ...more,
});
/** The time that the parts under test see. */
export const clock = { nowMs: 1_800_000_000_000 };
/** Opens access control with the users ann and bob. */
export const open = (more: Partial<AccessConfig> = {}, database = openDatabase(':memory:')): OpenAccess =>
  openAccess({ config: config(more), database, log: () => {}, now: () => clock.nowMs });
/** A Basic header. */
export const basic = (user: string, password: string): string =>
  `Basic ${Buffer.from(`${user}:${password}`).toString('base64')}`;
/** Authenticates by a header. */
export const as = (access: OpenAccess, authorization: string | undefined, remoteAddress = '192.0.2.1') =>
  access.authenticate({ authorization, remoteAddress });

/** Calls the token endpoint. */
export async function token(
  access: OpenAccess,
  query: string,
  authorization?: string,
): Promise<{ token: string; refresh_token?: string }> {
  const answers: unknown[] = [];
  const exchange = {
    query: new URLSearchParams(query),
    request: { headers: { authorization } },
    response: { setHeader: () => {} },
    address: '192.0.2.1',
    body: async () => Buffer.from(query),
    json: (_: number, body: unknown) => answers.push(body),
  };
  const method = query.includes('grant_type') ? 'POST' : 'GET';
  await access.routes.find((route) => route.method === method)?.handle(exchange as never);
  return answers[0] as { token: string };
}
