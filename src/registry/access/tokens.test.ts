// A token allows what it was issued for, until it expires, and no forged one is accepted.

import assert from 'node:assert/strict';
import { createHmac, generateKeyPairSync } from 'node:crypto';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { SignJWT } from 'jose';
import type { TokenConfig } from '../config/types.ts';
import { htpasswdLine } from './index.ts';
import { as, basic, clock, folder, OWN, open, token } from './test-support.ts';

test('an admin administers by token as well, with the scope for it and only so', async () => {
  const access = open({ token: OWN, admins: ['ann'], anonymous: 'pull' });
  const bearer = async (scope: string, header: string) =>
    (await as(access, `Bearer ${(await token(access, `service=svc&scope=${scope}`, header)).token}`)).isAdmin;
  assert.equal(await bearer('registry:admin:*', basic('ann', 'right')), true);
  assert.equal(await bearer('registry:admin:*', basic('bob', 'bobs')), false);
  assert.equal(await bearer('registry:catalog:*', basic('ann', 'right')), false);
  const { refresh_token: refresh = '' } = await token(access, 'offline_token=true', basic('ann', 'right'));
  const again = await token(access, `grant_type=refresh_token&scope=registry:admin:*&refresh_token=${refresh}`);
  assert.equal((await as(access, `Bearer ${again.token}`)).isAdmin, true);
});

test('a token opens what was asked for and may be had, and nothing else', async () => {
  const access = open({ token: OWN, rights: [{ repositories: ['a'], subjects: ['ann'], actions: ['pull'] }] });
  const { token: text } = await token(
    access,
    'service=svc&scope=repository:a:pull,push&scope=repository:b:pull',
    basic('ann', 'right'),
  );
  const grant = await as(access, `Bearer ${text}`);
  assert.deepEqual(
    [grant.may('pull', 'a'), grant.may('push', 'a'), grant.may('pull', 'b'), grant.isAdmin],
    [true, false, false, false],
  );
  await assert.rejects(token(access, 'scope=repository:a:pull', basic('ann', 'wrong')));
  await assert.rejects(token(access, 'scope=repository:a:pull'), /authentication required/);
  clock.nowMs += 400_000;
  await assert.rejects(as(access, `Bearer ${text}`), /authentication required/, 'expired');
});

test('a token for the list shows what its bearer may pull without one', async () => {
  const rights = [
    { repositories: ['team/*'], subjects: ['ann'], actions: ['pull' as const] },
    { repositories: ['public'], subjects: ['anonymous'], actions: ['pull' as const] },
  ];
  const access = open({ token: OWN, rights, admins: ['root'] });
  const seen = async (scope: string, authorization?: string) => {
    const grant = await as(access, `Bearer ${(await token(access, `scope=${scope}`, authorization)).token}`);
    return [grant.mayList, grant.could('pull', 'team/a'), grant.could('pull', 'public'), grant.may('pull', 'team/a')];
  };
  assert.deepEqual(await seen('registry:catalog:*', basic('ann', 'right')), [true, true, false, false]);
  assert.deepEqual(await seen('registry:catalog:*', basic('bob', 'bobs')), [true, false, false, false]);
  assert.deepEqual(await seen('registry:catalog:*'), [true, false, true, false]);
  assert.equal((await seen('repository:team/a:pull', basic('ann', 'right')))[0], false);
});

test('tokens that we did not sign, or not so, are refused', async () => {
  const access = open({ token: OWN });
  const { token: good } = await token(access, 'scope=repository:a:pull,push', basic('ann', 'right'));
  const [head = '', body = '', signature = ''] = good.split('.');
  const encode = (value: object): string => Buffer.from(JSON.stringify(value)).toString('base64url');
  const claims = JSON.parse(Buffer.from(body, 'base64url').toString()) as Record<string, unknown>;
  const { privateKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' });
  const make = (more: object): Promise<string> =>
    new SignJWT({ ...claims, ...more }).setProtectedHeader({ alg: 'ES256' }).sign(privateKey);
  const hmac = `${encode({ alg: 'HS256' })}.${body}`;
  const forged = [
    `${encode({ alg: 'none' })}.${body}.`,
    `${hmac}.${createHmac('sha256', 'public').update(hmac).digest('base64url')}`,
    `${head}.${encode({ ...claims, access: [{ type: 'repository', name: 'b', actions: ['push'] }] })}.${signature}`,
    await make({}),
    `${head}.${body}`,
    'x',
    'x'.repeat(20_000),
  ];
  for (const text of forged)
    await assert.rejects(as(access, `Bearer ${text}`), /authentication required/, text.slice(0, 60));
  await as(access, `Bearer ${good}`);
});

test('tokens of another service are believed by its key, audience, issuer and times', async () => {
  const { publicKey, privateKey } = generateKeyPairSync('rsa', { modulusLength: 2048 });
  const pem = join(folder, 'service.pem');
  const unused = generateKeyPairSync('ec', { namedCurve: 'P-256' }).publicKey;
  writeFileSync(
    pem,
    `${unused.export({ type: 'spki', format: 'pem' })}${publicKey.export({ type: 'spki', format: 'pem' })}`,
  );
  const external: TokenConfig = {
    kind: 'external',
    realm: 'https://auth.test/token',
    service: 'svc',
    issuer: 'them',
    keyFile: pem,
    lifetimeSeconds: 60,
  };
  const access = open({ token: external, htpasswdFile: undefined });
  const seconds = Math.floor(clock.nowMs / 1000);
  const make = (more: object): Promise<string> =>
    new SignJWT({
      iss: 'them',
      aud: 'svc',
      sub: 'eve',
      exp: seconds + 60,
      access: [{ type: 'repository', name: 'a', actions: ['pull'] }],
      ...more,
    })
      .setProtectedHeader({ alg: 'RS256' })
      .sign(privateKey);
  assert.equal((await as(access, `Bearer ${await make({})}`)).may('pull', 'a'), true);
  const lists = await as(
    access,
    `Bearer ${await make({ access: [{ type: 'registry', name: 'catalog', actions: ['*'] }] })}`,
  );
  assert.deepEqual(
    [lists.mayList, lists.may('pull', 'b'), lists.could('pull', 'b'), lists.could('push', 'b')],
    [true, false, true, false],
  );
  for (const wrong of [
    { aud: 'other' },
    { iss: 'us' },
    { exp: seconds - 100 },
    { nbf: seconds + 100 },
    { exp: undefined },
  ]) {
    await assert.rejects(as(access, `Bearer ${await make(wrong)}`), /authentication required/, JSON.stringify(wrong));
  }
  assert.equal((await as(access, `Bearer ${await make({ access: 'all' })}`)).may('pull', 'a'), false);
  assert.match(
    access.challenge('repository:a:pull', 'http://x', { isInsufficient: true }),
    /^Bearer realm="https:\/\/auth.test\/token",service="svc",scope="repository:a:pull",error="insufficient_scope"$/,
  );
});

test('a refresh token lasts until the password changes or is taken back', async () => {
  const own = join(folder, 'refresh');
  writeFileSync(own, `${await htpasswdLine('ann', 'first')}\n`);
  const access = open({ token: OWN, htpasswdFile: own });
  const { refresh_token: refresh = '' } = await token(
    access,
    'offline_token=true&scope=repository:a:pull',
    basic('ann', 'first'),
  );
  const again = await token(
    access,
    `grant_type=refresh_token&service=svc&scope=repository:a:pull&refresh_token=${refresh}`,
  );
  assert.equal((await as(access, `Bearer ${again.token}`)).may('pull', 'a'), true);
  await access.accounts.setUser('ann', 'second');
  await assert.rejects(token(access, `grant_type=refresh_token&refresh_token=${refresh}`), /authentication required/);
  await assert.rejects(token(access, 'grant_type=refresh_token&refresh_token=nonsense'), /authentication required/);
});
