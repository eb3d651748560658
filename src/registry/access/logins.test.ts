// The right password is let in, guessing is slow, and changes to the file of users count at once.

import assert from 'node:assert/strict';
import { lstatSync, readFileSync, statSync, symlinkSync, utimesSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { LoginThrottle } from './guessing.ts';
import { htpasswdLine } from './index.ts';
import { as, basic, clock, folder, open } from './test-support.ts';

/** How long `act` took, ms. */
async function timed(act: () => Promise<unknown>): Promise<number> {
  const began = performance.now();
  await act();
  return performance.now() - began;
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
  utimesSync(own, clock.nowMs / 1000 + 5, clock.nowMs / 1000 + 5);
  clock.nowMs += 2000;
  await assert.rejects(as(access, basic('ann', 'first')));
  await as(access, basic('ann', 'second'));
});

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
    () => clock.nowMs,
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
    () => clock.nowMs,
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
