// Everyone may do what the rules allow, and no more: users, robots, and clients without credentials.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { AccessConfig } from '../config/types.ts';
import { cutDown, parseScopes, userGrant } from './rights.ts';
import { as, basic, clock, config, OWN, open } from './test-support.ts';

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

test('a robot does what it was made for until its end', async () => {
  const access = open({ token: OWN });
  const { robot, secret } = access.accounts.robots.create({
    name: 'ci',
    repositories: ['team/*'],
    actions: ['push'],
    expiresAtMs: clock.nowMs + 1000,
  });
  assert.equal(robot.name, 'robot$ci');
  const grant = await as(access, basic('robot$ci', secret));
  assert.deepEqual(
    [grant.may('push', 'team/a'), grant.may('pull', 'team/a'), grant.may('push', 'other'), grant.isAdmin],
    [true, false, false, false],
  );
  await assert.rejects(as(access, basic('robot$ci', `${secret}x`)), /authentication required/);
  clock.nowMs += 2000;
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
