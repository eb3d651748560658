// Checks what the client asks a registry for, what of the answers it believes, and where it follows to.

import assert from 'node:assert/strict';
import { Readable } from 'node:stream';
import { test } from 'node:test';
import type { Digest } from '../spec/digest.ts';
import { MEDIA } from '../spec/oci/manifest.ts';
import { digestOf } from '../store/blobs.ts';
import { basic } from './auth.ts';
import { RegistryClient } from './client.ts';
import { RegistryError } from './errors.ts';
import { fail, type Misbehave, openFakeRegistry } from './testing/fake-registry.ts';
import { openClient } from './testing/open-client.ts';

const MANIFEST = Buffer.from('{"schemaVersion":2}');
const DIGEST = digestOf(MANIFEST);
const OTHER = `sha256:${'e'.repeat(64)}` as Digest;

const status =
  (wanted: number) =>
  (error: unknown): boolean =>
    error instanceof RegistryError && error.status === wanted;

/** Answers requests whose address holds `part`. */
const at =
  (part: string, answer: (...args: Parameters<Misbehave>) => void): Misbehave =>
  (request, response, registry) => {
    if (!request.url?.includes(part)) return false;
    answer(request, response, registry);
    return true;
  };

test('a manifest is asked for in every form that we read, and told with its digest and type', async () => {
  await using s = await openClient();
  s.registry.pushManifest('repo', '1', MANIFEST, `${MEDIA.ociManifest}; charset=utf-8`);
  let accepted: string | undefined;
  s.registry.misbehave = (request) => {
    accepted = request.headers.accept;
    return false;
  };
  const { bytes, digest, contentType } = await s.client.manifest(s.repository(), '1');
  assert.deepEqual([bytes, digest, contentType], [MANIFEST, DIGEST, MEDIA.ociManifest]);
  assert.ok(accepted?.includes(MEDIA.ociIndex) && accepted.includes(MEDIA.dockerManifest));
});

test('by digest another manifest is refused, whatever the registry says it is', async () => {
  await using s = await openClient();
  s.registry.pushManifest('repo', OTHER, MANIFEST, MEDIA.ociManifest);
  await assert.rejects(s.client.manifest(s.repository(), OTHER), /manifest verification failed for digest sha256:eee/);
});

test('a manifest and a configuration of megabytes are refused', async () => {
  await using s = await openClient();
  const large = Buffer.alloc((4 << 20) + 1);
  s.registry.pushManifest('repo', '1', large, MEDIA.ociManifest);
  s.registry.blobs.set(OTHER, large);
  await assert.rejects(s.client.manifest(s.repository(), '1'), /the manifest is over 4194304 bytes/);
  await assert.rejects(s.client.smallBlob(s.repository(), OTHER), /the image configuration is over 4194304 bytes/);
});

test('a configuration that is not what its digest says is refused; one that is missing is named', async () => {
  await using s = await openClient();
  s.registry.blobs.set(OTHER, MANIFEST);
  await assert.rejects(s.client.smallBlob(s.repository(), OTHER), /image config verification failed/);
  await assert.rejects(s.client.smallBlob(s.repository(), DIGEST), /error pulling image configuration: unknown blob/);
});

test('a registry is asked what it wants once a minute, however much is fetched', async () => {
  await using s = await openClient();
  s.registry.pushManifest('repo', '1', MANIFEST, MEDIA.ociManifest);
  for (let i = 0; i < 3; i++) await s.client.manifest(s.repository(), '1');
  assert.deepEqual(s.requests(), ['GET /v2/', ...Array(3).fill('GET /v2/repo/manifests/1')]);
});

test('a registry that fails at the first word is told as failed, and asked again the next time', async () => {
  await using s = await openClient();
  s.registry.pushManifest('repo', '1', MANIFEST, MEDIA.ociManifest);
  s.registry.misbehave = at('/v2/', (_request, response) => fail(response, 503, 'UNAVAILABLE', 'later'));
  await assert.rejects(s.client.manifest(s.repository(), '1'), status(503));
  s.registry.misbehave = undefined;
  assert.equal((await s.client.manifest(s.repository(), '1')).digest, DIGEST);
});

/** A registry that asks for Basic, or for tokens by the registry itself. */
const asking = (challenge: string, allowed: (shown: string | undefined) => boolean): Misbehave =>
  at('/v2/', (request, response, registry) => {
    if (allowed(request.headers.authorization)) {
      const found = registry.manifests.get('repo:1');
      response.end(found?.bytes ?? '{}');
    } else response.writeHead(401, { 'WWW-Authenticate': challenge }).end();
  });

test('who logged in shows name and password to a registry that asks for them; who did not is told', async () => {
  await using s = await openClient();
  s.registry.pushManifest('repo', '1', MANIFEST, MEDIA.ociManifest);
  s.registry.misbehave = asking('Basic realm="x"', (shown) => shown === basic('me', 'p'));
  const { digest } = await s.client.manifest(s.repository({ username: 'me', password: 'p' }), '1');
  assert.equal(digest, DIGEST);
  await assert.rejects(s.client.manifest(s.repository(), '1'), /no basic auth credentials/);
});

test('a token that was taken back is renewed once, and then the refusal counts', async () => {
  await using s = await openClient();
  s.registry.pushManifest('repo', '1', MANIFEST, MEDIA.ociManifest);
  let issued = 0;
  let valid = 'Bearer t2';
  const challenge = `Bearer realm="http://${s.registry.host}/token"`;
  s.registry.misbehave = (request, response, registry) => {
    if (request.url?.startsWith('/token')) {
      response.end(`{"token":"t${++issued}"}`);
      return true;
    }
    return asking(challenge, (shown) => shown === valid)(request, response, registry);
  };
  assert.equal((await s.client.manifest(s.repository(), '1')).digest, DIGEST);
  assert.equal(issued, 2);
  valid = 'Bearer never';
  await assert.rejects(s.client.manifest(s.repository(), '1'), status(401));
  assert.equal(issued, 3);
});

test('a registry token that the user brought is shown as it is', async () => {
  await using s = await openClient();
  s.registry.pushManifest('repo', '1', MANIFEST, MEDIA.ociManifest);
  await s.client.manifest(s.repository({ registryToken: 'mine' }), '1');
  assert.equal(s.registry.seen.at(-1)?.authorization, 'Bearer mine');
});

test('a redirect to another host is followed without our credentials, one to the same host with them', async () => {
  await using s = await openClient();
  await using other = await openFakeRegistry();
  other.blobs.set(DIGEST, MANIFEST);
  const to = [`http://${other.host}/blobs/${DIGEST}`, `/moved/blobs/${DIGEST}`];
  s.registry.blobs.set(DIGEST, MANIFEST);
  s.registry.misbehave = at('/v2/repo/blobs/', (_request, response) => {
    response.writeHead(307, { Location: to.shift() ?? '' }).end();
  });
  const repository = s.repository({ registryToken: 'secret' });
  for (let i = 0; i < 2; i++) assert.deepEqual(await s.client.smallBlob(repository, DIGEST), MANIFEST);
  assert.equal(other.seen[0]?.authorization, undefined);
  assert.equal(s.registry.seen.at(-1)?.authorization, 'Bearer secret');
});

for (const [location, message] of [
  ['/v2/repo/manifests/1', /stopped after 5 redirects/],
  ['ftp://127.0.0.1/x', /unsupported protocol scheme "ftp:"/],
  ['http://[', /stopped after 0 redirects/],
] as const) {
  test(`a redirect to ${location} ends, and says why`, async () => {
    await using s = await openClient();
    s.registry.misbehave = at('/manifests/', (_request, response) => {
      response.writeHead(302, { Location: location }).end();
    });
    await assert.rejects(s.client.manifest(s.repository(), '1'), message);
  });
}

test('tags come page by page from the same host, without those that nobody can type', async () => {
  await using s = await openClient();
  await using other = await openFakeRegistry();
  const pages: readonly (readonly [unknown, string])[] = [
    [['1', 'v2'], '</v2/repo/tags/list?last=v2>; rel="next"'],
    [['a b', '', 7, '../x', '3'], `<http://${other.host}/v2/repo/tags/list>; rel="next"`],
  ];
  let page = 0;
  s.registry.misbehave = at('/tags/list', (_request, response) => {
    const [tags, link] = pages[page++] ?? [[], ''];
    response.setHeader('Link', link).end(JSON.stringify({ tags }));
  });
  assert.deepEqual(await s.client.tags(s.repository()), ['1', 'v2', '3']);
  assert.equal(other.seen.length, 0);
});

test('a list of tags that is none is said to be none, an empty one has no tags', async () => {
  await using s = await openClient();
  let body = '<html>';
  s.registry.misbehave = at('/tags/list', (_request, response) => response.end(body));
  await assert.rejects(s.client.tags(s.repository()), /the tag list is no JSON/);
  for (body of ['null', '{}', '{"tags":null}', '{"tags":"x"}']) {
    assert.deepEqual(await s.client.tags(s.repository()), []);
  }
});

test('what refers to a manifest is listed; a registry without that list has none to show', async () => {
  await using s = await openClient();
  let body = '{"manifests":[{"digest":"x"}]}';
  s.registry.misbehave = at('/referrers/', (_request, response) => response.end(body));
  assert.deepEqual(await s.client.referrers(s.repository(), DIGEST), [{ digest: 'x' }]);
  body = '<html>';
  assert.equal(await s.client.referrers(s.repository(), DIGEST), undefined);
  s.registry.misbehave = undefined;
  assert.equal(await s.client.referrers(s.repository(), DIGEST), undefined);
});

test('what is not there is told from what cannot be asked', async () => {
  await using s = await openClient();
  assert.equal(await s.client.head(s.repository(), '1'), undefined);
  assert.equal(await s.client.hasBlob(s.repository(), DIGEST), false);
  assert.equal(await s.client.deleteManifest(s.repository(), '1'), false);
  s.registry.blobs.set(DIGEST, MANIFEST);
  assert.equal(await s.client.hasBlob(s.repository(), DIGEST), true);
  s.registry.misbehave = at('/repo/', (_request, response) => response.writeHead(500).end());
  await assert.rejects(s.client.hasBlob(s.repository(), DIGEST), status(500));
  await assert.rejects(s.client.head(s.repository(), '1'), status(500));
});

/** Pushes MANIFEST as a blob, to where `location` leads; gives what the registry took. */
async function push(location: (host: string) => string): Promise<string[]> {
  await using s = await openClient();
  const taken: string[] = [];
  s.registry.misbehave = at('/blobs/uploads', (request, response) => {
    if (request.method === 'POST') response.writeHead(202, { Location: location(s.registry.host) }).end();
    else {
      request.on('data', (part: Buffer) => taken.push(`${request.url} ${part}`));
      request.on('end', () => response.writeHead(201).end());
    }
  });
  await s.client.pushBlob(s.repository(), { digest: DIGEST, sizeBytes: MANIFEST.length }, async () =>
    Readable.from([MANIFEST]),
  );
  return taken;
}

test('a blob is pushed to where the registry says, whole, with its digest', async () => {
  const wanted = [`/v2/repo/blobs/uploads/1?state=x&digest=${encodeURIComponent(DIGEST)} ${MANIFEST}`];
  assert.deepEqual(await push(() => '/v2/repo/blobs/uploads/1?state=x'), wanted);
  assert.deepEqual(await push((host) => `http://${host}/v2/repo/blobs/uploads/1?state=x`), wanted);
});

test('an upload that leads to another host takes neither our content nor our password', async () => {
  await assert.rejects(
    push(() => 'http://evil.example/x'),
    /sends uploads to another host, evil\.example/,
  );
  await assert.rejects(
    push(() => 'http://['),
    /without saying where/,
  );
});

test('a push that is redirected is refused, not sent elsewhere', async () => {
  await using s = await openClient();
  s.registry.misbehave = at('/manifests/', (request, response) => {
    request.resume().on('end', () => response.writeHead(307, { Location: '/v2/repo/manifests/2' }).end());
  });
  await assert.rejects(s.client.putManifest(s.repository(), '1', MANIFEST, MEDIA.ociManifest), status(307));
  assert.deepEqual(s.requests(), ['GET /v2/', 'PUT /v2/repo/manifests/1']);
});

test('a login is checked by the registry, and a wrong one says so', async () => {
  await using s = await openClient();
  const endpoint = s.repository().endpoint;
  const login = (password: string): Promise<string> =>
    s.client.login({ endpoint, credentials: { username: 'me', password }, signal: new AbortController().signal });
  s.registry.misbehave = asking('Basic realm="x"', (shown) => shown === basic('me', 'right'));
  assert.equal(await login('right'), '');
  await assert.rejects(login('wrong'), /login attempt to http:.*\/v2\/ failed with status: 401 Unauthorized/);
});

test('a login at a token server brings a token that stands for the password', async () => {
  await using s = await openClient();
  const { endpoint } = s.repository();
  s.registry.misbehave = (request, response) => {
    if (request.url?.startsWith('/token')) response.end('{"token":"t","refresh_token":"keep"}');
    else response.writeHead(401, { 'WWW-Authenticate': `Bearer realm="http://${s.registry.host}/token"` }).end();
    return true;
  };
  const credentials = { username: 'me', password: 'p' };
  assert.equal(await s.client.login({ endpoint, credentials, signal: new AbortController().signal }), 'keep');
  assert.match(s.registry.seen.at(-1)?.url ?? '', /offline_token=true/);
});

test('a layer is tried five times where nobody says how often', () => {
  const options = { mirrors: [], insecure: [], maxConcurrentDownloads: 1 };
  using client = new RegistryClient(options, { userAgent: 'x' });
  assert.equal(client.downloadAttempts, 5);
});
