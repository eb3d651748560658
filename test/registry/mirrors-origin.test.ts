// A mirror stands for its origin: it lists, signs and refuses what the origin does, and costs nobody time when the origin does not answer.

import assert from 'node:assert/strict';
import { once } from 'node:events';
import { rmSync } from 'node:fs';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { test } from 'node:test';
import type { ProxyConfig } from '../../src/registry/config/types.ts';
import { COSIGN, programOf } from '../fixtures/debian-program.ts';
import { must, run } from '../support/commands.ts';
import { eventually } from '../support/patience.ts';
import { codesOf, INDEX, MANIFEST, scratch, sha256, startRegistry, type TestRegistry } from './support/registry.ts';

const proxy = (url: string, more: Partial<ProxyConfig> = {}): ProxyConfig => ({
  prefix: 'hub',
  url,
  freshMs: 0,
  expiryMs: 0,
  isInsecure: true,
  stale: 'down',
  namespaces: [],
  ...more,
});

/** Stands between a mirror and its origin; `answer` may take a request for itself. */
class Between implements AsyncDisposable {
  readonly seen: string[] = [];
  answer: (request: IncomingMessage, response: ServerResponse) => boolean = () => false;
  readonly #server = createServer((request, response) => void this.#handle(request, response));
  readonly #origin: string;

  constructor(origin: string) {
    this.#origin = origin;
  }

  async start(): Promise<this> {
    this.#server.listen(0, '127.0.0.1');
    await once(this.#server, 'listening');
    return this;
  }

  get url(): string {
    return `http://127.0.0.1:${(this.#server.address() as AddressInfo).port}`;
  }

  async #handle(request: IncomingMessage, response: ServerResponse): Promise<void> {
    this.seen.push(`${request.method} ${request.url}`);
    if (this.answer(request, response)) return;
    const { method = 'GET', headers } = request;
    const passed = await fetch(`${this.#origin}${request.url}`, {
      method,
      headers: { accept: headers.accept ?? '*/*' },
    });
    const body = Buffer.from(await passed.arrayBuffer());
    const kept = ['content-type', 'docker-content-digest', 'link', 'content-length'];
    const shown = kept.flatMap((name) =>
      passed.headers.get(name) === null ? [] : [[name, passed.headers.get(name) ?? '']],
    );
    response.writeHead(passed.status, Object.fromEntries(shown) as Record<string, string>);
    response.end(method === 'HEAD' ? undefined : body);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#server.closeAllConnections();
    await new Promise((resolve) => this.#server.close(resolve));
  }
}

const json = (response: ServerResponse, status: number, code: string, headers: Record<string, string> = {}): true => {
  response.writeHead(status, { 'content-type': 'application/json', ...headers });
  response.end(JSON.stringify({ errors: [{ code, message: code.toLowerCase() }] }));
  return true;
};

async function timed<T>(act: () => Promise<T>): Promise<{ ms: number; result: T }> {
  const began = performance.now();
  const result = await act();
  return { ms: performance.now() - began, result };
}

const get = (registry: TestRegistry, path: string): Promise<Response> => registry.call('GET', path);

async function referrers(registry: TestRegistry, repository: string, digest: string, query = ''): Promise<string[]> {
  const answer = await get(registry, `/v2/${repository}/referrers/${digest}${query}`);
  assert.equal(answer.status, 200, await answer.clone().text());
  return ((await answer.json()) as { manifests: { digest: string }[] }).manifests.map((one) => one.digest);
}

test('cosign finds through the mirror what was signed at the origin', async (t) => {
  const cosign = await programOf(COSIGN);
  if (cosign === undefined) return t.skip('no cosign here');
  using folder = scratch();
  await using origin = await startRegistry();
  const image = await origin.pushImage('app', 'v1');
  await using cache = await startRegistry({ proxies: [proxy(origin.url)] });
  const options = { cwd: folder.path, env: { COSIGN_PASSWORD: '', HOME: folder.path } };
  const plain = ['--key', 'cosign.pub', '--insecure-ignore-tlog', '--allow-http-registry'];
  await must(cosign, ['generate-key-pair'], options);
  const unsigned = await run(cosign, ['verify', ...plain, `${cache.address}/hub/app:v1`], options);
  assert.notEqual(unsigned.code, 0);
  const quiet = ['--use-signing-config=false', '--tlog-upload=false', '--allow-http-registry', '-y'];
  await must(cosign, ['sign', '--key', 'cosign.key', ...quiet, `${origin.address}/app@${image.digest}`], options);
  await must(cosign, ['verify', ...plain, `${cache.address}/hub/app:v1`], options);
  await origin.stop();
  await must(cosign, ['verify', ...plain, `${cache.address}/hub/app@${image.digest}`], options);
});

test('referrers come from the origin, by its API or by the tag that stands for it, and from here', async () => {
  await using origin = await startRegistry();
  const image = await origin.pushImage('app', 'v1');
  const sbom = await origin.pushImage('app', undefined, {
    more: { subject: image.descriptor, artifactType: 'application/x.sbom' },
  });
  const other = await origin.pushImage('app', undefined, {
    more: { subject: image.descriptor, artifactType: 'application/x.other' },
  });
  await using between = await new Between(origin.url).start();
  await using cache = await startRegistry({ proxies: [proxy(between.url)] });
  assert.deepEqual((await referrers(cache, 'hub/app', image.digest)).sort(), [sbom.digest, other.digest].sort());
  assert.deepEqual(await referrers(cache, 'hub/app', image.digest, '?artifactType=application/x.sbom'), [sbom.digest]);
  assert.equal((await get(cache, `/v2/hub/app/manifests/${sbom.digest}`)).status, 200);
  // An origin without the API: the tag is all there is.
  between.answer = ({ url = '' }, response) => url.includes('/referrers/') && json(response, 404, 'NOT_FOUND');
  const tag = image.digest.replace(':', '-');
  await origin.pushManifest('app', tag, { schemaVersion: 2, mediaType: INDEX, manifests: [sbom.descriptor] }, INDEX);
  assert.deepEqual(await referrers(cache, 'hub/app', image.digest), [sbom.digest]);
  assert.deepEqual(await referrers(cache, 'hub/app', sbom.digest), []);
  // A page instead of an answer is none.
  between.answer = ({ url = '' }, response) => {
    if (!url.includes('/referrers/')) return false;
    response.writeHead(200, { 'content-type': 'text/html' }).end('<html>');
    return true;
  };
  assert.deepEqual(await referrers(cache, 'hub/app', image.digest), [sbom.digest]);
  between.answer = (_, response) => json(response, 500, 'UNKNOWN');
  assert.deepEqual(await referrers(cache, 'hub/app', image.digest), [sbom.digest], 'what is known stays known');
  assert.equal(
    (await get(cache, `/v2/hub/app/referrers/${other.digest}`)).status,
    503,
    'nothing known is not the same as nothing',
  );
});

test('tags are those of the origin, in pages, also what nobody pulled; when it is down, those that are known', async () => {
  await using origin = await startRegistry();
  const image = await origin.pushImage('app', 'v1');
  for (const tag of ['v2', 'v3', 'latest']) await origin.pushManifest('app', tag, image.bytes);
  await using cache = await startRegistry({ proxies: [proxy(origin.url)] });
  const tags = async (query = ''): Promise<{ status: number; tags?: string[]; link: string | null }> => {
    const answer = await get(cache, `/v2/hub/app/tags/list${query}`);
    const { tags: list } = (await answer.json()) as { tags?: string[] };
    return { status: answer.status, ...(list ? { tags: list } : {}), link: answer.headers.get('link') };
  };
  assert.deepEqual((await tags()).tags, ['latest', 'v1', 'v2', 'v3']);
  const page = await tags('?n=2');
  assert.deepEqual([page.tags, page.link], [['latest', 'v1'], '</v2/hub/app/tags/list?n=2&last=v1>; rel="next"']);
  assert.deepEqual((await tags('?n=2&last=v1')).tags, ['v2', 'v3']);
  await origin.call('DELETE', '/v2/app/manifests/v3');
  assert.deepEqual((await tags()).tags, ['latest', 'v1', 'v2']);
  assert.deepEqual(await codesOf(await get(cache, '/v2/hub/nothing/tags/list')), ['NAME_UNKNOWN']);
  await origin.stop();
  assert.deepEqual((await tags()).tags, ['latest', 'v1', 'v2']);
});

test('an origin that hangs is waited for once, and not by who asks for what is here', async () => {
  await using origin = await startRegistry();
  await origin.pushImage('app', 'v1');
  await using between = await new Between(origin.url).start();
  await using cache = await startRegistry({ proxies: [proxy(between.url)] });
  assert.equal((await get(cache, '/v2/hub/app/manifests/v1')).status, 200);
  between.answer = () => true;
  const first = await timed(() => get(cache, '/v2/hub/app/manifests/v1'));
  assert.equal(first.result.status, 200);
  assert.ok(first.ms < 5000, `${first.ms} ms`);
  for (let i = 0; i < 5; i++) {
    const { ms, result } = await timed(() => get(cache, '/v2/hub/app/manifests/v1'));
    assert.equal(result.status, 200);
    assert.ok(ms < 700, `${ms} ms`);
  }
  assert.ok(
    between.seen.filter((line) => line.includes('/manifests/v1')).length < 5,
    'one question is under way at a time',
  );
});

test('an origin that is down is left alone for a while, and found again when it is back', async () => {
  await using origin = await startRegistry();
  await origin.pushImage('app', 'v1');
  await using between = await new Between(origin.url).start();
  await using cache = await startRegistry({ proxies: [proxy(between.url)] });
  between.answer = (_, response) => json(response, 502, 'UNKNOWN');
  const cold = await get(cache, '/v2/hub/app/manifests/v1');
  assert.equal(cold.status, 503);
  const asked = between.seen.length;
  for (let i = 0; i < 10; i++) {
    const again = await get(cache, '/v2/hub/app/manifests/v1');
    assert.equal(again.status, 503);
    assert.equal(again.headers.get('retry-after'), '1');
  }
  assert.equal(between.seen.length, asked);
  between.answer = () => false;
  await eventually('it is found again', async () => (await get(cache, '/v2/hub/app/manifests/v1')).status === 200);
});

test('too many requests at the origin are told with the time that it asked for, and cost no blob of an image that is known', async () => {
  await using origin = await startRegistry();
  const image = await origin.pushImage('app', 'v1');
  await origin.pushImage('app', 'v2');
  await using between = await new Between(origin.url).start();
  await using cache = await startRegistry({ proxies: [proxy(between.url)] });
  assert.equal((await get(cache, '/v2/hub/app/manifests/v1')).status, 200);
  between.answer = ({ url = '' }, response) =>
    url.includes('/manifests/') && json(response, 429, 'TOOMANYREQUESTS', { 'retry-after': '77' });
  const cold = await get(cache, '/v2/hub/app/manifests/v2');
  assert.equal(cold.status, 429);
  assert.equal(cold.headers.get('retry-after'), '77');
  assert.deepEqual(await codesOf(cold), ['TOOMANYREQUESTS']);
  const again = await get(cache, '/v2/hub/app/manifests/v2');
  assert.ok(Number(again.headers.get('retry-after')) > 70);
  assert.equal((await get(cache, '/v2/hub/app/manifests/v1')).status, 200);
  const blob = await get(cache, `/v2/hub/app/blobs/${image.layers[0]?.digest}`);
  assert.equal(sha256(Buffer.from(await blob.arrayBuffer())), image.layers[0]?.digest);
});

test('what the origin deleted or forbids is served as the policy says', async () => {
  for (const stale of ['down', 'always', 'never'] as const) {
    await using origin = await startRegistry();
    const image = await origin.pushImage('app', 'v1');
    await using between = await new Between(origin.url).start();
    await using cache = await startRegistry({ proxies: [proxy(between.url, { stale })] });
    const layer = `/v2/hub/app/blobs/${image.layers[0]?.digest}`;
    const status = async (path: string): Promise<number> => (await get(cache, path)).status;
    assert.deepEqual([await status('/v2/hub/app/manifests/v1'), await status(layer)], [200, 200]);
    between.answer = (_, response) => json(response, 401, 'UNAUTHORIZED');
    const forbidden = stale === 'always' ? 200 : 403;
    assert.deepEqual(
      [await status('/v2/hub/app/manifests/v1'), await status(layer)],
      [forbidden, forbidden],
      `${stale}, forbidden`,
    );
    between.answer = () => false;
    assert.deepEqual(
      [await status('/v2/hub/app/manifests/v1'), await status(layer)],
      [200, 200],
      `${stale}, allowed again`,
    );
    between.answer = (_, response) => json(response, 500, 'UNKNOWN');
    assert.equal(await status('/v2/hub/app/manifests/v1'), stale === 'never' ? 503 : 200, `${stale}, down`);
    between.answer = () => false;
    await origin.call('DELETE', '/v2/app/manifests/v1');
    const wanted = stale === 'always' ? 200 : 404;
    await eventually(`${stale}, deleted`, async () => (await status('/v2/hub/app/manifests/v1')) === wanted);
    assert.equal(await status(`/v2/hub/app/manifests/${image.digest}`), 200, 'by digest it is what it was');
  }
});

test('what the origin sends that is no manifest is the fault of the origin, and is not kept', async () => {
  await using origin = await startRegistry();
  await using between = await new Between(origin.url).start();
  between.answer = ({ url = '' }, response) => {
    if (!url.includes('/manifests/')) return false;
    response.writeHead(200, { 'content-type': 'text/html' }).end('{"x":"<script>"}');
    return true;
  };
  await using cache = await startRegistry({ proxies: [proxy(between.url)] });
  const answer = await get(cache, '/v2/hub/app/manifests/v1');
  assert.equal(answer.status, 503);
  assert.match(await answer.text(), /the origin failed: it sent no manifest/);
});

test('a mirrored blob or manifest whose file was lost is fetched anew', async () => {
  await using origin = await startRegistry();
  const image = await origin.pushImage('app', 'v1');
  await using cache = await startRegistry({ proxies: [proxy(origin.url, { freshMs: 3_600_000 })] });
  const digests = [image.digest, image.layers[0]?.digest ?? ''];
  const paths = [`/v2/hub/app/manifests/${image.digest}`, `/v2/hub/app/blobs/${digests[1]}`];
  for (const path of ['/v2/hub/app/manifests/v1', ...paths]) assert.equal((await get(cache, path)).status, 200);
  await cache.stop();
  for (const digest of digests) rmSync(join(cache.root, 'content/blobs/sha256', digest.slice(7)));
  await cache.start();
  for (const [i, path] of paths.entries()) {
    const answer = await get(cache, path);
    assert.equal(answer.status, 200, path);
    assert.equal(sha256(Buffer.from(await answer.arrayBuffer())), digests[i]);
  }
});

// What containerd 1.7 and 2.1 send to a mirror for `docker.io/library/nginx:latest` (config_path with hosts.toml): the name as in the
// registry, and the registry's name as ?ns=.
test('one mirror of several registries is asked by their names, as containerd asks, with the rights of the local name', async () => {
  await using hub = await startRegistry();
  await using ghcr = await startRegistry();
  const nginx = await hub.pushImage('library/nginx', 'latest');
  await ghcr.pushImage('team/tool', 'v1');
  await using cache = await startRegistry({
    proxies: [
      proxy(hub.url, { prefix: 'hub', namespaces: ['docker.io'] }),
      proxy(ghcr.url, { prefix: 'mirrors/ghcr', namespaces: ['ghcr.io'] }),
    ],
    access: {
      anonymous: 'none',
      realm: 'x',
      rights: [{ repositories: ['hub/**'], subjects: ['anonymous'], actions: ['pull'] }],
      admins: [],
    },
  });
  await cache
    .pushManifest('own', 'v1', { schemaVersion: 2, mediaType: INDEX, manifests: [] }, INDEX)
    .catch(() => undefined);
  const accept = { headers: { accept: [MANIFEST, INDEX, '*/*'].join(', ') } };
  const head = await cache.call('HEAD', '/v2/library/nginx/manifests/latest?ns=docker.io', accept);
  assert.equal(head.headers.get('docker-content-digest'), nginx.digest);
  assert.equal(
    (await cache.call('GET', `/v2/library/nginx/manifests/${nginx.digest}?ns=docker.io`, accept)).status,
    200,
  );
  assert.equal(
    (await cache.call('GET', `/v2/library/nginx/blobs/${nginx.layers[0]?.digest}?ns=docker.io`)).status,
    200,
  );
  assert.equal((await cache.call('GET', `/v2/hub/library/nginx/manifests/latest?ns=docker.io`)).status, 200);
  assert.equal(
    (await cache.call('GET', '/v2/team/tool/manifests/v1?ns=ghcr.io')).status,
    403,
    'nobody may pull below mirrors/',
  );
  assert.equal((await cache.call('GET', '/v2/library/nginx/manifests/latest?ns=quay.io')).status, 403);
});
