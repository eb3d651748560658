// Pulling from registries that behave: progress as Docker tells it, names, platforms, authentication.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { RegistryCredentials } from '../../src/engine/images/index.ts';
import { isGantryError } from '../../src/lib/errors.ts';
import { type FakeRegistry, fail, type Misbehave, openFakeRegistry } from '../../src/remote/testing/fake-registry.ts';
import { digestOf } from '../../src/store/blobs.ts';
import { DOCKER_MANIFEST, imageOf, layerOf, NEVER, openWorkbench, tarOf, type Workbench } from './support.ts';

const BASE = layerOf(tarOf({ name: 'base', data: 'b'.repeat(300_000) }));
const TOP = layerOf(tarOf({ name: 'top', data: 'top' }), 'zstd');
const PLAIN = layerOf(tarOf({ name: 'plain', data: 'plain' }), 'none');
const IMAGE = imageOf([BASE, TOP, PLAIN]);

const short = (digest: string): string => digest.slice(7, 19);

function pull(bench: Workbench, reference: string, credentials?: RegistryCredentials) {
  return bench.images.pull({ reference, credentials }, bench.report, NEVER);
}

/** The lines without counts, each layer's own lines together. */
function phases(bench: Workbench, id?: string): string[] {
  return bench.progress.filter((line) => line.id === id && line.current === undefined).map(({ status }) => status);
}

test('a pull tells what Docker tells, and the image is there', async () => {
  await using registry = await openFakeRegistry();
  await using bench = openWorkbench();
  registry.push('a/demo', '1', IMAGE);
  const name = `${registry.host}/a/demo`;
  const record = await pull(bench, `${name}:1`);
  assert.equal(record.id, IMAGE.id);
  assert.deepEqual(record.repoTags, [`${name}:1`]);
  assert.deepEqual(record.repoDigests, [`${name}@${IMAGE.manifestDigest}`]);
  assert.deepEqual(bench.progress[0], { id: '1', status: 'Pulling from a/demo' });
  for (const layer of IMAGE.layers) {
    const id = short(layer.blobDigest);
    assert.deepEqual(phases(bench, id), [
      'Pulling fs layer',
      'Verifying Checksum',
      'Download complete',
      'Pull complete',
    ]);
    const counted = bench.progress.filter((line) => line.id === id && line.current !== undefined);
    assert.deepEqual([...new Set(counted.map(({ status }) => status))], ['Downloading', 'Extracting']);
    assert.ok(counted.every(({ total }) => total === layer.blob.length));
    assert.equal(counted.at(-1)?.current, layer.blob.length);
  }
  assert.deepEqual(phases(bench), [`Digest: ${IMAGE.manifestDigest}`, `Status: Downloaded newer image for ${name}:1`]);
  assert.deepEqual(
    bench.events.map(({ action, actorId, attributes }) => [action, actorId, attributes.name, attributes.l]),
    [['pull', `${name}:1`, name, '1']],
  );
  await using lease = await bench.images.lease(record.id);
  assert.equal(lease.lowerDirs.length, 3);
});

test('a second pull is up to date, and layers that are there are not fetched', async () => {
  await using registry = await openFakeRegistry();
  await using bench = openWorkbench();
  registry.push('demo', '1', IMAGE);
  registry.push('demo', '2', imageOf([BASE, layerOf(tarOf({ name: 'new', data: 'n' }))]));
  await pull(bench, `${registry.host}/demo:1`);
  registry.seen.length = 0;
  bench.progress.length = 0;
  await pull(bench, `${registry.host}/demo:1`);
  assert.equal(phases(bench).at(-1), `Status: Image is up to date for ${registry.host}/demo:1`);
  assert.ok(registry.seen.every(({ url }) => !url.includes('/blobs/')));
  await pull(bench, `${registry.host}/demo:2`);
  assert.deepEqual(phases(bench, short(BASE.blobDigest)), ['Already exists']);
  assert.ok(registry.seen.every(({ url }) => !url.endsWith(BASE.blobDigest)));
});

test('the same image pulled at once from several sides is fetched once', async () => {
  await using registry = await openFakeRegistry();
  await using bench = openWorkbench();
  registry.push('demo', '1', IMAGE);
  await Promise.all([1, 2, 3].map(() => pull(bench, `${registry.host}/demo:1`)));
  const fetched = registry.seen.filter(({ url }) => url.endsWith(BASE.blobDigest));
  assert.equal(fetched.length, 1);
  assert.equal(bench.leftovers().filter((name) => /layers\/\d+$/.test(name)).length, 3);
});

test('by digest only the digest is named, and the bytes must have it', async () => {
  await using registry = await openFakeRegistry();
  await using bench = openWorkbench();
  registry.push('demo', '1', IMAGE);
  const record = await pull(bench, `${registry.host}/demo@${IMAGE.manifestDigest}`);
  assert.deepEqual(record.repoTags, []);
  assert.deepEqual(record.repoDigests, [`${registry.host}/demo@${IMAGE.manifestDigest}`]);
  assert.equal(bench.progress[0]?.id, `${registry.host}/demo@${IMAGE.manifestDigest}`);
  assert.equal(bench.images.get(`${registry.host}/demo@${IMAGE.manifestDigest}`).id, IMAGE.id);
  const other = digestOf(Buffer.from('other'));
  registry.pushManifest('demo', other, IMAGE.manifest, DOCKER_MANIFEST);
  await assert.rejects(pull(bench, `${registry.host}/demo@${other}`), /manifest verification failed for digest/);
});

test('an index gives the platform asked for, and says when there is none', async () => {
  await using registry = await openFakeRegistry();
  await using bench = openWorkbench();
  const arm = imageOf([TOP], { architecture: 'arm64', variant: 'v8' });
  const riscv = imageOf([PLAIN], { architecture: 'riscv64' });
  const index = Buffer.from(
    JSON.stringify({
      schemaVersion: 2,
      mediaType: 'application/vnd.docker.distribution.manifest.list.v2+json',
      manifests: [
        {
          mediaType: DOCKER_MANIFEST,
          digest: arm.manifestDigest,
          size: arm.manifest.length,
          platform: { os: 'linux', architecture: 'arm64', variant: 'v8' },
        },
        {
          mediaType: DOCKER_MANIFEST,
          digest: riscv.manifestDigest,
          size: riscv.manifest.length,
          platform: { os: 'linux', architecture: 'riscv64' },
        },
      ],
    }),
  );
  registry.push('multi', 'arm', arm);
  registry.push('multi', 'riscv', riscv);
  registry.pushManifest('multi', '1', index, 'application/vnd.docker.distribution.manifest.list.v2+json');
  const reference = `${registry.host}/multi:1`;
  const platform = { os: 'linux', architecture: 'arm64' };
  const record = await bench.images.pull({ reference, platform }, bench.report, NEVER);
  assert.equal(record.id, arm.id);
  assert.deepEqual(record.repoDigests, [`${registry.host}/multi@${digestOf(index)}`]);
  assert.ok(bench.images.matches(record, platform));
  await assert.rejects(
    bench.images.pull({ reference, platform: { os: 'linux', architecture: 's390x' } }, bench.report, NEVER),
    (error: unknown) =>
      isGantryError(error, 'notFound') &&
      error.message === 'no matching manifest for linux/s390x in the manifest list entries',
  );
});

test('all tags are pulled when asked for', async () => {
  await using registry = await openFakeRegistry();
  await using bench = openWorkbench();
  registry.push('demo', '1', IMAGE);
  registry.push('demo', '2', imageOf([TOP]));
  await bench.images.pull({ reference: `${registry.host}/demo`, allTags: true }, bench.report, NEVER);
  assert.deepEqual(
    bench.images.list().flatMap(({ repoTags }) => repoTags),
    [`${registry.host}/demo:1`, `${registry.host}/demo:2`],
  );
  assert.equal(phases(bench).at(-1), `Status: Downloaded newer image for ${registry.host}/demo`);
});

test('a mirror serves docker.io, without our credentials', async () => {
  await using registry = await openFakeRegistry();
  await using bench = openWorkbench({ mirrors: [`http://${registry.host}/`] });
  registry.push('library/demo', 'latest', IMAGE);
  const record = await pull(bench, 'demo', { username: 'me', password: 'secret' });
  assert.deepEqual(record.repoTags, ['demo:latest']);
  assert.ok(registry.seen.every(({ authorization }) => authorization === undefined));
  assert.equal(bench.progress[0]?.status, 'Pulling from library/demo');
});

const REFUSALS: readonly (readonly [string, Misbehave | undefined, string, (name: string, host: string) => string])[] =
  [
    [
      'an unknown tag',
      undefined,
      'notFound',
      (name) => `manifest for ${name}:x not found: manifest unknown: manifest unknown`,
    ],
    [
      'an unknown repository',
      (_request, response) => reply(response, 404, 'NAME_UNKNOWN', 'repository name not known to registry'),
      'notFound',
      (name) => `repository ${name} not found: name unknown: repository name not known to registry`,
    ],
    [
      'a private repository',
      (_request, response) => reply(response, 403, 'DENIED', 'requested access to the resource is denied'),
      'notFound',
      (name) =>
        `pull access denied for ${name}, repository does not exist or may require 'docker login': denied: requested access to the resource is denied`,
    ],
    [
      'too many requests',
      (_request, response) => reply(response, 429, 'TOOMANYREQUESTS', 'slow down'),
      'system',
      () => 'toomanyrequests: slow down',
    ],
    [
      'a broken registry',
      (_request, response) => {
        response.writeHead(500).end('oops');
        return true;
      },
      'system',
      () => 'received unexpected HTTP status: 500 Internal Server Error',
    ],
  ];

function reply(response: Parameters<Misbehave>[1], status: number, code: string, message: string): true {
  fail(response, status, code, message);
  return true;
}

for (const [what, misbehave, kind, message] of REFUSALS) {
  test(`${what} is told in Docker's words, before any progress`, async () => {
    await using registry = await openFakeRegistry();
    await using bench = openWorkbench();
    registry.misbehave = (request, response, self) =>
      request.url !== '/v2/' && (misbehave?.(request, response, self) ?? false);
    const name = `${registry.host}/demo`;
    await assert.rejects(pull(bench, `${name}:x`), (error: unknown) => {
      assert.ok(isGantryError(error), String(error));
      assert.deepEqual([error.kind, error.message], [kind, message(name, registry.host)]);
      return true;
    });
    assert.deepEqual(bench.progress, []);
    assert.deepEqual(bench.leftovers(), []);
  });
}

test('a registry that is not there is named with what went wrong', async () => {
  await using bench = openWorkbench();
  const registry = await openFakeRegistry();
  const { host } = registry;
  await registry[Symbol.asyncDispose]();
  await assert.rejects(
    pull(bench, `${host}/demo:1`),
    new RegExp(`^GantryError: Get "http://${host}/v2/": dial tcp ${host}: connect: connection refused$`),
  );
  await assert.rejects(
    pull(bench, 'registry.invalid/demo:1'),
    /Get "https:\/\/registry\.invalid\/v2\/": dial tcp: lookup registry\.invalid: (no such host|server misbehaving)/,
  );
  await assert.rejects(pull(bench, 'Bad'), /repository name \(library\/Bad\) must be lowercase/);
});

const USER: RegistryCredentials = { username: 'me', password: 's:ecret' };
const BASIC = `Basic ${Buffer.from('me:s:ecret').toString('base64')}`;

const demandBasic: Misbehave = (request, response) => {
  if (request.headers.authorization === BASIC) return false;
  response.setHeader('WWW-Authenticate', 'Basic realm="test"');
  return reply(response, 401, 'UNAUTHORIZED', 'authentication required');
};

test('Basic credentials are shown to the registry that asks for them', async () => {
  await using registry = await openFakeRegistry();
  await using bench = openWorkbench();
  registry.push('demo', '1', IMAGE);
  registry.misbehave = demandBasic;
  await assert.rejects(pull(bench, `${registry.host}/demo:1`), /no basic auth credentials/);
  assert.equal((await pull(bench, `${registry.host}/demo:1`, USER)).id, IMAGE.id);
  const login = (credentials: RegistryCredentials) =>
    bench.images.login({ ...credentials, serverAddress: registry.host }, NEVER);
  assert.deepEqual(await login(USER), { status: 'Login Succeeded', identityToken: '' });
  await assert.rejects(login({ username: 'me', password: 'wrong' }), (error: unknown) => {
    assert.ok(isGantryError(error, 'system'));
    assert.match(error.message, /^login attempt to http:\/\/.*\/v2\/ failed with status: 401 Unauthorized$/);
    return true;
  });
});

/** A token server beside the registry; each token works for `uses` requests. */
function demandBearer(uses = Number.POSITIVE_INFINITY): Misbehave {
  let [issued, used] = [0, 0];
  return (request, response, registry) => {
    const url = new URL(request.url ?? '', `http://${registry.host}`);
    if (url.pathname === '/token') {
      if (request.headers.authorization !== undefined && request.headers.authorization !== BASIC) {
        response.writeHead(401).end(JSON.stringify({ details: 'incorrect username or password' }));
        return true;
      }
      used = 0;
      response.end(JSON.stringify({ token: `t${++issued}`, expires_in: 300 }));
      return true;
    }
    if (request.headers.authorization === `Bearer t${issued}` && url.pathname !== '/v2/' && ++used <= uses)
      return false;
    response.setHeader('WWW-Authenticate', `Bearer realm="http://${registry.host}/token",service="test registry"`);
    return reply(response, 401, 'UNAUTHORIZED', 'authentication required');
  };
}

const tokenRequests = (registry: FakeRegistry): string[] =>
  registry.seen.flatMap(({ url }) => (url.startsWith('/token') ? [url] : []));

test('bearer tokens are fetched for the repository, kept, and renewed when refused', async () => {
  await using registry = await openFakeRegistry();
  await using bench = openWorkbench();
  registry.push('a/demo', '1', IMAGE);
  registry.misbehave = demandBearer();
  await pull(bench, `${registry.host}/a/demo:1`);
  assert.deepEqual(tokenRequests(registry), ['/token?scope=repository%3Aa%2Fdemo%3Apull&service=test+registry']);
  await using renewing = await openFakeRegistry();
  renewing.push('a/demo', '1', imageOf([BASE]));
  renewing.misbehave = demandBearer(2);
  await using other = openWorkbench();
  await pull(other, `${renewing.host}/a/demo:1`, USER);
  assert.equal(tokenRequests(renewing).length, 2);
  assert.match(tokenRequests(renewing)[0] ?? '', /account=me/);
});

test('a login with a wrong password at a token registry is unauthorized', async () => {
  await using registry = await openFakeRegistry();
  await using bench = openWorkbench();
  registry.misbehave = demandBearer();
  const wrong = { username: 'me', password: 'wrong', serverAddress: `http://${registry.host}/v1/` };
  await assert.rejects(bench.images.login(wrong, NEVER), (error: unknown) => {
    assert.ok(isGantryError(error, 'unauthorized'), String(error));
    assert.match(error.message, /unauthorized: incorrect username or password$/);
    return true;
  });
  assert.match(tokenRequests(registry)[0] ?? '', /client_id=docker&offline_token=true/);
  await bench.images.login({ ...USER, serverAddress: registry.host }, NEVER);
});
