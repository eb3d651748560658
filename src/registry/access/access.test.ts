// Nobody gets in who should not, whoever should gets in, and guessing is slow.

import assert from 'node:assert/strict';
import { createHmac, generateKeyPairSync } from 'node:crypto';
import {
  lstatSync,
  mkdtempSync,
  readFileSync,
  rmSync,
  statSync,
  symlinkSync,
  utimesSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, test } from 'node:test';
import { SignJWT } from 'jose';
import { openDatabase } from '../../store/database.ts';
import type { AccessConfig, TokenConfig } from '../config/types.ts';
import { LoginThrottle } from './guessing.ts';
import { htpasswdLine, type OpenAccess, openAccess } from './index.ts';
import { cutDown, parseScopes, userGrant } from './rights.ts';

const folder = mkdtempSync(join(tmpdir(), 'gantry-test-access-'));
after(() => rmSync(folder, { recursive: true }));
const file = join(folder, 'htpasswd');
writeFileSync(file, `${await htpasswdLine('ann', 'right')}\n${await htpasswdLine('bob', 'bobs')}\nold:{SHA}x\n`);
const OWN: TokenConfig = { kind: 'own', service: 'svc', issuer: 'iss', lifetimeSeconds: 300 };
const config = (more: Partial<AccessConfig> = {}): AccessConfig => ({
  anonymous: 'none',
  htpasswdFile: file,
  realm: 'r',
  rights: [],
  admins: [],
  ...more,
});
let nowMs = 1_800_000_000_000;
const open = (more: Partial<AccessConfig> = {}, database = openDatabase(':memory:')): OpenAccess =>
  openAccess({ config: config(more), database, log: () => {}, now: () => nowMs });
const basic = (user: string, password: string): string =>
  `Basic ${Buffer.from(`${user}:${password}`).toString('base64')}`;
const as = (access: OpenAccess, authorization: string | undefined, remoteAddress = '192.0.2.1') =>
  access.authenticate({ authorization, remoteAddress });

/** Calls the token endpoint. */
async function token(
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

test('the right password is let in, everything else is not', async () => {
  const access = open();
  assert.deepEqual((await as(access, basic('ann', 'right'))).actor, { name: 'ann', kind: 'user' });
  for (const header of [
    basic('ann', 'wrong'),
    basic('nobody', 'right'),
    basic('old', 'x'),
    'Basic !!',
    'Basic',
    'Digest x',
    'Bearer x',
    basic('ann', ''),
  ]) {
    await assert.rejects(as(access, header, '192.0.2.99'), /authentication required|too many/, header);
  }
});

test('a changed file counts at once, also against what was right a moment ago', async () => {
  const own = join(folder, 'changing');
  writeFileSync(own, `${await htpasswdLine('ann', 'first')}\n`);
  const access = open({ htpasswdFile: own });
  await as(access, basic('ann', 'first'));
  writeFileSync(own, `${await htpasswdLine('ann', 'second')}\n`);
  utimesSync(own, nowMs / 1000 + 5, nowMs / 1000 + 5);
  nowMs += 2000;
  await assert.rejects(as(access, basic('ann', 'first')));
  await as(access, basic('ann', 'second'));
});

/** How long `act` took, ms. */
async function timed(act: () => Promise<unknown>): Promise<number> {
  const began = performance.now();
  await act();
  return performance.now() - began;
}

test('guessing at an account gets slower, and the right password is let in when its turn comes', async () => {
  const access = open();
  for (let i = 0; i < 6; i++)
    await assert.rejects(as(access, basic('ann', `guess${i}`), '198.51.100.7'), /authentication required/);
  assert.ok((await timed(() => as(access, basic('ann', 'right'), '198.51.100.7'))) > 900, 'it waits for its turn');
  assert.ok((await timed(() => as(access, basic('ann', 'right'), '198.51.100.7'))) < 900, 'and then for none');
  for (let i = 0; i < 6; i++) await assert.rejects(as(access, basic('ann', `x${i}`), `2001:db8:1:2:${i}::1`));
  assert.ok(
    (await timed(() => as(access, basic('ann', 'right'), '2001:db8:1:2:ffff::9'))) > 900,
    'one /64 is one guesser',
  );
});

test('who guesses without a pause is told when to come back', async () => {
  const pauses: number[] = [];
  const guessing = new LoginThrottle(
    () => nowMs,
    async (ms) => pauses.push(ms),
  );
  for (let i = 0; i < 8; i++) guessing.failed('ann', '198.51.100.8');
  for (let i = 0; i < 3; i++) await guessing.turn('ann', '198.51.100.8', true);
  assert.deepEqual(pauses, [4000, 8000, 12_000]);
  await assert.rejects(guessing.turn('ann', '198.51.100.8', true), {
    code: 'TOOMANYREQUESTS',
    params: { retryAfterSeconds: 16 },
  });
  await guessing.turn('bob', '198.51.100.8', true);
  await guessing.turn('ann', '198.51.100.9', true);
  assert.equal(pauses.length, 3);
});

test('a stale client, however often it comes, locks nobody out, nor do those who guess at another account', async () => {
  const access = open();
  for (let i = 0; i < 50; i++) await assert.rejects(as(access, basic('ann', 'last year'), '203.0.113.5'));
  for (let i = 0; i < 6; i++) await assert.rejects(as(access, basic('eve', `guess${i}`), '203.0.113.5'));
  const tookMs = await timed(async () => {
    await as(access, basic('ann', 'right'), '203.0.113.5');
    await as(access, basic('bob', 'bobs'), '203.0.113.5');
  });
  assert.ok(tookMs < 900, `${tookMs} ms`);
  for (let i = 0; i < 50; i++) await as(access, basic('bob', 'bobs'), '203.0.113.5');
});

test('one password tried on everybody is slowed too, for those who are not known there', async () => {
  const pauses: number[] = [];
  const guessing = new LoginThrottle(
    () => nowMs,
    async (ms) => pauses.push(ms),
  );
  for (let i = 0; i < 102; i++) guessing.failed(`user${i}`, '203.0.113.6');
  await guessing.turn('carl', '203.0.113.6', false);
  await guessing.turn('ann', '203.0.113.6', true);
  await guessing.turn('carl', '203.0.113.7', false);
  assert.deepEqual(pauses, [500]);
});

test('users are added, changed and removed, and every other byte of the file stays', async () => {
  const own = join(folder, 'kept');
  const ann = await htpasswdLine('ann', 'first');
  const [head, tail] = [
    '# who may push\r\nold:{SHA}qUqP5cyxm6YcTAhz05Hph5gvu9M=\n\n  \n',
    '#ann:x\nmd5:$apr1$x$y\nb\xff\xfe:z',
  ];
  const link = join(folder, 'kept-link');
  symlinkSync(own, link);
  writeFileSync(own, Buffer.from(`${head}${ann}\r\n${tail}`, 'latin1'), { mode: 0o640 });
  const text = (): string => readFileSync(own, 'latin1');
  const access = open({ htpasswdFile: link });
  await access.accounts.setUser('ann', 'second');
  const changed = text();
  assert.ok(changed.startsWith(head) && changed.endsWith(`\r\n${tail}`), JSON.stringify(changed));
  assert.equal(changed.slice(head.length, -tail.length).trimEnd().replace(/:.*/s, ''), 'ann');
  await as(access, basic('ann', 'second'));
  await access.accounts.setUser('bøb', 'new');
  assert.ok(text().startsWith(`${changed}\n`) && text().endsWith('\n'));
  await as(access, basic('bøb', 'new'));
  access.accounts.removeUser('bøb');
  access.accounts.removeUser('ann');
  assert.equal(text(), `${head}${tail}\n`);
  assert.equal(statSync(own).mode & 0o777, 0o640);
  assert.ok(lstatSync(link).isSymbolicLink());
});

test('of a user who stands there twice one line is left, and the change holds for every reader', async () => {
  const own = join(folder, 'twice');
  writeFileSync(own, `${await htpasswdLine('ann', 'one')}\nx:{SHA}y\n${await htpasswdLine('ann', 'two')}\n`);
  const access = open({ htpasswdFile: own });
  await access.accounts.setUser('ann', 'three');
  assert.deepEqual(
    readFileSync(own, 'utf8')
      .split('\n')
      .map((line) => line.split(':')[0]),
    ['ann', 'x', ''],
  );
  await as(access, basic('ann', 'three'));
});

test('without accounts, credentials that a client happens to have are no matter, but those of a robot are', async () => {
  const access = open({ htpasswdFile: undefined, anonymous: 'push' });
  for (const header of [basic('ann', 'x'), 'Bearer junk', 'Basic !!', 'Negotiate x'])
    for (let i = 0; i < 10; i++) assert.equal((await as(access, header)).may('push', 'a'), true, header);
  const { secret } = access.accounts.robots.create({ name: 'ci', repositories: ['a'], actions: ['pull'] });
  assert.equal((await as(access, basic('robot$ci', secret))).may('push', 'a'), false);
  assert.equal((await as(access, basic('robot$ci', 'wrong'))).may('push', 'a'), true);
});

test('who is named administers; without names nobody does, least of all strangers beside accounts', async () => {
  const isAdmin = async (more: Partial<AccessConfig>, header?: string) => (await as(open(more), header)).isAdmin;
  assert.equal(await isAdmin({}, basic('ann', 'right')), false);
  assert.equal(await isAdmin({ admins: ['bob'] }, basic('ann', 'right')), false);
  assert.equal(await isAdmin({ admins: ['ann'] }, basic('ann', 'right')), true);
  assert.equal(await isAdmin({ anonymous: 'push' }), false);
  assert.equal(await isAdmin({ anonymous: 'push', htpasswdFile: undefined }), true);
});

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

test('what rules say is what one may, no more', () => {
  const rules = config({
    rights: [
      { repositories: ['team/**'], subjects: ['ann'], actions: ['pull', 'push'] },
      { repositories: ['public/*'], subjects: ['*'], actions: ['pull'] },
    ],
    admins: ['root'],
  });
  const may = (name: string, action: 'pull' | 'push' | 'delete', repository: string) =>
    userGrant(rules, name).may(action, repository);
  assert.deepEqual(
    [
      may('ann', 'push', 'team/a/b'),
      may('ann', 'delete', 'team/a'),
      may('ann', 'push', 'teams'),
      may('bob', 'pull', 'team/a'),
    ],
    [true, false, false, false],
  );
  assert.deepEqual(
    [may('bob', 'pull', 'public/x'), may('bob', 'pull', 'public/x/y'), may('root', 'delete', 'any')],
    [true, false, true],
  );
});

test('strangers may what the configuration says', async () => {
  const may = async (anonymous: AccessConfig['anonymous']) => {
    const grant = await as(open({ anonymous, htpasswdFile: undefined }), undefined);
    return [grant.may('pull', 'a'), grant.may('push', 'a'), grant.isAdmin, grant.mayList];
  };
  assert.deepEqual(await may('none'), [false, false, false, false]);
  assert.deepEqual(await may('pull'), [true, false, false, true]);
  assert.deepEqual(await may('push'), [true, true, true, true]);
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
  nowMs += 400_000;
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
  const seconds = Math.floor(nowMs / 1000);
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

test('a robot does what it was made for until its end', async () => {
  const access = open({ token: OWN });
  const { robot, secret } = access.accounts.robots.create({
    name: 'ci',
    repositories: ['team/*'],
    actions: ['push'],
    expiresAtMs: nowMs + 1000,
  });
  assert.equal(robot.name, 'robot$ci');
  const grant = await as(access, basic('robot$ci', secret));
  assert.deepEqual(
    [grant.may('push', 'team/a'), grant.may('pull', 'team/a'), grant.may('push', 'other'), grant.isAdmin],
    [true, false, false, false],
  );
  await assert.rejects(as(access, basic('robot$ci', `${secret}x`)), /authentication required/);
  nowMs += 2000;
  await assert.rejects(as(access, basic('robot$ci', secret)), /authentication required/);
  access.accounts.robots.remove('ci');
  assert.throws(() => access.accounts.robots.remove('ci'), /no robot/);
  assert.throws(
    () => access.accounts.robots.create({ name: 'Bad Name', repositories: ['a'], actions: ['pull'] }),
    /of the form/,
  );
});

test('names cannot smuggle anything into the challenge', () => {
  const header = open({ realm: 'a"b\r\nX: y' }).challenge(undefined, '', { isInsufficient: false });
  assert.equal(header, 'Basic realm="abX: y"');
});

test('scopes are read as Docker writes them', () => {
  assert.deepEqual(parseScopes(['repository:host:5000/a/b:pull,push registry:catalog:*', 'x', 'repository:a']), [
    { type: 'repository', name: 'host:5000/a/b', actions: ['pull', 'push'] },
    { type: 'registry', name: 'catalog', actions: ['*'] },
  ]);
  const grant = userGrant(config(), 'ann');
  assert.deepEqual(cutDown(parseScopes(['repository:a:*']), grant), [
    { type: 'repository', name: 'a', actions: ['pull', 'push', 'delete'] },
  ]);
});
