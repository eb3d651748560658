// Registries that lie, stall, drop the line or send elsewhere; disks that are full. Nothing unverified stays.

import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import { mkdirSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { libc, MNT_DETACH, must } from '../../src/host/libc.ts';
import { isGantryError } from '../../src/lib/errors.ts';
import { parseChallenge } from '../../src/remote/auth.ts';
import { type FakeRegistry, fail, openFakeRegistry, serveBlob } from '../../src/remote/testing/fake-registry.ts';
import { digestOf } from '../../src/store/blobs.ts';
import { archiveOf, imageOf, layerOf, NEVER, openWorkbench, streamOf, tarOf, type Workbench } from './support.ts';

const LAYER = layerOf(tarOf({ name: 'data', data: randomBytes(3_000_000) }));
const SMALL = layerOf(tarOf({ name: 'small', data: 'small' }));
const IMAGE = imageOf([LAYER, SMALL]);

function pull(bench: Workbench, registry: FakeRegistry, signal = NEVER) {
  return bench.images.pull({ reference: `${registry.host}/demo:1` }, bench.report, signal);
}

async function refused(bench: Workbench, registry: FakeRegistry, message: RegExp): Promise<void> {
  await assert.rejects(pull(bench, registry), (error: unknown) => {
    assert.ok(isGantryError(error), String(error instanceof Error ? error.stack : error));
    assert.match(error.message, message);
    return true;
  });
  assert.deepEqual(bench.leftovers(), []);
  assert.deepEqual(bench.images.list(), []);
}

async function setting(stallMs = 20_000): Promise<{ registry: FakeRegistry; bench: Workbench } & AsyncDisposable> {
  const registry = await openFakeRegistry();
  const bench = openWorkbench({ stallMs });
  registry.push('demo', '1', IMAGE);
  return {
    registry,
    bench,
    async [Symbol.asyncDispose]() {
      await bench[Symbol.asyncDispose]();
      await registry[Symbol.asyncDispose]();
    },
  };
}

test('a layer with a flipped bit is refused by its digest', async () => {
  await using s = await setting();
  for (const at of [3, 5, 1000, LAYER.blob.length - 3]) {
    const bad = Buffer.from(LAYER.blob);
    bad[at] = (bad[at] ?? 0) ^ 1;
    s.registry.blobs.set(LAYER.blobDigest, bad);
    await refused(
      s.bench,
      s.registry,
      new RegExp(`^filesystem layer verification failed for digest ${LAYER.blobDigest}$`),
    );
  }
});

test('another valid layer in its place is refused', async () => {
  await using s = await setting();
  const other = Buffer.concat([SMALL.blob, Buffer.alloc(LAYER.blob.length - SMALL.blob.length)]);
  s.registry.blobs.set(LAYER.blobDigest, other);
  await refused(s.bench, s.registry, /verification failed for digest/);
});

test('a layer that does not hold what the configuration says is refused', async () => {
  await using s = await setting();
  const lying = imageOf([{ ...SMALL, diffId: LAYER.diffId }]);
  s.registry.push('demo', '1', lying);
  await refused(s.bench, s.registry, /invalid diffID/);
});

test('a layer that is longer or shorter than said is refused', async () => {
  await using s = await setting();
  s.registry.blobs.set(LAYER.blobDigest, Buffer.concat([LAYER.blob, Buffer.alloc(1000)]));
  await refused(s.bench, s.registry, /verification failed for digest/);
  s.registry.blobs.set(LAYER.blobDigest, LAYER.blob.subarray(0, 1000));
  s.registry.seen.length = 0;
  await refused(s.bench, s.registry, /verification failed for digest/);
  const asked = s.registry.seen.filter(({ url }) => url.endsWith(LAYER.blobDigest));
  assert.equal(asked.length, 1, 'what is all there is does not grow by asking again');
});

test('lies about the configuration or the manifest are refused', async () => {
  await using s = await setting();
  s.registry.blobs.set(IMAGE.id, Buffer.from(IMAGE.config.toString().replace('sh', 'su')));
  await refused(s.bench, s.registry, /verification failed for digest/);
  const manifests: readonly (readonly [string, string, RegExp])[] = [
    ['{', 'application/json', /unexpected end of JSON input/],
    ['[]', 'application/json', /json: cannot unmarshal array into Go value of type ocischema.Manifest/],
    ['{"schemaVersion":2}', 'application/json', /names no configuration/],
    [
      '{"schemaVersion":1,"name":"x","fsLayers":[]}',
      'application/vnd.docker.distribution.manifest.v1+prettyjws',
      /schema 1 support/,
    ],
    [
      '{"schemaVersion":2,"config":{"digest":"sha256:../../x","size":1},"layers":[]}',
      'application/json',
      /could not validate configuration digest .*: invalid checksum digest format/,
    ],
    [
      JSON.stringify({ ...JSON.parse(IMAGE.manifest.toString()), layers: [] }),
      'application/json',
      /don't match image configuration/,
    ],
    [
      JSON.stringify({ ...JSON.parse(IMAGE.manifest.toString()), manifests: [] }),
      'application/vnd.oci.image.manifest.v1+json',
      /expected manifest but found index/,
    ],
    [IMAGE.manifest.toString(), 'application/vnd.oci.image.index.v1+json', /mediaType in manifest should be/],
    ['x'.repeat(5 << 20), 'application/json', /over 4194304 bytes/],
  ];
  s.registry.blobs.set(IMAGE.id, IMAGE.config);
  for (const [text, type, message] of manifests) {
    s.registry.pushManifest('demo', '1', Buffer.from(text), type);
    await refused(s.bench, s.registry, message);
  }
});

test('a line that drops is taken up where it broke', async () => {
  await using s = await setting();
  let drops = 3;
  s.registry.misbehave = (request, response, registry) => {
    if (!request.url?.endsWith(LAYER.blobDigest) || drops-- <= 0) return false;
    const from = Number(/^bytes=(\d+)-$/.exec(request.headers.range ?? '')?.[1] ?? 0);
    const blob = registry.blobs.get(LAYER.blobDigest) ?? Buffer.alloc(0);
    const status = from > 0 ? 206 : 200;
    response.writeHead(status, {
      'Content-Length': blob.length - from,
      'Content-Range': `bytes ${from}-${blob.length - 1}/${blob.length}`,
    });
    response.write(blob.subarray(from, from + 500_000), () => setTimeout(() => response.destroy(), 20));
    return true;
  };
  assert.equal((await pull(s.bench, s.registry)).id, IMAGE.id);
  const ranges = s.registry.seen.flatMap(({ url, range }) => (url.endsWith(LAYER.blobDigest) ? [range] : []));
  assert.equal(ranges.length, 4);
  assert.ok(ranges.slice(1).every((range) => /^bytes=[1-9]\d*-$/.test(range ?? '')));
  assert.ok(s.bench.progress.some(({ status }) => /^Retrying in 1 second$/.test(status)));
});

test('a registry without ranges sends all of it again, and that works too', async () => {
  await using s = await setting();
  let drops = 1;
  s.registry.misbehave = (request, response, registry) => {
    if (!request.url?.endsWith(LAYER.blobDigest)) return false;
    const blob = registry.blobs.get(LAYER.blobDigest) ?? Buffer.alloc(0);
    response.writeHead(200, { 'Content-Length': blob.length });
    if (drops-- > 0) response.write(blob.subarray(0, 700_000), () => setTimeout(() => response.destroy(), 20));
    else response.end(blob);
    return true;
  };
  assert.equal((await pull(s.bench, s.registry)).id, IMAGE.id);
});

test('a registry that always drops, stalls or fails is given up, and says why', async () => {
  await using s = await setting(300);
  s.registry.misbehave = (request, response) => {
    if (!request.url?.endsWith(LAYER.blobDigest)) return false;
    response.destroy();
    return true;
  };
  await refused(s.bench, s.registry, /EOF/);
  assert.equal(s.registry.seen.filter(({ url }) => url.endsWith(LAYER.blobDigest)).length, 5);
  s.registry.misbehave = (request, response) => {
    if (!request.url?.endsWith(LAYER.blobDigest)) return false;
    response.writeHead(200, { 'Content-Length': LAYER.blob.length });
    response.write('x');
    return true;
  };
  await refused(s.bench, s.registry, /no data for 300 ms|verification failed/);
  s.registry.misbehave = (request) => request.url?.includes('/manifests/') ?? false;
  await refused(s.bench, s.registry, /timeout awaiting response headers/);
  s.registry.misbehave = (request, response) => {
    if (!request.url?.endsWith(LAYER.blobDigest)) return false;
    fail(response, 503, 'UNAVAILABLE', 'service unavailable');
    return true;
  };
  await refused(s.bench, s.registry, /unavailable: service unavailable/);
});

test('credentials are not shown to the host that blobs are redirected to', async () => {
  await using s = await setting();
  await using storage = await openFakeRegistry();
  const basic = `Basic ${Buffer.from('me:pw').toString('base64')}`;
  storage.misbehave = (request, response) => {
    serveBlob(s.registry.blobs.get(request.url?.slice(1) ?? '') ?? Buffer.alloc(0), request, response);
    return true;
  };
  s.registry.misbehave = (request, response) => {
    if (request.headers.authorization !== basic) {
      response.setHeader('WWW-Authenticate', 'Basic realm="x"');
      fail(response, 401, 'UNAUTHORIZED', 'authentication required');
      return true;
    }
    const digest = /\/blobs\/(.+)$/.exec(request.url ?? '')?.[1];
    if (!digest) return false;
    response.writeHead(307, { Location: `http://${storage.host}/${digest}` }).end();
    return true;
  };
  const credentials = { username: 'me', password: 'pw' };
  await s.bench.images.pull({ reference: `${s.registry.host}/demo:1`, credentials }, s.bench.report, NEVER);
  assert.ok(storage.seen.length >= 3);
  assert.ok(storage.seen.every(({ authorization }) => authorization === undefined));
});

test('redirects without end and to other protocols are refused', async () => {
  await using s = await setting();
  s.registry.misbehave = (request, response) => {
    if (!request.url?.includes('/manifests/')) return false;
    response.writeHead(302, { Location: request.url }).end();
    return true;
  };
  await refused(s.bench, s.registry, /stopped after 5 redirects/);
  s.registry.misbehave = (request, response) => {
    if (!request.url?.includes('/manifests/')) return false;
    response.writeHead(302, { Location: 'file:///etc/passwd' }).end();
    return true;
  };
  await refused(s.bench, s.registry, /unsupported protocol scheme/);
});

test('an answer without end that nobody wants is cut off', async () => {
  await using s = await setting();
  let sentBytes = 0;
  const closed = Promise.withResolvers<void>();
  s.registry.misbehave = (request, response) => {
    if (request.url !== '/v2/') return false;
    response.writeHead(200);
    const piece = Buffer.alloc(64 * 1024);
    const more = (): void => {
      while (!response.destroyed && sentBytes < 256 << 20) {
        sentBytes += piece.length;
        if (!response.write(piece)) return void response.once('drain', more);
      }
      response.end();
    };
    response.once('close', closed.resolve);
    more();
    return true;
  };
  assert.equal((await pull(s.bench, s.registry)).id, IMAGE.id);
  await closed.promise;
  assert.ok(sentBytes < 64 << 20, `${sentBytes} bytes were taken`);
});

test('tags that are none are left out, and a list that is none is said to be none', async () => {
  await using s = await setting();
  let list = JSON.stringify({ tags: ['1', '../../../evil', 'a\nb', '', 7, null, '__proto__ '] });
  s.registry.misbehave = (request, response) => {
    if (!request.url?.endsWith('/tags/list')) return false;
    response.end(list);
    return true;
  };
  const all = { reference: `${s.registry.host}/demo`, allTags: true };
  await s.bench.images.pull(all, s.bench.report, NEVER);
  assert.deepEqual(s.bench.images.list()[0]?.repoTags, [`${s.registry.host}/demo:1`]);
  list = '{';
  await assert.rejects(s.bench.images.pull(all, s.bench.report, NEVER), /the tag list is no JSON/);
});

test('a challenge of a long word does not hold the daemon up', async () => {
  const began = performance.now();
  assert.equal(parseChallenge(`Bearer ${'a'.repeat(100_000)}`).scheme, 'none');
  assert.ok(performance.now() - began < 200);
});

test('a layer with folders deeper than a path is refused or unpacked, and leaves nothing when refused', async () => {
  await using s = await setting();
  const deep = (levels: number): Buffer => tarOf({ name: `${'a-folder/'.repeat(levels)}f`, data: 'x' });
  s.registry.push('demo', '1', imageOf([LAYER, layerOf(Buffer.concat([deep(440).subarray(0, -1024), deep(900)]))]));
  await refused(s.bench, s.registry, /name too long/i);
});

test('a layer that climbs out is refused, and its neighbours go too', async () => {
  await using s = await setting();
  s.registry.push('demo', '1', imageOf([LAYER, layerOf(tarOf({ name: '../../escaped', data: 'x' }))]));
  await refused(s.bench, s.registry, /invalid entry name/);
});

test('a pull that is called off stops at once and leaves nothing', async () => {
  await using s = await setting();
  s.registry.misbehave = (request, response) => {
    if (!request.url?.endsWith(LAYER.blobDigest)) return false;
    response.writeHead(200, { 'Content-Length': LAYER.blob.length });
    response.write(LAYER.blob.subarray(0, 1_000_000));
    return true;
  };
  const stop = new AbortController();
  const pulling = pull(s.bench, s.registry, stop.signal);
  await sleep(100);
  stop.abort();
  await assert.rejects(pulling, (error: unknown) => isGantryError(error, 'cancelled'));
  assert.deepEqual(s.bench.leftovers(), []);
});

test('one image whose download fails does not take down another that shares its layer', async () => {
  await using s = await setting();
  s.registry.push('other', '1', imageOf([LAYER, layerOf(tarOf({ name: '../x', data: 'x' }))]));
  const [good, bad] = await Promise.allSettled([
    pull(s.bench, s.registry),
    s.bench.images.pull({ reference: `${s.registry.host}/other:1` }, s.bench.report, NEVER),
  ]);
  assert.equal(good.status, 'fulfilled');
  assert.equal(bad.status, 'rejected');
  assert.equal(s.bench.images.list().length, 1);
});

test('a full disk is said in words, and nothing is left on it', async () => {
  const root = mkdtempSync(join(tmpdir(), 'gantry-full-'));
  must(libc.mount('tmpfs', root, 'tmpfs', 0, 'size=4m,mode=755'), 'mount', root);
  try {
    mkdirSync(join(root, 'data'));
    await using bench = openWorkbench({ root: join(root, 'data') });
    const full = layerOf(tarOf({ name: 'big', data: randomBytes(6 << 20) }));
    await using registry = await openFakeRegistry();
    registry.push('demo', '1', imageOf([full]));
    await refused(bench, registry, /no space left on device/);
    await assert.rejects(pull(bench, registry), (error: unknown) => isGantryError(error, 'exhausted'));
    const archive = archiveOf([{ image: imageOf([full]), tags: ['x:1'] }]);
    await assert.rejects(bench.images.load(streamOf(archive), bench.report, NEVER), /no space left on device/);
    assert.deepEqual(bench.leftovers(), []);
    registry.push('demo', '1', imageOf([SMALL]));
    assert.equal((await pull(bench, registry)).id, imageOf([SMALL]).id);
  } finally {
    libc.umount2(root, MNT_DETACH);
    rmSync(root, { recursive: true, force: true });
  }
});

test('what a killed engine left half-done goes at the next start, and the rest stays', async () => {
  await using s = await setting();
  await pull(s.bench, s.registry);
  const before = s.bench.leftovers().sort();
  for (const name of ['layers/99.partial', 'layers/98', 'layers/98.replaced']) mkdirSync(join(s.bench.root, name));
  mkdirSync(join(s.bench.root, 'content/ingest/left'));
  const images = await s.bench.restart();
  await images.sweep();
  assert.deepEqual(s.bench.leftovers().sort(), before);
  assert.equal(images.get(`${s.registry.host}/demo:1`).id, IMAGE.id);
  assert.equal(digestOf(IMAGE.config), IMAGE.id);
});
