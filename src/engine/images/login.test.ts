// Checks `docker login` and `docker search`: which registry is asked, and what a refusal is called.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { isGantryError } from '../../lib/errors.ts';
import { RegistryClient, RegistryError } from '../../remote/index.ts';
import { type FakeRegistry, type Misbehave, openFakeRegistry } from '../../remote/testing/fake-registry.ts';
import { loginToRegistry } from './login.ts';
import { searchImages } from './search.ts';
import { NEVER } from './testing/made-images.ts';

interface Asked extends AsyncDisposable {
  readonly registry: FakeRegistry;
  readonly client: RegistryClient;
  login(serverAddress?: string): Promise<{ readonly status: string; readonly identityToken: string }>;
}

async function registryThat(answer: Misbehave): Promise<Asked> {
  const registry = await openFakeRegistry();
  registry.misbehave = answer;
  const options = { mirrors: [`http://${registry.host}`], insecure: [], maxConcurrentDownloads: 1 };
  const client = new RegistryClient(options, { userAgent: 'x', timeouts: { answerMs: 5_000, stallMs: 5_000 } });
  return {
    registry,
    client,
    login: (serverAddress = registry.host) =>
      loginToRegistry(client, { username: 'me', password: 'p', serverAddress }, NEVER),
    async [Symbol.asyncDispose]() {
      client[Symbol.dispose]();
      await registry[Symbol.asyncDispose]();
    },
  };
}

const unauthorized =
  (challenge: (host: string) => string): Misbehave =>
  (_request, response, registry) => {
    response.writeHead(401, { 'WWW-Authenticate': challenge(registry.host) });
    response.end(JSON.stringify({ details: 'incorrect username or password' }));
    return true;
  };

const refused = (kind: 'system' | 'unauthorized', words: RegExp) => (error: unknown) =>
  isGantryError(error, kind) && error.code === 'UNAUTHORIZED' && words.test(error.message);

test('a login at a registry that asks for nothing succeeds, in each form of its address', async () => {
  await using asked = await registryThat(() => false);
  const { host } = asked.registry;
  for (const address of [host, `http://${host}`, `https://${host}/v1/`, `${host}/v2/`]) {
    assert.deepEqual(await asked.login(address), { status: 'Login Succeeded', identityToken: '' });
  }
});

test('a wrong password at a token server is 401, at a registry with Basic 500: so does Docker', async () => {
  await using byToken = await registryThat(unauthorized((host) => `Bearer realm="http://${host}/token"`));
  await assert.rejects(byToken.login(), refused('unauthorized', /incorrect username or password/));
  await using byBasic = await registryThat(unauthorized(() => 'Basic'));
  await assert.rejects(byBasic.login(), refused('system', /^login attempt to http/));
});

/** Tries a login at a client of these endpoints; gives where it was tried. `failing` says with which status each fails. */
async function triedAt(failing: Readonly<Record<string, number>>): Promise<string[]> {
  const tried: string[] = [];
  const client = {
    endpoints: () => ['m', ...Object.keys(failing)].map((base) => ({ base, insecure: true, mirror: base === 'm' })),
    async login({ endpoint: { base } }: { readonly endpoint: { readonly base: string } }) {
      tried.push(base);
      throw new RegistryError('no', { status: failing[base] ?? 0 });
    },
  };
  await assert.rejects(loginToRegistry(client as unknown as RegistryClient, {}, NEVER), isGantryError);
  return tried;
}

test('a refusal is an answer: the password is not tried elsewhere, least of all over plain HTTP', async () => {
  assert.deepEqual(await triedAt({ https: 401, http: 401 }), ['https']);
  assert.deepEqual(await triedAt({ https: 0, http: 401 }), ['https', 'http']);
});

test('a mirror is never shown a password', async () => assert.ok(!(await triedAt({ https: 0 })).includes('m')));

test('a registry that is not there is named', async () => {
  await using asked = await registryThat(() => false);
  const isFailed = (error: unknown): boolean =>
    isGantryError(error, 'system') && error.code === 'REGISTRY_FAILED' && /connection refused/.test(error.message);
  await assert.rejects(asked.login('127.0.0.1:1'), isFailed);
});

test('a login that is called off says so', async () => {
  await using asked = await registryThat(() => true);
  const credentials = { serverAddress: asked.registry.host };
  const work = loginToRegistry(asked.client, credentials, AbortSignal.timeout(50));
  await assert.rejects(work, (error) => isGantryError(error, 'cancelled'));
});

test('a search tells what a registry finds, its refusal as the host’s failure, and a bad term as the user’s', async () => {
  let status = 200;
  await using asked = await registryThat((request, response) => {
    const results = [{ name: 'nginx', star_count: 3, is_official: true }];
    if (request.url?.includes('/search')) response.writeHead(status).end(JSON.stringify({ results }));
    else response.end();
    return true;
  });
  const search = (term: string) => searchImages(asked.client, { term, limit: 5, credentials: {} }, NEVER);
  const term = `${asked.registry.host}/nginx`;
  assert.deepEqual(await search(term), [{ name: 'nginx', description: '', stars: 3, official: true }]);
  status = 503;
  const isFailed = (error: unknown): boolean => isGantryError(error, 'system') && error.code === 'REGISTRY_FAILED';
  await assert.rejects(search(term), isFailed);
  await assert.rejects(search('http://x/y'), (error) => isGantryError(error, 'invalid') && error.code === 'BAD_TERM');
});
