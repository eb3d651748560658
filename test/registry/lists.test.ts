// Lists and searches show what the asker may pull, to whoever they are and however they log in.

import assert from 'node:assert/strict';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { htpasswdLine } from '../../src/registry/access/index.ts';
import { scratch, startRegistry, type TestRegistry } from './support/registry.ts';

const folder = scratch();
const htpasswdFile = join(folder.path, 'htpasswd');
const ROOT = `Basic ${Buffer.from('root:secret').toString('base64')}`;
const ANN = `Basic ${Buffer.from('ann:secret').toString('base64')}`;
let registry: TestRegistry;

before(async () => {
  writeFileSync(htpasswdFile, `${await htpasswdLine('root', 'secret')}\n${await htpasswdLine('ann', 'secret')}\n`);
  registry = await startRegistry({
    access: {
      anonymous: 'none',
      realm: 'x',
      htpasswdFile,
      admins: ['root'],
      rights: [
        { repositories: ['team/**', 'public/*'], subjects: ['ann'], actions: ['pull'] },
        { repositories: ['public/*'], subjects: ['anonymous'], actions: ['pull'] },
      ],
      token: { kind: 'own', service: 'svc', issuer: 'iss', lifetimeSeconds: 300 },
    },
  });
  registry.headers = { authorization: ROOT };
  for (const name of ['public/web', 'secret/web', 'team/web'])
    await registry.pushImage(name, 'v1', { labels: { 'org.opencontainers.image.description': `about ${name}` } });
  registry.headers = {};
});
after(async () => {
  await registry[Symbol.asyncDispose]();
  folder[Symbol.dispose]();
});

/** Asks as clients do: with what they have, and for a token where that is not enough. */
async function ask(path: string, authorization: string | undefined, isByToken: boolean): Promise<unknown> {
  const headers = (value: string | undefined): Record<string, string> => (value ? { authorization: value } : {});
  if (!isByToken) return (await registry.call('GET', path, { headers: headers(authorization) })).json();
  const scope = new URLSearchParams({ service: 'svc', scope: 'registry:catalog:*' });
  const answer = await registry.call('GET', `/v2/_gantry/token?${scope}`, { headers: headers(authorization) });
  const { token } = (await answer.json()) as { token: string };
  return (await registry.call('GET', path, { headers: { authorization: `Bearer ${token}` } })).json();
}

const namesIn: Readonly<Record<string, (answer: never) => readonly string[]>> = {
  '/v2/_catalog': ({ repositories }: { repositories: string[] }) => repositories,
  '/v1/search?q=web': ({ results }: { results: { name: string }[] }) => results.map(({ name }) => name),
  '/v2/_gantry/search?q=web': ({ results }: { results: { repository: string }[] }) =>
    results.map(({ repository }) => repository),
  '/v2/_gantry/repositories': ({ repositories }: { repositories: { name: string }[] }) =>
    repositories.map(({ name }) => name),
};

const SENDERS = [
  ['an admin', ROOT, ['public/web', 'secret/web', 'team/web']],
  ['a user', ANN, ['public/web', 'team/web']],
  ['nobody in particular', undefined, ['public/web']],
] as const;

for (const [path, names] of Object.entries(namesIn)) {
  for (const [who, authorization, expected] of SENDERS) {
    test(`${path} shows ${who} what they may pull, by password and by token`, async () => {
      for (const isByToken of [false, true]) {
        const answer = (await ask(path, authorization, isByToken)) as never;
        assert.deepEqual([...names(answer)].sort(), expected, isByToken ? 'by token' : 'by password');
      }
    });
  }
}

test('docker search gets its fields', async () => {
  const answer = await ask('/v1/search?q=team&n=25', ROOT, false);
  assert.deepEqual(answer, {
    num_results: 1,
    num_pages: 1,
    page: 1,
    page_size: 25,
    query: 'team',
    results: [
      {
        name: 'team/web',
        description: 'about team/web',
        star_count: 0,
        is_official: false,
        is_automated: false,
        is_trusted: false,
      },
    ],
  });
});

test('where strangers may nothing, lists ask who comes', async () => {
  await using closed = await startRegistry({
    access: { anonymous: 'none', realm: 'x', htpasswdFile, rights: [], admins: [] },
  });
  for (const path of Object.keys(namesIn)) assert.equal((await closed.call('GET', path)).status, 401, path);
});
